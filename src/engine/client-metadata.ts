/** A relying party as the engine knows it (RFC 7591 client metadata). */
import type { ClientMetadata } from 'oidc-provider';
import { type Client, SCOPES_OF, unionOf } from '../client/client.js';

/** Our own metadata: the engine keeps only what is listed in its configuration. */
export const EXTRA_PROPERTIES = [
  'dialect',
  'secret_hashes',
  'registered_redirect_uris',
  'callback_domain',
  'union_key',
] as const;

export function toMetadata(client: Client): ClientMetadata {
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.applicationType,
    redirect_uris: engineRedirectUris(client),
    response_types: ['code'],
    response_modes: ['query'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: client.scope ?? SCOPES_OF[client.dialect].join(' '),
    subject_type: 'pairwise',
    // Names the sector by the client id; nothing is fetched. Needed as soon as redirect URIs have two hosts.
    sector_identifier_uri: `https://${client.id.toLowerCase()}.sector.invalid/`,
    token_endpoint_auth_method: client.authMethod,
    // The engine wants one for confidential clients; comparison is by hash and never looks at this.
    ...(client.authMethod === 'none' ? {} : { client_secret: 'held-as-a-hash' }),
    dialect: client.dialect,
    secret_hashes: client.secrets.map(({ hash, expiresAt }) => ({ hash, expiresAt })),
    registered_redirect_uris: [...client.redirectUris],
    callback_domain: client.callbackDomain,
    union_key: unionOf(client),
  };
}

/**
 * What the engine accepts as metadata; the check at run time is redirectUriAllowed on the registered ones. It takes no
 * fragment (hash routes of the WeChat dialect), and wants one URI of a client that only has a callback domain.
 */
function engineRedirectUris({ redirectUris, callbackDomain }: Client): string[] {
  if (redirectUris.length === 0) return [`https://${callbackDomain}/`];
  return [...new Set(redirectUris.map((uri) => uri.replace(/#.*$/, '')))];
}
