/** Assembles oidc-provider: configuration, storage, secrets by hash, and the one door its requests come in by. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Client, type Dialect, redirectUriAllowed } from '../client/client.js';
import { AppError } from '../error.js';
import { recordKey } from './adapter.js';
import { countOnce } from './assertions.js';
import { logLogoutTokens } from './backchannel.js';
import { keepBrowserSessions } from './browser-sign-in.js';
import {
  authenticateClients,
  compareByHash,
  isForClients,
  type SecretGuesses,
  withGuesses,
} from './client-authentication.js';
import { toMetadata } from './client-metadata.js';
import { configuration, DEVICE_GRANT, type EngineDeps, SESSION_COOKIE, trueMetadata } from './configuration.js';
import { slowDown } from './device-polling.js';
import { TemporarilyUnavailable, withEngineError, withEngineErrors } from './outage.js';
import { isOwnRequest } from './own-requests.js';
import { countWrongVerifier, verifierMatches } from './wrong-verifiers.js';

export function createEngine(given: EngineDeps): Provider {
  const deps = guarded(given);
  const provider = new Provider(deps.publicUrl, configuration(deps));
  trustLocalhost(provider, deps.secureCookies);
  overrideClientRules(provider);
  compareByHash(provider);
  countOnce(provider, deps.records);
  // Absolute URLs come from these two headers, which requestFor() sets from the configuration.
  provider.proxy = true;
  // Its errors are logged above, in our format, not printed.
  provider.silent = true;
  provider.use(aroundEngine(deps));
  provider.use(keepBrowserSessions(deps.browserSessions, forget(provider), (error, ctx) => noAnswer(deps, error, ctx)));
  provider.use(resumeOwn(deps.secureCookies));
  provider.use(authenticateClients());
  provider.use(slowDown());
  provider.use(countWrongVerifiers(provider, deps));
  provider.on('server_error', (ctx, error) => {
    // The engine copies a client's JWT before it looks at its signature, and the copy has no bottom (T78).
    if (error instanceof RangeError) tooDeep.add(ctx.req);
    else deps.onError(error, ctx.req);
  });
  for (const event of REFUSALS) {
    provider.on(event as 'grant.error', (ctx, { error, error_detail: reason }) =>
      deps.onRefused({ client: ctx.oidc?.client?.clientId, error, reason }, ctx.req),
    );
  }
  logLogoutTokens(provider, deps.log);
  provider.on('grant.error', (ctx, error) => {
    if (error instanceof TemporarilyUnavailable) deps.onError(error, ctx.req);
  });
  return provider;
}

/** A request is resumed by the browser that began it; the id stands in the address (T19). */
function resumeOwn(secureCookies: boolean) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    const uid = /^\/oauth\/authorize\/([\w-]+)$/.exec(ctx.path)?.[1];
    // Another browser's: to the engine it comes without any cookie, and is not found.
    if (uid !== undefined && !isOwnRequest(ctx, secureCookies, uid)) delete ctx.req.headers.cookie;
    await next();
  };
}

/** The engine's events for what clients are refused at its endpoints. */
const REFUSALS = [
  'grant.error',
  'introspection.error',
  'revocation.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
];

/** Whatever of ours the engine asks, an outage is its own 503. */
function guarded(deps: EngineDeps): EngineDeps {
  return {
    ...deps,
    records: withEngineErrors(deps.records),
    browserSessions: withEngineErrors(deps.browserSessions),
    findClient: withEngineError(deps.findClient),
    activeAccount: withEngineError(deps.activeAccount),
    findResource: withEngineError(deps.findResource),
  };
}

/** The answer was made, but not what must be kept or forgotten with it: the browser gets none. */
function noAnswer(deps: EngineDeps, error: unknown, ctx: KoaContextWithOIDC): void {
  deps.onError(error, ctx.req);
  ctx.remove('Location');
  ctx.remove('Set-Cookie');
  const busy = error instanceof TemporarilyUnavailable;
  ctx.status = busy ? 503 : 500;
  deps.errorPage(ctx, { error: busy ? 'temporarily_unavailable' : 'server_error' });
}

