/** Authorization requests: begun without any cookie for the embed door, and read back frozen. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import inject, { type DispatchFunc } from 'light-my-request';
import { errors, type Provider } from 'oidc-provider';
import { AppError } from '../error.js';
import { type Allowed, allowedBy, type ScopesOfResource } from './consent.js';
import { withOurErrors } from './outage.js';
import { ownRequests } from './own-requests.js';

type Interaction = InstanceType<Provider['Interaction']>;

/** One validated request; nothing a browser sends later changes it (T9). */
export interface AuthorizationRequest {
  readonly uid: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scope: string;
  /** Resource servers it asks for, with the scopes they have. */
  readonly resources: Allowed['resources'];
  /** How fresh the sign-in must be; undefined: any that lives. */
  readonly freshness: Freshness | undefined;
  /** `response_mode`, if the site named one. */
  readonly answerBy: string | undefined;
  /** A user name the site believes it knows (Core 3.1.2.1); a guess, never a decision. */
  readonly loginHint: string | undefined;
  /** Languages the site asks for, best first. */
  readonly uiLocales: string | undefined;
  readonly startedAt: Date;
  readonly endsAt: Date;
}

/** `prompt=login`: since the request began. `max_age`: seconds before the answer (Core 3.1.2.1). */
export type Freshness = { readonly since: Date } | { readonly maxAge: number };

/** A request of the standard door, in the browser that made it. */
export interface OwnRequest extends AuthorizationRequest {
  /** What the engine needs from the person, and why. */
  readonly prompt: 'login' | 'select_account' | 'consent';
  readonly reasons: readonly string[];
  /** Who is signed in on this browser, as far as the engine knows. */
  readonly accountId: string | undefined;
  readonly engineSession: string | undefined;
  /** The other requests that this browser began lately. */
  readonly others: readonly string[];
}

/** The engine refused the request. Shown to the site's developer, never sent to the redirect URI. */
export class AuthorizationRefused extends Error {
  constructor(
    readonly error: string,
    readonly description: string | undefined,
  ) {
    super(description ?? error);
    this.name = 'AuthorizationRefused';
  }
}

/** Only these travel on; whatever else a page sends is not part of the request. */
const PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
  'nonce',
  'prompt',
  'max_age',
  'acr_values',
  'resource',
  'code_challenge',
  'code_challenge_method',
  'request_uri',
] as const;
export type AuthorizationParameters = Partial<Record<(typeof PARAMETERS)[number], string>>;

export interface Authorization {
  /** Runs the engine's own authorization endpoint with no cookie. Throws AuthorizationRefused. */
  begin(parameters: AuthorizationParameters): Promise<AuthorizationRequest>;
  read(uid: string): Promise<AuthorizationRequest | undefined>;
  /** The request whose cookie this browser holds; undefined when it is another's or over. */
  readOwn(req: IncomingMessage, res: ServerResponse, uid: string): Promise<OwnRequest | undefined>;
}

export function createAuthorization(
  provider: Provider,
  handle: DispatchFunc,
  scopesOfResource: ScopesOfResource,
  secureCookies: boolean,
): Authorization {
  const toRequest = async ({ uid, params, iat, exp }: Interaction): Promise<AuthorizationRequest> => ({
    uid,
    clientId: String(params.client_id),
    redirectUri: String(params.redirect_uri),
    state: text(params.state),
    ...(await allowedBy(params, scopesOfResource)),
    freshness: freshnessOf(params, new Date((iat ?? exp) * 1000)),
    answerBy: text(params.response_mode),
    loginHint: text(params.login_hint),
    uiLocales: text(params.ui_locales),
    startedAt: new Date((iat ?? exp) * 1000),
    endsAt: new Date(exp * 1000),
  });
  const read = async (uid: string) => {
    const found = await provider.Interaction.find(uid);
    return found && toRequest(found);
  };
  return withOurErrors<Authorization>({
    read,
    async readOwn(req, res, uid) {
      const own = await provider.interactionDetails(req, res).catch((error: unknown) => {
        if (error instanceof errors.SessionNotFound) return undefined;
        throw error;
      });
      // Answered already: what the page could still ask would reach nobody.
      if (own?.uid !== uid || own.result) return undefined;
      const all = ownRequests(provider.createContext(req, res), secureCookies);
      if (!all.includes(uid)) return undefined;
      return {
        ...(await toRequest(own)),
        prompt: own.prompt.name as OwnRequest['prompt'],
        reasons: own.prompt.reasons,
        accountId: own.session?.accountId,
        engineSession: own.session?.uid,
        others: all.filter((one) => one !== uid),
      };
    },
    async begin(parameters) {
      const query: Record<string, string> = {};
      for (const name of PARAMETERS) if (parameters[name] !== undefined) query[name] = parameters[name];
      const answer = await inject(handle, {
        method: 'GET',
        url: '/oauth/authorize',
        query,
        headers: { accept: 'application/json' },
      });
      const location = answer.headers.location;
      const uid = typeof location === 'string' ? /^\/interaction\/([\w-]+)$/.exec(location)?.[1] : undefined;
      const request = uid === undefined ? undefined : await read(uid);
      if (request?.answerBy !== undefined && request.answerBy !== 'query') {
        throw new AuthorizationRefused('invalid_request', 'response_mode: the QR page answers by "query" only');
      }
      if (request) return request;
      if (answer.statusCode >= 500) throw new AppError(answer.statusCode === 503 ? 'unavailable' : 'server_error');
      throw refusal(location, answer.body);
    },
  });
}

/** The engine tells an error in the redirect once client and URI are valid, in its own body before that. */
function refusal(location: unknown, body: string): AuthorizationRefused {
  const told =
    typeof location === 'string'
      ? Object.fromEntries(URL.parse(location)?.searchParams ?? [])
      : (JSON.parse(body) as Record<string, string>);
  return new AuthorizationRefused(told.error ?? 'invalid_request', told.error_description);
}

/** The engine has made `max_age=0` a `prompt=login` by now (Core 3.1.2.1). */
export function freshnessOf(
  { prompt, max_age: maxAge }: Record<string, unknown>,
  startedAt: Date,
): Freshness | undefined {
  if (text(prompt)?.split(' ').includes('login')) return { since: startedAt };
  return maxAge === undefined ? undefined : { maxAge: Number(maxAge) };
}

const CLOCKS_APART_MS = 5000;

/** Whether somebody who proved who they are at `authTime` may answer this request without doing so again. */
export function isFreshEnough(freshness: Freshness | undefined, authTime: Date, now = new Date()): boolean {
  if (!freshness) return true;
  // Told in whole seconds, by the database; the request began by this node's clock.
  const oldest = 'since' in freshness ? freshness.since.getTime() : now.getTime() - freshness.maxAge * 1000;
  return authTime.getTime() >= oldest - CLOCKS_APART_MS;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
