/** A client as the command line shows it to people: its lines, and what should be known about it. */
import type { Client } from '../client/client.js';
import { isExposed, oldSecretEnds } from '../client/client-json.js';
import { ALL_SETTINGS } from '../client/client-settings.js';

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

export const SHOWN_ONCE = 'The secret is shown this once. Put it into the settings of the site now.';

export function notes(warnings: readonly string[]): string[] {
  return warnings.map((warning) => `Note: ${warning}.`);
}

export function status(client: Client): string {
  const words = [client.disabled ? 'disabled' : 'active'];
  if (isExposed(client)) words.push('secret exposed: rotate it');
  return words.join(', ');
}
