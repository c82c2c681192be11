/** Changing a registered client: what may change, what the client is then, and which fields moved. */
import { isDeepStrictEqual } from 'node:util';
import { type Saying, saying } from '../saying.js';
import { type Client, unionOf } from './client.js';
import { ALL_SETTINGS, everySetting, type Field, type ValueOf, wholeSettings } from './client-settings.js';
import { embedOriginsOf, type NewClient } from './registration.js';

/** Absent stays as it is; null takes away what a client may do without. No embed origin: those of the redirect URIs. */
export type ClientChange = {
  [F in Field]?: ValueOf<F> | (undefined extends ValueOf<F> ? null : never);
} & {
  /** Not a setting: says that every person may get another unionid. */
  newUnionids?: boolean;
};

/** The registration that the change asks for, as it was written: what is wrong with it is still to be seen. */
export function changedRegistration(client: Client, { newUnionids, ...change }: ClientChange): NewClient {
  const given = ALL_SETTINGS.filter(({ field }) => change[field] !== undefined).map(({ field, fallback }) => {
    const value = change[field];
    // What has a default is never absent: null stays, and is refused.
    return [field, value === null && fallback === undefined ? undefined : value];
  });
  const next: NewClient = { ...toRegistration(client), ...Object.fromEntries(given) };
  return followsAddresses(client) || change.embedOrigins
    ? { ...next, embedOrigins: invited(next, change.embedOrigins) }
    : next;
}

/** The client with the settings of a good registration; everything else stays. */
export function applyRegistration(client: Client, next: NewClient): Client {
  return { ...client, ...wholeSettings(next) };
}

/** Nobody chose the list: it is what the addresses imply, and goes where they go. */
function followsAddresses(client: Client): boolean {
  return [...client.embedOrigins].sort().join() === invited(client).sort().join();
}

function invited(input: NewClient, chosen: readonly string[] = []): string[] {
  return embedOriginsOf({ ...input, embedOrigins: chosen });
}

/** The client as somebody would register it today. */
function toRegistration({ dialect, applicationType, ...client }: Client): NewClient {
  return { dialect, applicationType, ...everySetting(({ field }) => client[field]) };
}

/** Names of columns, for the audit log. */
export function changedFields(before: Client, after: Client): string[] {
  return ALL_SETTINGS.filter(({ field }) => !isDeepStrictEqual(before[field], after[field]))
    .map(({ column }) => column)
    .sort();
}

/** What the audit log is told of a change: the columns that moved, what they were, what they are (T67). */
export function auditedChange(before: Client, after: Client, changed: readonly string[]) {
  return { changed, before: settingsAs(before, changed), after: settingsAs(after, changed) };
}

/** What it is told of a whole client: all that somebody chose. */
export function auditedWhole(client: Client): Record<string, unknown> {
  const chosen = ALL_SETTINGS.filter(({ field, fallback }) => !isDeepStrictEqual(client[field], fallback));
  const columns = chosen.map(({ column }) => column);
  return { dialect: client.dialect, ...settingsAs(client, columns) };
}

function settingsAs(client: Client, columns: readonly string[]): Record<string, unknown> {
  const named = ALL_SETTINGS.filter(({ column }) => columns.includes(column));
  return Object.fromEntries(named.map(({ field, column }) => [column, client[field] ?? null]));
}

/** A unionid is promised to be stable for ever; a change that breaks this must say that it means to. */
export function unionidProblems(before: Client, { unionName }: NewClient, change: ClientChange): Saying[] {
  if (change.newUnionids || unionOf(before) === unionOf({ ...before, unionName })) return [];
  return [
    saying(
      'with another union every person gets another unionid at this client; a site that knows people by it loses them. If that is meant, say {setting:newUnionids}',
    ),
  ];
}

/** Who may frame the QR page and who may not, where a chosen list and addresses that moved no longer go together (T28). */
export function framingNotes(client: Client): Saying[] {
  const implied = invited(client);
  const missing = implied.filter((origin) => !client.embedOrigins.includes(origin));
  const left = client.embedOrigins.filter((origin) => !implied.includes(origin));
  return [
    ...missing.map((origin) =>
      saying('{origin} may not frame the QR page; name it with {setting:embedOrigins} if it should', { origin }),
    ),
    ...left.map((origin) =>
      saying(
        '{origin} may frame the QR page though no address of the client is there; name all that should with {setting:embedOrigins}',
        { origin },
      ),
    ),
  ];
}
