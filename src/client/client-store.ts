/** The rows of clients. Nothing is cached: a change is seen by every node at the next request (T52). */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { AuthMethod, Client, ClientSecret, Dialect } from './client.js';

export interface ClientStore {
  /** False when the id is taken. */
  insert(client: Client): Promise<boolean>;
  find(id: string): Promise<Client | undefined>;
  list(): Promise<Client[]>;
  /** Where the client may be reached, and its secrets; for the demo's clients, made afresh at each start. */
  replaceSecretsAndAddresses(client: Client): Promise<void>;
}

const COLUMNS = `id, name, dialect, application_type, auth_method, secrets, redirect_uris, callback_domain, embed_origins,
  union_name, match_code, refresh_requires_secret, created_at, disabled_at`;
const INSERT: Statement = {
  name: 'client-insert',
  text: `INSERT INTO client (id, name, dialect, application_type, auth_method, secrets, redirect_uris, callback_domain,
           embed_origins, union_name, match_code, refresh_requires_secret)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING RETURNING 1 AS won`,
};
const FIND: Statement = { name: 'client-find', text: `SELECT ${COLUMNS} FROM client WHERE id = $1` };
const LIST: Statement = { name: 'client-list', text: `SELECT ${COLUMNS} FROM client ORDER BY created_at, id` };
const REPLACE: Statement = {
  name: 'client-replace-addresses',
  text: 'UPDATE client SET secrets = $2, redirect_uris = $3, embed_origins = $4, updated_at = now() WHERE id = $1',
};

export function createClientStore(database: Database): ClientStore {
  return {
    async insert(c) {
      const rows = await database.query(INSERT, [
        c.id,
        c.name,
        c.dialect,
        c.applicationType,
        c.authMethod,
        JSON.stringify(c.secrets),
        c.redirectUris,
        c.callbackDomain ?? null,
        c.embedOrigins,
        c.unionName ?? null,
        c.matchCode,
        c.refreshRequiresSecret,
      ]);
      return rows.length === 1;
    },
    async find(id) {
      // No text in the database holds a NUL; Postgres would refuse the question.
      if (id.includes('\0')) return undefined;
      const [row] = await database.query(FIND, [id]);
      return row && toClient(row);
    },
    list: async () => (await database.query(LIST)).map(toClient),
    async replaceSecretsAndAddresses(c) {
      await database.query(REPLACE, [c.id, JSON.stringify(c.secrets), c.redirectUris, c.embedOrigins]);
    },
  };
}

/** Of a row read here, or of the same row as JSON in a join. */
export function toClient(row: Row): Client {
  return {
    id: row.id as string,
    name: row.name as string,
    dialect: row.dialect as Dialect,
    applicationType: row.application_type as Client['applicationType'],
    authMethod: row.auth_method as AuthMethod,
    secrets: row.secrets as ClientSecret[],
    redirectUris: row.redirect_uris as string[],
    callbackDomain: (row.callback_domain as string | null) ?? undefined,
    embedOrigins: row.embed_origins as string[],
    unionName: (row.union_name as string | null) ?? undefined,
    matchCode: row.match_code as Client['matchCode'],
    refreshRequiresSecret: row.refresh_requires_secret as boolean,
    createdAt: new Date(row.created_at as Date | string),
    disabled: row.disabled_at !== null,
  };
}
