/** Assembles oidc-provider: configuration, storage, secrets by hash, and the one door its requests come in by. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account } from '../account/account.js';
import { type Client, type Dialect, redirectUriAllowed, SCOPES_OF } from '../client/client.js';
import { AppError } from '../error.js';
import { type AdapterDeps, createAdapter, recordKey, TemporarilyUnavailable } from './adapter.js';
import {
  authenticateClients,
  compareByHash,
  isForClients,
  type SecretGuesses,
  withGuesses,
} from './client-authentication.js';
import { EXTRA_PROPERTIES, toMetadata } from './client-metadata.js';
import type { ServerKeys } from './server-keys.js';
import { CLAIMS, profileClaims, type Subjects } from './subjects.js';
import { countWrongVerifier, verifierMatches } from './wrong-verifiers.js';

export interface EngineDeps extends AdapterDeps {
  publicUrl: string;
  secureCookies: boolean;
  keys: ServerKeys;
  subjects: Subjects;
  /** The account, unless unknown or disabled. */
  activeAccount: (id: string) => Promise<Account | undefined>;
  /** Shows a person an error the engine met; the engine never redirects before client and redirect URI are valid. */
  errorPage: (ctx: KoaContextWithOIDC, error: { error: string; error_description?: string }) => void;
  onError: (error: unknown, req: IncomingMessage) => void;
}

/** Seconds. Section "Fixed numbers" of docs/security.md. */
export const TTL = {
  code: 60,
  accessToken: 900,
  wechatAccessToken: 7200,
  refreshToken: 14 * 86_400,
  wechatRefreshToken: 30 * 86_400,
  idToken: 300,
  request: 900,
  grant: 90 * 86_400,
} as const;

export function createEngine(deps: EngineDeps): Provider {
  const provider = new Provider(deps.publicUrl, configuration(deps));
  overrideRedirectUris(provider);
  compareByHash(provider);
  // Absolute URLs come from these two headers, which requestFor() sets from the configuration.
  provider.proxy = true;
  // Its errors are logged above, in our format, not printed.
  provider.silent = true;
  provider.use(aroundEngine(deps.secureCookies));
  provider.use(authenticateClients());
  provider.use(countWrongVerifiers(provider, deps));
  provider.on('server_error', (ctx, error) => deps.onError(error, ctx.req));
  provider.on('grant.error', (ctx, error) => {
    if (error instanceof TemporarilyUnavailable) deps.onError(error, ctx.req);
  });
  return provider;
}

/** Hands a request to the engine under the configured host: the Host and Forwarded headers decide nothing (T89). */
export function engineHandler(provider: Provider, publicUrl: string) {
  const callback = provider.callback();
  const { host, protocol } = new URL(publicUrl);
  return (req: IncomingMessage, res: ServerResponse, guesses?: SecretGuesses): Promise<void> => {
    withGuesses(req, guesses);
    delete req.headers['x-forwarded-host'];
    delete req.headers['x-forwarded-for'];
    req.headers.host = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    return callback(req, res);
  };
}

/** Throws `invalid_request` when the engine would not build this client. */
export async function validateClient(provider: Provider, client: Client): Promise<void> {
  const { Client: EngineClient } = provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
  await EngineClient.validate(toMetadata(client)).catch((error: { error_description?: string; message: string }) => {
    throw new AppError('invalid_request', { message: error.error_description ?? error.message, cause: error });
  });
}

function configuration(deps: EngineDeps): Configuration {
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure: deps.secureCookies } as const;
  const prefix = deps.secureCookies ? '__Host-' : '';
  return {
    adapter: (kind: string) => createAdapter(kind, deps),
    jwks: { keys: [...deps.keys.signing] } as Configuration['jwks'],
    cookies: {
      keys: [deps.keys.cookie],
      // The interaction and resume cookies carry a path, so they cannot take the __Host- prefix.
      names: { session: `${prefix}engine-session`, interaction: 'engine-interaction', resume: 'engine-resume' },
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    scopes: [...SCOPES_OF.oauth, ...SCOPES_OF.wechat],
    claims: CLAIMS,
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) => deps.subjects.openid(client.clientId, accountId),
    sectorIdentifierUriValidate: () => false,
    findAccount: (ctx, id) => findAccount(deps, ctx, id),
    responseTypes: ['code'],
    pkce: { required: (_ctx, client) => client.dialect !== 'wechat' },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    extraClientMetadata: { properties: [...EXTRA_PROPERTIES] },
    clientBasedCORS: () => false,
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: true,
    // No URL that a client names is ever fetched (T60).
    fetch: () => Promise.reject(new Error('outgoing requests are off')),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      userinfo: '/oauth/userinfo',
      jwks: '/oauth/jwks',
      pushed_authorization_request: '/oauth/par',
    },
    ttl: {
      AuthorizationCode: TTL.code,
      AccessToken: TTL.accessToken,
      RefreshToken: TTL.refreshToken,
      IdToken: TTL.idToken,
      Interaction: TTL.request,
      Grant: TTL.grant,
      PushedAuthorizationRequest: 60,
      Session: 14 * 86_400,
    },
    renderError(ctx, out) {
      // The embed door asks in JSON and draws the page itself; the authorization endpoint calls this for it too.
      if (ctx.accepts('html', 'json') === 'json' || isForClients(ctx)) ctx.body = out;
      else deps.errorPage(ctx, out);
    },
  };
}

async function findAccount(deps: EngineDeps, ctx: KoaContextWithOIDC, id: string) {
  const account = await deps.activeAccount(id);
  if (!account) return undefined;
  return {
    accountId: id,
    claims: async () => {
      const union = ctx.oidc.client?.union_key;
      return {
        sub: id,
        ...profileClaims(deps.publicUrl, account),
        ...(typeof union === 'string' ? { unionid: deps.subjects.unionid(union, id) } : {}),
      };
    },
  };
}

/** Redirect URIs are compared by our rules; a documented extension point of the engine's client. */
function overrideRedirectUris(provider: Provider): void {
  provider.Client.prototype.redirectUriAllowed = function (uri: string) {
    const rules = {
      dialect: this.dialect as Dialect,
      applicationType: this.applicationType ?? 'web',
      redirectUris: this.registered_redirect_uris as string[],
      callbackDomain: this.callback_domain as string | undefined,
    };
    return redirectUriAllowed(rules, uri);
  };
}

type Next = () => Promise<void>;

function aroundEngine(secureCookies: boolean) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    // Browsers treat http://localhost as secure; the cookie library would refuse the flag there.
    ctx.cookies.secure = secureCookies;
    await next();
    if (ctx.status === 503) ctx.set('Retry-After', '2');
    if (ctx.oidc?.route === 'discovery') trueMetadata(ctx.body as Record<string, unknown>);
  };
}

/** The engine lists what it could do; clients may do less: answers go by query, and WeChat's scope has its own door. */
function trueMetadata(document: Record<string, unknown>): void {
  document.response_modes_supported = ['query'];
  document.scopes_supported = [...SCOPES_OF.oauth];
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
