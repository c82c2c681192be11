/**
 * How a client proves itself at the engine's endpoints (T56): by the one method it is registered for, with an end to
 * guessing, and with one answer for every secret that is not the right one, of a client that exists or does not.
 */
import type { IncomingMessage } from 'node:http';
import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type ComparableSecret, secretMatches } from '../client/client-secret.js';
import { AppError } from '../error.js';

/** Failures of the caller of one request, by client; the door knows who calls, and counts for every dialect together. */
export interface SecretGuesses {
  /** Throws `too_many_requests` when no more may be tried. */
  check(clientId: string): Promise<void>;
  count(clientId: string): Promise<void>;
}

const guessesOf = new WeakMap<IncomingMessage, SecretGuesses>();

export function withGuesses(req: IncomingMessage, guesses: SecretGuesses | undefined): void {
  if (guesses) guessesOf.set(req, guesses);
}

/** The engine's endpoints at which clients authenticate. */
const ENDPOINTS: ReadonlySet<string> = new Set([
  'token',
  'pushed_authorization_request',
  'introspection',
  'revocation',
  'device_authorization',
]);
/** All clients that do not exist: made-up names must not fill the memory. */
const UNKNOWN = '';
/** What the engine reads of a body. */
const MAX_BODY = 56 * 1024;

/** `client_id` and secret of a Basic header (RFC 6749 2.3.1); undefined when it is none. */
export function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^basic ([\w+/=-]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  try {
    const decode = (part = '') => decodeURIComponent(part.replaceAll('+', ' '));
    return id === undefined ? undefined : { id: decode(id), secret: decode(secret) };
  } catch {
    return undefined;
  }
}

/** Secrets are compared by their hashes, a documented extension point of the engine's client. */
export function compareByHash(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = async function (secret: string) {
    const { ctx } = Provider;
    if (ctx) {
      // The engine takes a secret from the header or the body alike; a client has one method.
      const method = ctx.headers.authorization === undefined ? 'client_secret_post' : 'client_secret_basic';
      if (method !== this.clientAuthMethod) return false;
      // Past the limit even the right secret is not looked at, so that guessing tells nothing.
      if (await refusal(ctx, this.clientId)) return false;
    }
    // The WeChat app secret opens /sns only, never the engine's token endpoint (T93).
    return secretMatches(this.secret_hashes as ComparableSecret[], secret) && this.dialect !== 'wechat';
  };
}

/** Its answers are for programs, whatever they say they accept (RFC 6749 5.2). */
export function isForClients(ctx: KoaContextWithOIDC): boolean {
  return ENDPOINTS.has(ctx.oidc?.route ?? '');
}

/** Requests of clients that have no secret, and so of anybody: what was written for them is written for a stranger. */
const anonymous = new WeakSet<IncomingMessage>();

export function isAnonymous(req: IncomingMessage): boolean {
  return anonymous.has(req);
}

type Next = () => Promise<void>;

/** Around the engine: counts failures, and answers the ones that it does not take for failures as such. */
export function authenticateClients() {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next();
    if (!isForClients(ctx)) return;
    if (ctx.status < 300 && ctx.oidc.client?.clientAuthMethod === 'none') anonymous.add(ctx.req);
    if (ctx.status === 400 && holdsNoSecret(ctx)) answer(ctx, new errors.InvalidClientAuth('no usable secret'));
    if (ctx.status !== 401) return;
    const clientId = ctx.oidc.client?.clientId ?? UNKNOWN;
    const refused = await refusal(ctx, clientId);
    if (!refused) return guessesOf.get(ctx.req)?.count(clientId);
    ctx.remove('WWW-Authenticate');
    ctx.status = refused.status;
    ctx.set('Retry-After', String(refused.retryAfter));
    ctx.body = { error: refused.code, error_description: refused.message };
  };
}

/** An empty secret, one given twice or one that no body can hold: to the engine malformed, to a guesser all one. */
function holdsNoSecret({ oidc, headers, request }: KoaContextWithOIDC): boolean {
  const inBody = (oidc.body as Record<string, unknown> | undefined)?.client_secret;
  if (headers.authorization !== undefined) return !inBody && basicCredentials(headers.authorization)?.secret === '';
  return Array.isArray(inBody) || Number(request.length) > MAX_BODY;
}

/** As the engine answers a wrong secret. */
function answer(ctx: KoaContextWithOIDC, { status, error, error_description }: errors.OIDCProviderError): void {
  ctx.status = status;
  // Set again with the body, so that even the order of the headers is the same.
  ctx.remove('Content-Type');
  if (ctx.headers.authorization !== undefined) {
    const { issuer } = ctx.oidc.provider;
    const challenge = `Basic realm="${issuer}", error="${error}", error_description="${error_description}"`;
    ctx.set('WWW-Authenticate', challenge);
  }
  ctx.body = { error, error_description };
}

async function refusal(ctx: { req: IncomingMessage }, clientId: string): Promise<AppError | undefined> {
  try {
    await guessesOf.get(ctx.req)?.check(clientId);
  } catch (error) {
    if (error instanceof AppError && error.code === 'too_many_requests') return error;
    throw error;
  }
}
