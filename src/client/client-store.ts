/** The rows of clients. Nothing is cached: a change is seen by every node at the next request (T52). */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { Client, Dialect } from './client.js';
import type { ClientSecret } from './client-secret.js';
import { ALL_SETTINGS, everySetting, type Field } from './client-settings.js';

export interface ClientStore {
  /** False when the id is taken. */
  insert(client: Client): Promise<boolean>;
  find(id: string): Promise<Client | undefined>;
  list(): Promise<Client[]>;
  /** Where the client may be reached, and its secrets; for the demo's clients, made afresh at each start. */
  replaceSecretsAndAddresses(client: Client): Promise<void>;
  /** Writes the settings and secrets of `next` over the revision that was read; false when it was changed since. */
  update(next: Client, revision: number): Promise<boolean>;
  /** False when it was so already. */
  setDisabled(id: string, disabled: boolean): Promise<boolean>;
  /** True for exactly one caller, and only of a disabled one. */
  deleteDisabled(id: string): Promise<boolean>;
  /** The same of the secrets alone. */
  replaceSecrets(id: string, next: readonly ClientSecret[], revision: number): Promise<boolean>;
  /** True for the one who marks this secret first. */
  markSecretExposed(id: string, hash: string, at: string): Promise<boolean>;
  /** Whether an active public client has a redirect URI there. */
  publicOrigin(origin: string): Promise<boolean>;
  /** Whether an active client has registered it to frame its QR page. */
  embedOrigin(origin: string): Promise<boolean>;
}

/** What statements name; every other setting lives in `settings`, under the name a column would have. */
const OWN_COLUMN: ReadonlySet<Field> = new Set<Field>([
  'name',
  'authMethod',
  'redirectUris',
  'callbackDomain',
  'embedOrigins',
  'unionName',
]);
const COLUMNS = `id, revision, name, dialect, application_type, auth_method, secrets, redirect_uris, callback_domain,
  embed_origins, union_name, settings, created_at, disabled_at`;
const INSERT: Statement = {
  name: 'client-insert',
  text: `INSERT INTO client (id, dialect, application_type, name, auth_method, secrets, redirect_uris, callback_domain,
           embed_origins, union_name, settings)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO NOTHING RETURNING 1 AS won`,
};
const FIND: Statement = { name: 'client-find', text: `SELECT ${COLUMNS} FROM client WHERE id = $1` };
const LIST: Statement = { name: 'client-list', text: `SELECT ${COLUMNS} FROM client ORDER BY created_at, id` };
const REPLACE: Statement = {
  name: 'client-replace-addresses',
  text: `UPDATE client SET revision = revision + 1, secrets = $2, redirect_uris = $3, embed_origins = $4,
           updated_at = now() WHERE id = $1`,
};
/** Settings are laid over those there are: a node that knows fewer leaves the others alone. */
const UPDATE: Statement = {
  name: 'client-update',
  text: `UPDATE client SET revision = revision + 1, name = $3, auth_method = $4, secrets = $5, redirect_uris = $6,
           callback_domain = $7, embed_origins = $8, union_name = $9, settings = settings || $10, updated_at = now()
         WHERE id = $1 AND revision = $2 RETURNING 1 AS won`,
};
const SET_DISABLED: Statement = {
  name: 'client-set-disabled',
  text: `UPDATE client SET revision = revision + 1, disabled_at = CASE WHEN $2 THEN now() END, updated_at = now()
         WHERE id = $1 AND (disabled_at IS NOT NULL) <> $2 RETURNING 1 AS won`,
};
const DELETE_DISABLED: Statement = {
  name: 'client-delete-disabled',
  text: 'DELETE FROM client WHERE id = $1 AND disabled_at IS NOT NULL RETURNING 1 AS won',
};
const REPLACE_SECRETS: Statement = {
  name: 'client-replace-secrets',
  text: `UPDATE client SET revision = revision + 1, secrets = $3, updated_at = now()
         WHERE id = $1 AND revision = $2 RETURNING 1 AS won`,
};
const MARK_EXPOSED: Statement = {
  name: 'client-mark-exposed',
  text: `UPDATE client SET revision = revision + 1, updated_at = now(), secrets = (
           SELECT jsonb_agg(CASE WHEN one ->> 'hash' = $2 THEN one || jsonb_build_object('exposedAt', $3::text) ELSE one END
                            ORDER BY place)
           FROM jsonb_array_elements(secrets) WITH ORDINALITY AS each (one, place))
         WHERE id = $1 AND EXISTS (
           SELECT FROM jsonb_array_elements(secrets) AS one
           WHERE one ->> 'hash' = $2 AND one -> 'exposedAt' IS NULL)
         RETURNING 1 AS won`,
};
const PUBLIC_ORIGIN: Statement = {
  name: 'client-public-origin',
  text: `SELECT 1 AS found WHERE EXISTS (
           SELECT FROM client, unnest(redirect_uris) AS uri
           WHERE auth_method = 'none' AND dialect = 'oauth' AND disabled_at IS NULL
             AND (uri = $1 OR starts_with(uri, $1 || '/') OR starts_with(uri, $1 || '?')))`,
};
const EMBED_ORIGIN: Statement = {
  name: 'client-embed-origin',
  text: 'SELECT 1 AS found WHERE EXISTS (SELECT FROM client WHERE embed_origins @> ARRAY[$1] AND disabled_at IS NULL)',
};

