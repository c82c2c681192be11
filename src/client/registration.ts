/** What a registration asks for, everything that is wrong with it, and what its administrator should know. */
import { type AuthMethod, type Client, type Dialect, SCOPES_OF } from './client.js';
import {
  callbackDomainProblem,
  clientNameProblem,
  embedOriginProblem,
  type RegistrationContext,
  redirectUriProblem,
} from './client-rules.js';
import { isLive } from './client-secret.js';

export interface NewClient {
  name: string;
  dialect?: Dialect;
  redirectUris: string[];
  embedOrigins?: string[];
  callbackDomain?: string;
  unionName?: string;
  applicationType?: 'web' | 'native';
  authMethod?: AuthMethod;
  matchCode?: 'type' | 'off';
  /** The scopes it may ask for, separated by spaces; all of its dialect unless given. */
  scope?: string;
  refreshRequiresSecret?: boolean;
  stateRequired?: boolean;
  openidRequired?: boolean;
  jsonAnswers?: boolean;
  styleSheets?: boolean;
  /** Only for the demo's own clients. */
  id?: string;
}

/** Settings that have a meaning in the WeChat dialect alone, and what to call each. */
const WECHAT_ONLY = {
  refreshRequiresSecret: 'a secret at refresh as a choice (the oauth dialect always requires authentication)',
  stateRequired: 'state as a requirement',
  openidRequired: 'openid as a requirement',
  jsonAnswers: 'JSON answers as a choice (the oauth dialect always answers in JSON)',
  styleSheets: 'a style sheet of the site',
} as const;

/** All of them at once; empty when the registration is good. */
export function registrationProblems(input: NewClient, demo: boolean): string[] {
  const dialect = input.dialect ?? 'oauth';
  const applicationType = input.applicationType ?? 'web';
  const context: RegistrationContext = { demo, applicationType, hashRoute: dialect === 'wechat' };
  const problems: Array<string | undefined> = [clientNameProblem(input.name.normalize('NFKC'))];
  if (input.redirectUris.length === 0 && !input.callbackDomain) problems.push('at least one redirect URI is needed');
  if (input.redirectUris.length > 50) problems.push('at most 50 redirect URIs');
  for (const uri of input.redirectUris) problems.push(redirectUriProblem(uri, context));
  for (const origin of input.embedOrigins ?? []) problems.push(embedOriginProblem(origin, context));
  if (input.callbackDomain !== undefined) {
    if (dialect !== 'wechat')
      problems.push('a callback domain exists in the wechat dialect only; register exact redirect URIs');
    problems.push(callbackDomainProblem(input.callbackDomain, context));
  }
  if (input.unionName !== undefined && !/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(input.unionName)) {
    problems.push('a union name has 1 to 64 letters, digits or . _ -');
  }
  if (dialect === 'wechat' && input.authMethod === 'none') problems.push('a wechat client always has a secret');
  problems.push(scopeProblem(dialect, input.scope));
  for (const [setting, what] of Object.entries(WECHAT_ONLY)) {
    if (dialect !== 'wechat' && input[setting as keyof typeof WECHAT_ONLY])
      problems.push(`${what} exists in the wechat dialect only`);
  }
  return problems.filter((problem) => problem !== undefined);
}

function scopeProblem(dialect: Dialect, scope: string | undefined): string | undefined {
  if (scope === undefined) return undefined;
  if (dialect === 'wechat') return 'the wechat dialect has one scope, snsapi_login, and no choice of it';
  const asked = scope.split(' ');
  const unknown = asked.find((one) => !SCOPES_OF.oauth.includes(one));
  if (unknown !== undefined)
    return `the scope "${unknown.slice(0, 60)}" does not exist; there are ${SCOPES_OF.oauth.join(', ')}`;
  return asked.includes('openid') ? undefined : 'the scopes must hold openid';
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
export function warningsOf(client: Client): string[] {
  const warnings = exposures(client);
  if (client.dialect === 'wechat') {
    warnings.push('the wechat dialect puts the secret and tokens in query strings: keep them out of your proxy logs');
    if (!client.stateRequired)
      warnings.push(
        'requests without state are accepted, as in WeChat: a site that sends none can be signed in to a stranger',
      );
    if (!client.refreshRequiresSecret)
      warnings.push(
        'tokens are refreshed without the secret, as in WeChat: a leaked refresh token is enough for 30 days',
      );
  }
  if (client.callbackDomain) {
    warnings.push(`a callback domain accepts any address on ${client.callbackDomain}: exact redirect URIs are safer`);
  }
  if (client.styleSheets) {
    warnings.push(
      "the site's own style sheet is loaded for our name and the status words; it reaches neither the QR code nor the site's name nor the number",
    );
  }
  if (client.matchCode === 'off') {
    warnings.push(
      "without the match code, a person who is shown somebody else's QR code is one tap from letting them in",
    );
  }
  return warnings;
}

/** Live secrets that were seen in a query string (T55). */
function exposures(client: Client): string[] {
  return client.secrets
    .filter((secret) => secret.exposedAt && isLive(secret, new Date()))
    .map(({ exposedAt, expiresAt }) =>
      expiresAt
        ? `the old secret was sent in a query string on ${exposedAt} and is accepted until ${expiresAt}: exposed; rotating once more ends it at once`
        : `the secret was sent in a query string on ${exposedAt}, where logs keep it: exposed, rotate it with "npm run admin -- clients rotate-secret ${client.id}"`,
    );
}
