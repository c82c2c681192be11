/** A client as programs are shown it, by every door alike. No secret is among it, nor the hash of one. */
import type { Client } from './client.js';
import { isLive } from './client-secret.js';
import { ALL_SETTINGS } from './client-settings.js';

/** `secret`: shown this once; null where there is none; left out, it is not spoken of. */
export function clientToJson(client: Client, secret?: string | null) {
  return {
    client_id: client.id,
    ...(secret === undefined ? {} : { client_secret: secret }),
    name: client.name,
    dialect: client.dialect,
    application_type: client.applicationType,
    ...Object.fromEntries(ALL_SETTINGS.map(({ json, field }) => [json, client[field] ?? null])),
    disabled: client.disabled,
    secrets: liveSecrets(client).map(({ createdAt, expiresAt, exposedAt }) => ({
      created_at: createdAt,
      expires_at: expiresAt ?? null,
      exposed_at: exposedAt ?? null,
    })),
    created_at: client.createdAt.toISOString(),
    revision: client.revision,
  };
}

/** Its current secret was seen in a query string (T55); of an old one a note tells, for it ends by itself. */
export function isExposed(client: Client): boolean {
  return liveSecrets(client).some(({ expiresAt, exposedAt }) => expiresAt === undefined && exposedAt !== undefined);
}

/** When the secret before the current one ends; undefined when there is none. */
export function oldSecretEnds(client: Client): string | undefined {
  return liveSecrets(client).find(({ expiresAt }) => expiresAt !== undefined)?.expiresAt;
}

function liveSecrets(client: Client) {
  return client.secrets.filter((secret) => isLive(secret, new Date()));
}