export function createClientStore(database: Database): ClientStore {
  const won = async (statement: Statement, values: unknown[]) => (await database.query(statement, values)).length === 1;
  return {
    insert: (c) => won(INSERT, [c.id, c.dialect, c.applicationType, ...changeable(c)]),
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
    update: (c, revision) => won(UPDATE, [c.id, revision, ...changeable(c)]),
    deleteDisabled: (id) => won(DELETE_DISABLED, [id]),
    setDisabled: (id, disabled) => won(SET_DISABLED, [id, disabled]),
    replaceSecrets: (id, next, revision) => won(REPLACE_SECRETS, [id, revision, JSON.stringify(next)]),
    markSecretExposed: (id, hash, at) => won(MARK_EXPOSED, [id, hash, at]),
    publicOrigin: (origin) => won(PUBLIC_ORIGIN, [origin]),
    embedOrigin: (origin) => won(EMBED_ORIGIN, [origin]),
  };
}

/** In the order in which both statements name them. */
function changeable(c: Client): unknown[] {
  const settings = ALL_SETTINGS.filter(({ field }) => !OWN_COLUMN.has(field));
  return [
    c.name,
    c.authMethod,
    JSON.stringify(c.secrets),
    c.redirectUris,
    c.callbackDomain ?? null,
    c.embedOrigins,
    c.unionName ?? null,
    JSON.stringify(Object.fromEntries(settings.map(({ field, column }) => [column, c[field] ?? null]))),
  ];
}

/** Of a row read here, or of the same row as JSON in a join. A setting the row does not have is as nobody chose it. */
export function toClient(row: Row): Client {
  const stored = row.settings as Record<string, unknown>;
  const settings = everySetting(({ field, column, holds }) => {
    const value = OWN_COLUMN.has(field) ? row[column] : stored[column];
    // Guessing what was meant could be the laxer guess.
    if (value !== undefined && value !== null && !holds(value))
      throw new Error(`the setting ${column} of client ${row.id} cannot be read`);
    return value;
  });
  // Not spread: every request comes through here, and copying them one by one takes longer than all the rest.
  return Object.assign(settings, {
    id: row.id as string,
    revision: row.revision as number,
    dialect: row.dialect as Dialect,
    applicationType: row.application_type as Client['applicationType'],
    secrets: row.secrets as ClientSecret[],
    createdAt: new Date(row.created_at as Date | string),
    disabled: row.disabled_at !== null,
  });
}
