/** A client as the command line shows it: as JSON, as lines for people, and what should be known about it. */
import type { Client } from '../client/client.js';
import { isLive } from '../client/client-secret.js';
import { ALL_SETTINGS } from '../client/client-settings.js';

export function toJson(client: Client) {
  return {
    client_id: client.id,
    name: client.name,
    dialect: client.dialect,
    application_type: client.applicationType,
    ...Object.fromEntries(ALL_SETTINGS.map(({ json, field }) => [json, client[field] ?? null])),
    disabled: client.disabled,
    secrets: live(client).map(({ createdAt, expiresAt, exposedAt }) => ({
      created_at: createdAt,
      expires_at: expiresAt ?? null,
      exposed_at: exposedAt ?? null,
    })),
    created_at: client.createdAt.toISOString(),
  };
}

export function fields(client: Client, secret?: string): Line[] {
  const { dialect } = client;
  const oldEnd = oldSecretEnds(client);
  return [
    [dialect === 'wechat' ? 'App id' : 'Client id', client.id],
    [dialect === 'wechat' ? 'App secret' : 'Client secret', secret],
    ['Dialect', dialect],
    ['Type', client.applicationType],
    ...ALL_SETTINGS.map(({ label, field, shown }) => [label, shown(client[field], dialect)] as Line),
    ['Old secret', oldEnd && `accepted until ${oldEnd}`],
    ['Created', client.createdAt.toISOString()],
    ['Status', status(client)],
  ];
}

type Line = [string, string | readonly string[] | undefined];

export function notes(warnings: readonly string[]): string[] {
  return warnings.map((warning) => `Note: ${warning}.`);
}

export function status(client: Client): string {
  const words = [client.disabled ? 'disabled' : 'active'];
  if (isExposed(client)) words.push('secret exposed: rotate it');
  return words.join(', ');
}

/** Its current secret was seen in a query string (T55); of an old one a note tells, for it ends by itself. */
export function isExposed(client: Client): boolean {
  return live(client).some(({ expiresAt, exposedAt }) => expiresAt === undefined && exposedAt !== undefined);
}

/** When the secret before the current one ends; undefined when there is none. */
export function oldSecretEnds(client: Client): string | undefined {
  return live(client).find(({ expiresAt }) => expiresAt !== undefined)?.expiresAt;
}

function live(client: Client) {
  return client.secrets.filter((secret) => isLive(secret, new Date()));
}