/** Hands a request to the engine under the configured host: the Host and Forwarded headers decide nothing (T89). */
export function engineHandler(engine: { provider(): Provider }, publicUrl: string) {
  const callbacks = new WeakMap<Provider, ReturnType<Provider['callback']>>();
  const callbackOf = (provider: Provider) => {
    const callback = callbacks.get(provider) ?? provider.callback();
    callbacks.set(provider, callback);
    return callback;
  };
  const { host, protocol } = new URL(publicUrl);
  return (req: IncomingMessage, res: ServerResponse, guesses?: SecretGuesses): Promise<void> => {
    withGuesses(req, guesses);
    delete req.headers['x-forwarded-host'];
    delete req.headers['x-forwarded-for'];
    req.headers.host = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    return callbackOf(engine.provider())(req, res);
  };
}

/** Throws `invalid_request` when the engine would not build this client. */
export async function validateClient(provider: Provider, client: Client): Promise<void> {
  const { Client: EngineClient } = provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
  await EngineClient.validate(toMetadata(client)).catch((error: { error_description?: string; message: string }) => {
    throw new AppError('invalid_request', { message: error.error_description ?? error.message, cause: error });
  });
}

/** Browsers treat http://localhost as secure; the cookie library would refuse the flag there. */
function trustLocalhost(provider: Provider, secureCookies: boolean): void {
  const create = provider.createContext.bind(provider);
  provider.createContext = (req, res) => {
    const ctx = create(req, res);
    ctx.cookies.secure = secureCookies;
    return ctx;
  };
}

/** The sign-in of this browser ends: the session and its cookie. */
function forget(provider: Provider) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { session } = ctx.oidc;
    if (!session) return;
    await session.destroy();
    ctx.cookies.set(provider.cookieName('session'), null, { ...SESSION_COOKIE, overwrite: true });
  };
}

/** Redirect URIs are compared by our rules; a documented extension point of the engine's client. */
function overrideClientRules(provider: Provider): void {
  provider.Client.prototype.redirectUriAllowed = function (uri: string) {
    const rules = {
      dialect: this.dialect as Dialect,
      applicationType: this.applicationType ?? 'web',
      redirectUris: this.registered_redirect_uris as string[],
      callbackDomain: this.callback_domain as string | undefined,
    };
    return redirectUriAllowed(rules, uri);
  };
  // Exactly, and the port of an app on loopback is free (RFC 8252 7.3), as for the way there.
  provider.Client.prototype.postLogoutRedirectUriAllowed = function (uri: string) {
    const redirectUris = this.postLogoutRedirectUris ?? [];
    return redirectUriAllowed({ dialect: 'oauth', applicationType: this.applicationType ?? 'web', redirectUris }, uri);
  };
  // The engine registers this grant type for pairwise clients only if they have a key; ours are named by their id.
  const allowed = provider.Client.prototype.grantTypeAllowed;
  provider.Client.prototype.grantTypeAllowed = function (type: string) {
    return type === DEVICE_GRANT ? this.device_flow === true : allowed.call(this, type);
  };
}

/** Requests that the engine could not follow to the end. */
const tooDeep = new WeakSet<IncomingMessage>();

type Next = () => Promise<void>;

/** Pages of the engine that send a form by themselves; it adds the hash of its script to a `script-src` it finds. */
const FORM_POLICY = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'";

function aroundEngine({ certificates }: Pick<EngineDeps, 'certificates'>) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    const policy = ctx.response.get('Content-Security-Policy') || "default-src 'none'";
    ctx.set('Content-Security-Policy', FORM_POLICY);
    await next();
    if (ctx.response.get('Content-Security-Policy') === FORM_POLICY) ctx.set('Content-Security-Policy', policy);
    if (tooDeep.has(ctx.req) && isForClients(ctx)) {
      ctx.status = 400;
      ctx.body = { error: 'invalid_request', error_description: 'the request is nested too deeply' };
    }
    if (ctx.status === 503) ctx.set('Retry-After', '2');
    if (ctx.oidc?.route === 'discovery') trueMetadata(ctx.body as Record<string, unknown>, certificates);
  };
}

function countWrongVerifiers(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next();
    const { oidc } = ctx;
    if (oidc?.route !== 'token' || ctx.status !== 400) return;
    const { code, code_verifier: verifier } = oidc.params ?? {};
    if (typeof code !== 'string' || typeof verifier !== 'string' || !oidc.client) return;
    const key = recordKey('AuthorizationCode', code);
    const record = await deps.records.find('AuthorizationCode', key);
    if (!record || record.consumedAt !== undefined || record.payload.clientId !== oidc.client.clientId) return;
    // Refused for something else: the verifier proves that nobody is guessing.
    if (verifierMatches(record.payload.codeChallenge as string | undefined, verifier)) return;
    await countWrongVerifier(provider, code, record.payload.grantId);
  };
}
