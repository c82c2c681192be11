/** What a registration asks for, everything that is wrong with it, and what its administrator should know. */
import { type Saying, saying } from '../saying.js';
import type { Client } from './client.js';
import { isLive } from './client-secret.js';
import { type GivenSettings, type SettingValues, settingProblems, wholeSettings } from './client-settings.js';
import type { Dialect } from './dialect.js';
import type { SettingContext } from './setting.js';

export interface NewClient extends GivenSettings {
  name: string;
  redirectUris: readonly string[];
  dialect?: Dialect;
  applicationType?: 'web' | 'native';
  /** Only for the demo's own clients. */
  id?: string;
}

/** What of the server a registration is judged by. */
export type Surroundings = Pick<SettingContext, 'demo' | 'resourceScopes'>;

/** All of them at once; empty when the registration is good. */
export function registrationProblems(input: NewClient, surroundings: Surroundings): Saying[] {
  const { dialect = 'oauth', applicationType = 'web' } = input;
  const context = { ...surroundings, dialect, applicationType, hashRoute: dialect === 'wechat' };
  return [...settingProblems(input, context), ...contradictions(input, dialect)];
}

/** What is good by itself and not together. */
function contradictions(input: NewClient, dialect: Dialect): Saying[] {
  const { authMethod } = input;
  const problems: Saying[] = [];
  // Who signs in on another device comes back to no address.
  if (input.redirectUris.length === 0 && !input.callbackDomain && !input.deviceFlow)
    problems.push(saying('at least one redirect URI is needed'));
  if (dialect === 'wechat' && (authMethod === 'none' || authMethod === 'private_key_jwt'))
    problems.push(saying('a wechat client always has a secret'));
  if (!input.clientKeys && dialect === 'oauth') {
    if (authMethod === 'private_key_jwt')
      problems.push(saying('private_key_jwt needs the public keys of the client: name them with {setting:clientKeys}'));
    if (input.requireSignedRequest)
      problems.push(saying('signed requests need the public keys of the client: name them with {setting:clientKeys}'));
  }
  if (input.pkceOptional && (authMethod === 'none' || input.applicationType === 'native'))
    problems.push(
      saying(
        '{setting:pkceOptional} is for web clients with a secret or a key: nothing else would protect the codes of this one',
      ),
    );
  if (input.dpopRequired && input.certificateBound)
    problems.push(saying('tokens are bound to a key (DPoP) or to a certificate (mTLS), not to both'));
  return problems;
}

/** The settings of a good registration, whole. */
export function settingsOf(input: NewClient): SettingValues {
  const { authMethod = input.dialect === 'wechat' ? 'client_secret_post' : undefined } = input;
  return wholeSettings({ ...input, authMethod, embedOrigins: embedOriginsOf(input) });
}

/** The origins of web redirect URIs may frame the waiting page unless the administrator names others (T28). */
export function embedOriginsOf(input: NewClient): string[] {
  if (input.embedOrigins?.length) return [...new Set(input.embedOrigins)];
  const origins = input.redirectUris
    .map((uri) => URL.parse(uri))
    .filter((url) => url && /^https?:$/.test(url.protocol));
  const all = origins.map((url) => (url as URL).origin);
  return [...new Set([...all, ...(input.callbackDomain ? [`https://${input.callbackDomain}`] : [])])];
}

/** What an administrator should know about this client, at its registration and whenever it is looked at (T93). */
export function warningsOf(client: Client): Saying[] {
  const warnings = exposures(client);
  if (client.dialect === 'wechat') {
    warnings.push(
      saying('the wechat dialect puts the secret and tokens in query strings: keep them out of your proxy logs'),
    );
    if (!client.stateRequired)
      warnings.push(
        saying(
          'requests without state are accepted, as in WeChat: a site that sends none can be signed in to a stranger',
        ),
      );
    if (!client.refreshRequiresSecret)
      warnings.push(
        saying('tokens are refreshed without the secret, as in WeChat: a leaked refresh token is enough for 30 days'),
      );
  }
  if (client.callbackDomain) {
    warnings.push(
      saying('a callback domain accepts any address on {domain}: exact redirect URIs are safer', {
        domain: client.callbackDomain,
      }),
    );
  }
  if (client.deviceFlow) {
    warnings.push(
      saying(
        'with the device flow, a person may be talked into entering a code that somebody else has on a screen: use it for devices without a browser only',
      ),
    );
  }
  if (client.styleSheets) {
    warnings.push(
      saying(
        "the site's own style sheet is loaded for our name and the status words; it reaches neither the QR code nor the site's name nor the number",
      ),
    );
  }
  if (client.pkceOptional) {
    warnings.push(
      saying(
        'requests without PKCE are accepted: a code that leaks from the browser is protected by the secret of the client alone',
      ),
    );
  }
  if (client.matchCode === 'off') {
    warnings.push(
      saying("without the match code, a person who is shown somebody else's QR code is one tap from letting them in"),
    );
  }
  return warnings;
}

/** Live secrets that were seen in a query string (T55). */
function exposures(client: Client): Saying[] {
  return client.secrets
    .filter((secret) => secret.exposedAt && isLive(secret, new Date()))
    .map(({ exposedAt = '', expiresAt }) =>
      expiresAt
        ? saying(
            'the old secret was sent in a query string on {exposedAt} and is accepted until {expiresAt}: exposed; rotating once more ends it at once',
            { exposedAt, expiresAt },
          )
        : saying(
            'the secret was sent in a query string on {exposedAt}, where logs keep it: exposed, give the client a new one',
            { exposedAt },
          ),
    );
}
