/** A relying party as the engine knows it (RFC 7591 client metadata). */
import type { ClientMetadata } from 'oidc-provider';
import { type Client, type Dialect, hasSecret, SCOPES_OF, unionOf } from '../client/client.js';

/** Our own metadata: the engine keeps only what is listed in its configuration. */
export const EXTRA_PROPERTIES = [
  'dialect',
  'secret_hashes',
  'registered_redirect_uris',
  'callback_domain',
  'union_key',
  'device_flow',
  'pkce_optional',
  'resource_scopes',
] as const;

/** How a client of each dialect may be answered; no answer is a fragment. */
export const RESPONSE_MODES_OF: Readonly<Record<Dialect, readonly string[]>> = {
  oauth: ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'],
  wechat: ['query'],
};

export function toMetadata(client: Client): ClientMetadata {
  const redirectUris = engineRedirectUris(client);
  // Who signs in on another device comes back to no address.
  const deviceOnly = redirectUris.length === 0;
  const scopes = client.scope?.split(' ') ?? SCOPES_OF[client.dialect];
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.applicationType,
    redirect_uris: redirectUris,
    response_types: deviceOnly ? [] : ['code'],
    response_modes: [...RESPONSE_MODES_OF[client.dialect]] as ClientMetadata['response_modes'],
    // Never the device grant, which the engine gives pairwise clients with a key alone; `device_flow` says it.
    grant_types: deviceOnly ? ['refresh_token'] : ['authorization_code', 'refresh_token'],
    // The engine's own check knows our scopes only; those of resource servers may come and go.
    scope: scopes.filter((scope) => SCOPES_OF[client.dialect].includes(scope)).join(' '),
    resource_scopes: scopes.filter((scope) => !SCOPES_OF[client.dialect].includes(scope)),
    subject_type: 'pairwise',
    // Names the sector by the client id; nothing is fetched. Needed as soon as redirect URIs have two hosts.
    sector_identifier_uri: `https://${client.id.toLowerCase()}.sector.invalid/`,
    token_endpoint_auth_method: client.authMethod,
    // The engine wants one for clients with a secret; comparison is by hash and never looks at this.
    ...(hasSecret(client) ? { client_secret: 'held-as-a-hash' } : {}),
    ...standardMetadata(client),
    dialect: client.dialect,
    secret_hashes: client.secrets.map(({ hash, expiresAt }) => ({ hash, expiresAt })),
    registered_redirect_uris: [...client.redirectUris],
    callback_domain: client.callbackDomain,
    union_key: unionOf(client),
    device_flow: client.deviceFlow,
    pkce_optional: client.pkceOptional,
  };
}

/** Settings under the names the standards gave them; a wechat client has none of these. */
function standardMetadata(client: Client): Partial<ClientMetadata> {
  return {
    jwks: client.clientKeys as ClientMetadata['jwks'],
    require_pushed_authorization_requests: client.requirePar,
    require_signed_request_object: client.requireSignedRequest,
    dpop_bound_access_tokens: client.dpopRequired,
    tls_client_certificate_bound_access_tokens: client.certificateBound,
    default_max_age: client.defaultMaxAge,
    id_token_signed_response_alg: client.idTokenAlg,
    authorization_signed_response_alg: client.idTokenAlg,
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    ...(client.backchannelLogoutUri === undefined
      ? {}
      : { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }),
  };
}

/**
 * What the engine accepts as metadata; the check at run time is redirectUriAllowed on the registered ones. It takes no
 * fragment (hash routes of the WeChat dialect), and wants one URI of a client that only has a callback domain.
 */
function engineRedirectUris({ redirectUris, callbackDomain }: Client): string[] {
  if (redirectUris.length === 0) return callbackDomain === undefined ? [] : [`https://${callbackDomain}/`];
  return [...new Set(redirectUris.map((uri) => uri.replace(/#.*$/, '')))];
}
