/** The engine's configuration: what is switched on, how long things live, and what the discovery document says of it. */
import type { IncomingMessage } from 'node:http';
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../account/account.js';
import { SCOPES_OF } from '../client/client.js';
import type { ServerKeys } from '../key/server-keys.js';
import type { Logger } from '../log.js';
import type { ResourceServer } from '../resource/resource-server.js';
import { type AdapterDeps, createAdapter } from './adapter.js';
import { CLIENT_ALGORITHMS, DPOP_ALGORITHMS, SIGNING_ALGORITHMS } from './algorithms.js';
import { checkClientAssertion, checkProof, checkRequestObject } from './assertions.js';
import { ACR, type BrowserSessions, signInPolicy, tellRemembered } from './browser-sign-in.js';
import { isForClients } from './client-authentication.js';
import { CERTIFICATES } from './client-certificate.js';
import { EXTRA_PROPERTIES, RESPONSE_MODES_OF } from './client-metadata.js';
import { rememberedConsent } from './consent.js';
import { originOf } from './device-origin.js';
import { TTL } from './lifetimes.js';
import { noteOwnRequest } from './own-requests.js';
import { accessTokenSeconds, introspectionAllowed, resourceIndicatorsFeature } from './resource-indicators.js';
import { CLAIMS, profileClaims, type Subjects } from './subjects.js';

export interface EngineDeps extends AdapterDeps {
  publicUrl: string;
  secureCookies: boolean;
  /** Whether a proxy hands certificates of clients on. */
  certificates: boolean;
  keys: ServerKeys;
  subjects: Subjects;
  browserSessions: BrowserSessions;
  /** The account, unless unknown or disabled. */
  activeAccount: (id: string) => Promise<Account | undefined>;
  /** The registered resource server, unless unknown or disabled. */
  findResource: (identifier: string) => Promise<ResourceServer | undefined>;
  /** Shows a person an error the engine met; the engine never redirects before client and redirect URI are valid. */
  errorPage: (ctx: KoaContextWithOIDC, error: { error: string; error_description?: string }) => void;
  logoutPages: LogoutPages;
  /** For back-channel logout alone; no other URL that a client names is ever fetched (T60). */
  fetch: NonNullable<Configuration['fetch']>;
  onError: (error: unknown, req: IncomingMessage) => void;
  /** Why a client was refused, for its operator: the answer says less (RFC 6749 5.2). Holds nothing that was sent. */
  onRefused: (
    refusal: { client: string | undefined; error: string; reason: string | undefined },
    req: IncomingMessage,
  ) => void;
  log: Pick<Logger, 'info' | 'warn'>;
}

export interface LogoutPages {
  /** Asks whether to sign out; `form` is the engine's, without buttons. */
  logoutSource(ctx: KoaContextWithOIDC, form: string): void | Promise<void>;
  postLogoutSuccessSource(ctx: KoaContextWithOIDC): void | Promise<void>;
}

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const SESSION_COOKIE = { signed: true, httpOnly: true, sameSite: 'lax', path: '/' } as const;

/** RFC 8628 6.1: consonants without look-alikes, and a length that nobody guesses at our limits. */
const USER_CODE = { charset: 'base-20', mask: '****-****' } as const;

export function configuration(deps: EngineDeps): Configuration {
  return {
    adapter: (kind: string) => createAdapter(kind, deps),
    jwks: { keys: [...deps.keys.signing] } as Configuration['jwks'],
    cookies: cookies(deps),
    scopes: [...SCOPES_OF.oauth, ...SCOPES_OF.wechat],
    claims: CLAIMS,
    acrValues: Object.values(ACR),
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) => deps.subjects.openid(client.clientId, accountId),
    sectorIdentifierUriValidate: () => false,
    findAccount: (ctx, id) => findAccount(deps, ctx, id),
    responseTypes: ['code'],
    pkce: { required: (ctx, client) => client.dialect !== 'wechat' && !isExempt(ctx.oidc.params ?? {}, client) },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    extraClientMetadata: { properties: [...EXTRA_PROPERTIES] },
    enabledJWA: {
      idTokenSigningAlgValues: [...SIGNING_ALGORITHMS],
      authorizationSigningAlgValues: [...SIGNING_ALGORITHMS],
      requestObjectSigningAlgValues: [...CLIENT_ALGORITHMS],
      clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
    },
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims) => checkClientAssertion(ctx, claims),
    // A public client that runs in a browser, at its own registered origins; nobody else calls from one (T59).
    clientBasedCORS: (_ctx, origin, client) =>
      client.clientAuthMethod === 'none' &&
      (client.registered_redirect_uris as string[]).some((uri) => URL.parse(uri)?.origin === origin),
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: (ctx) => !isBoundToClient(ctx.oidc.client),
    // What a remembered browser was given goes with it; one that is not remembered has nothing to go with.
    expiresWithSession: async (ctx, source) =>
      ctx.oidc.session?.transient !== true && !source.scopes.has('offline_access'),
    loadExistingGrant: async (ctx) => {
      tellRemembered(ctx);
      return rememberedConsent(deps.records)(ctx);
    },
    interactions: {
      url(ctx, { uid }) {
        noteOwnRequest(ctx, deps.secureCookies, uid);
        return `/interaction/${uid}`;
      },
      policy: signInPolicy(deps.browserSessions),
    },
    extraParams: { max_age: narrowMaxAge, scope: refuseNoScope },
    fetch: deps.fetch,
    features: features(deps),
    routes: ROUTES,
    ttl: {
      AuthorizationCode: TTL.code,
      AccessToken: accessTokenSeconds,
      RefreshToken: (_ctx, _token, client) => (isBoundToClient(client) ? TTL.grant : TTL.refreshToken),
      IdToken: TTL.idToken,
      Interaction: TTL.request,
      Grant: TTL.grant,
      PushedAuthorizationRequest: TTL.pushedRequest,
      DeviceCode: TTL.deviceCode,
      Session: (_ctx, session) => (session.transient || !session.accountId ? TTL.request : TTL.session),
    },
    renderError(ctx, out) {
      // The embed door asks in JSON and draws the page itself; the authorization endpoint calls this for it too.
      if (ctx.accepts('html', 'json') === 'json' || isForClients(ctx)) ctx.body = out;
      else deps.errorPage(ctx, out);
    },
  };
}

