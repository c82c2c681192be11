/** Authorization requests: begun without any cookie for the embed door, and read back frozen. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import inject, { type DispatchFunc } from 'light-my-request';
import { errors, type Provider } from 'oidc-provider';
import { SCOPES_OF } from '../client/client.js';
import { AppError } from '../error.js';
import { withOurErrors } from './outage.js';

/** One validated request; nothing a browser sends later changes it (T9). */
export interface AuthorizationRequest {
  readonly uid: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scope: string;
  readonly endsAt: Date;
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
  readOwn(req: IncomingMessage, res: ServerResponse, uid: string): Promise<AuthorizationRequest | undefined>;
}

export function createAuthorization(provider: Provider, handle: DispatchFunc): Authorization {
  const read = async (uid: string) => {
    const found = await provider.Interaction.find(uid);
    if (!found) return undefined;
    const { client_id, redirect_uri, state, scope } = found.params;
    return {
      uid,
      clientId: String(client_id),
      redirectUri: String(redirect_uri),
      state: typeof state === 'string' ? state : undefined,
      scope: knownScope(scope),
      endsAt: new Date(found.exp * 1000),
    };
  };
  return withOurErrors<Authorization>({
    read,
    async readOwn(req, res, uid) {
      const own = await provider.interactionDetails(req, res).catch((error: unknown) => {
        if (error instanceof errors.SessionNotFound) return undefined;
        throw error;
      });
      return own?.uid === uid ? read(uid) : undefined;
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
      if (request) return request;
      if (answer.statusCode >= 500) throw new AppError(answer.statusCode === 503 ? 'unavailable' : 'server_error');
      throw refusal(location, answer.body);
    },
  });
}

const KNOWN: ReadonlySet<string> = new Set([...SCOPES_OF.oauth, ...SCOPES_OF.wechat]);

/** What of the asked scopes exists here. The rest is left out (RFC 6749 3.3): on the phone, in the code, in the token. */
export function knownScope(asked: unknown): string {
  return typeof asked === 'string'
    ? asked
        .split(' ')
        .filter((scope) => KNOWN.has(scope))
        .join(' ')
    : '';
}

/** The engine tells an error in the redirect once client and URI are valid, in its own body before that. */
function refusal(location: unknown, body: string): AuthorizationRefused {
  const told =
    typeof location === 'string'
      ? Object.fromEntries(URL.parse(location)?.searchParams ?? [])
      : (JSON.parse(body) as Record<string, string>);
  return new AuthorizationRefused(told.error ?? 'invalid_request', told.error_description);
}
