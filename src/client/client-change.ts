/** Changing a registered client: what may change, what the client is then, and which fields moved. */
import { type AuthMethod, type Client, unionOf } from './client.js';
import { embedOriginsOf, type NewClient } from './registration.js';

/** Absent stays as it is; null takes it away. */
export interface ClientChange {
  name?: string;
  redirectUris?: string[];
  /** None: the origins of the redirect URIs again. */
  embedOrigins?: string[];
  callbackDomain?: string | null;
  unionName?: string | null;
  authMethod?: AuthMethod;
  matchCode?: 'type' | 'off';
  scope?: string | null;
  refreshRequiresSecret?: boolean;
  stateRequired?: boolean;
  openidRequired?: boolean;
  jsonAnswers?: boolean;
  styleSheets?: boolean;
  /** Not a setting: says that every person may get another unionid. */
  newUnionids?: boolean;
}

/** The client as the change would have it; its secrets stay. */
export function applyChange(client: Client, { newUnionids, ...change }: ClientChange): Client {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const next: Client = {
    ...client,
    ...(Object.fromEntries(given.map(([field, value]) => [field, value ?? undefined])) as Partial<Client>),
  };
  return {
    ...next,
    name: next.name.normalize('NFKC'),
    redirectUris: [...new Set(next.redirectUris)],
    embedOrigins:
      followsAddresses(client) || change.embedOrigins ? invited(next, change.embedOrigins) : client.embedOrigins,
  };
}

/** Nobody chose the list: it is what the addresses imply, and goes where they go. */
function followsAddresses(client: Client): boolean {
  return [...client.embedOrigins].sort().join() === invited(client).sort().join();
}

function invited(client: Client, chosen: string[] = []): string[] {
  return embedOriginsOf({ ...toRegistration(client), embedOrigins: chosen });
}

/** The client as somebody would register it today. */
export function toRegistration(client: Client): NewClient {
  return { ...client, redirectUris: [...client.redirectUris], embedOrigins: [...client.embedOrigins] };
}

/** Names of columns, for the audit log. */
export function changedFields(before: Client, after: Client): string[] {
  return (Object.keys({ ...before, ...after }) as Array<keyof Client>)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => field.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`))
    .sort();
}

/** A unionid is promised to be stable for ever; a change that breaks this must say that it means to. */
export function unionidProblem(before: Client, after: Client, change: ClientChange): string | undefined {
  if (change.newUnionids || unionOf(before) === unionOf(after)) return undefined;
  return (
    'with another union every person gets another unionid at this client; a site that knows people by it loses them. ' +
    'If that is meant, say --new-unionids'
  );
}

/** Who may frame the QR page and who may not, where a chosen list and addresses that moved no longer go together (T28). */
export function framingNotes(client: Client): string[] {
  const implied = invited(client);
  const missing = implied.filter((origin) => !client.embedOrigins.includes(origin));
  const left = client.embedOrigins.filter((origin) => !implied.includes(origin));
  return [
    ...missing.map((origin) => `${origin} may not frame the QR page; name it with --embed-origin if it should`),
    ...left.map(
      (origin) =>
        `${origin} may frame the QR page though no address of the client is there; name all that should with --embed-origin`,
    ),
  ];
}