type EngineClient = KoaContextWithOIDC['oidc']['client'];

/** With nothing to allow the person would sign in, and the engine tell the site that they refused (RFC 6749 3.3). */
function refuseNoScope({ oidc }: KoaContextWithOIDC): void {
  if (oidc.requestParamOIDCScopes.size > 0 || Object.keys(oidc.resourceServers ?? {}).length > 0) return;
  throw new errors.InvalidScope(
    'ask for at least one scope that exists here, such as openid',
    String(oidc.params?.scope ?? ''),
  );
}

/** A client's own setting holds whatever a request says: a link could ask for less, and anybody can make a link (T20). */
function narrowMaxAge(ctx: KoaContextWithOIDC, asked: string | undefined, client: NonNullable<EngineClient>): void {
  const most = client.defaultMaxAge;
  if (most !== undefined && asked !== undefined && Number(asked) > most && ctx.oidc.params) {
    ctx.oidc.params.max_age = String(most);
  }
}

/**
 * Whose refresh tokens are of use to nobody else: it proves who it is, and that it holds a key. They stay the same then,
 * as long as the grant (RFC 9700 4.14.2, FAPI 2.0 5.3.2.1).
 */
function isBoundToClient(client: EngineClient): boolean {
  const bound = client?.dpopBoundAccessTokens || client?.tlsClientCertificateBoundAccessTokens;
  return bound === true && client?.clientAuthMethod !== 'none';
}

/** An exemption from PKCE that an administrator made for an old client: only with what protects the answer otherwise (T42). */
function isExempt({ state, nonce }: Record<string, unknown>, client: NonNullable<EngineClient>): boolean {
  return client.pkce_optional === true && (String(state ?? '').length >= 16 || typeof nonce === 'string');
}

const ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  jwks: '/oauth/jwks',
  pushed_authorization_request: '/oauth/par',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  device_authorization: '/oauth/device',
  // Ours: the phone's page, not the engine's (http/phone/device.ts).
  code_verification: '/device',
  end_session: '/oauth/logout',
} as const;

function features(deps: EngineDeps): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    dPoP: {
      enabled: true,
      nonceSecret: Buffer.from(deps.keys.dpop, 'base64url'),
      requireNonce: (ctx) => {
        checkProof(ctx as KoaContextWithOIDC);
        return true;
      },
    },
    requestObjects: {
      enabled: true,
      assertJwtClaimsAndHeader: async (ctx, claims, header) => checkRequestObject(ctx, claims, header),
    },
    jwtResponseModes: { enabled: true },
    introspection: { enabled: true, allowedPolicy: introspectionAllowed(deps.findResource, deps.activeAccount) },
    revocation: { enabled: true, allowedPolicy: revocationAllowed },
    rpInitiatedLogout: { enabled: true, ...deps.logoutPages },
    mTLS: CERTIFICATES,
    backchannelLogout: { enabled: true },
    resourceIndicators: resourceIndicatorsFeature(deps),
    deviceFlow: { enabled: true, ...USER_CODE, deviceInfo: (ctx) => ({ ...originOf(ctx.req) }) },
  };
}

/** Its owner alone; somebody else's is an error to a client that proved who it is, and nothing to any other (RFC 7009 2.1). */
async function revocationAllowed(
  _ctx: unknown,
  client: { clientId: string; clientAuthMethod?: string },
  token: object,
) {
  if ((token as { clientId?: string }).clientId === client.clientId) return true;
  if (client.clientAuthMethod === 'none') return false;
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
}

function cookies(deps: EngineDeps): Configuration['cookies'] {
  const { path: _, ...short } = { ...SESSION_COOKIE, secure: deps.secureCookies };
  const prefix = deps.secureCookies ? '__Host-' : '';
  return {
    keys: [...deps.keys.cookies],
    // The interaction and resume cookies carry a path, so they cannot take the __Host- prefix.
    names: { session: `${prefix}engine-session`, interaction: 'engine-interaction', resume: 'engine-resume' },
    long: { ...short, path: '/' },
    short,
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

/** The engine lists what it could do; clients may do less: WeChat's scope has its own door, and no answer is a fragment. */
export function trueMetadata(document: Record<string, unknown>, certificates: boolean): void {
  document.response_modes_supported = [...RESPONSE_MODES_OF.oauth];
  document.scopes_supported = [...SCOPES_OF.oauth];
  document.prompt_values_supported = ['none', 'login', 'consent', 'select_account'];
  document.ui_locales_supported = ['zh-CN', 'en'];
  // Nobody shows us certificates unless a proxy is set up to.
  if (!certificates) delete document.tls_client_certificate_bound_access_tokens;
}
