/** A relying party as the engine knows it (RFC 7591 client metadata). */
import type { ClientMetadata } from 'oidc-provider';
import { type Client, unionOf } from '../client/client.js';

/** Our own metadata: the engine keeps only what is listed in its configuration. */
export const EXTRA_PROPERTIES = ['dialect', 'secret_hashes', 'callback_domain', 'union_key'] as const;

export function toMetadata(client: Client): ClientMetadata {
  const wechat = client.dialect === 'wechat';
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.applicationType,
    // A client with only a callback domain still needs one URI here; the real check is redirectUriAllowed.
    redirect_uris: client.redirectUris.length > 0 ? [...client.redirectUris] : [`https://${client.callbackDomain}/`],
    response_types: ['code'],
    response_modes: ['query'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: wechat ? 'snsapi_login' : 'openid profile offline_access unionid',
    subject_type: 'pairwise',
    // Names the sector by the client id; nothing is fetched. Needed as soon as redirect URIs have two hosts.
    sector_identifier_uri: `https://${client.id.toLowerCase()}.sector.invalid/`,
    token_endpoint_auth_method: client.authMethod,
    // The engine wants one for confidential clients; comparison is by hash and never looks at this.
    ...(client.authMethod === 'none' ? {} : { client_secret: 'held-as-a-hash' }),
    dialect: client.dialect,
    secret_hashes: client.secrets.map(({ hash, expiresAt }) => ({ hash, expiresAt })),
    callback_domain: client.callbackDomain,
    union_key: unionOf(client),
  };
}
