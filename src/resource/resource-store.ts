/** The rows of resource servers. Nothing is cached: a change is seen by every node at the next request (T52). */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { ResourceScope, ResourceServer, TokenAlg, TokenFormat } from './resource-server.js';

export interface ResourceStore {
  /** False when the identifier is taken. */
  insert(server: ResourceServer): Promise<boolean>;
  find(identifier: string): Promise<ResourceServer | undefined>;
  list(): Promise<ResourceServer[]>;
  /** The name of every scope that an active one has. */
  scopeNames(): Promise<string[]>;
  /** Writes the settings of `next` over the revision that was read; false when it was changed since. */
  update(next: ResourceServer, revision: number): Promise<boolean>;
  /** False when it was so already. */
  setDisabled(identifier: string, disabled: boolean): Promise<boolean>;
}

const COLUMNS = `identifier, revision, name, scopes, token_format, signing_alg, token_seconds, introspected_by,
  created_at, disabled_at`;
const INSERT: Statement = {
  name: 'resource-insert',
  text: `INSERT INTO resource_server (identifier, name, scopes, token_format, signing_alg, token_seconds, introspected_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (identifier) DO NOTHING RETURNING 1 AS won`,
};
const FIND: Statement = {
  name: 'resource-find',
  text: `SELECT ${COLUMNS} FROM resource_server WHERE identifier = $1`,
};
const LIST: Statement = {
  name: 'resource-list',
  text: `SELECT ${COLUMNS} FROM resource_server ORDER BY created_at, identifier`,
};
const SCOPE_NAMES: Statement = {
  name: 'resource-scope-names',
  text: `SELECT DISTINCT one ->> 'name' AS name FROM resource_server, jsonb_array_elements(scopes) AS one
         WHERE disabled_at IS NULL ORDER BY name`,
};
const UPDATE: Statement = {
  name: 'resource-update',
  text: `UPDATE resource_server SET revision = revision + 1, name = $3, scopes = $4, token_format = $5,
           signing_alg = $6, token_seconds = $7, introspected_by = $8, updated_at = now()
         WHERE identifier = $1 AND revision = $2 RETURNING 1 AS won`,
};
const SET_DISABLED: Statement = {
  name: 'resource-set-disabled',
  text: `UPDATE resource_server SET revision = revision + 1, disabled_at = CASE WHEN $2 THEN now() END, updated_at = now()
         WHERE identifier = $1 AND (disabled_at IS NOT NULL) <> $2 RETURNING 1 AS won`,
};

export function createResourceStore(database: Database): ResourceStore {
  const won = async (statement: Statement, values: unknown[]) => (await database.query(statement, values)).length === 1;
  return {
    insert: (server) => won(INSERT, [server.identifier, ...changeable(server)]),
    async find(identifier) {
      // No text in the database holds a NUL; Postgres would refuse the question.
      if (identifier.includes('\0')) return undefined;
      const [row] = await database.query(FIND, [identifier]);
      return row && toResourceServer(row);
    },
    list: async () => (await database.query(LIST)).map(toResourceServer),
    scopeNames: async () => (await database.query(SCOPE_NAMES)).map(({ name }) => name as string),
    update: (next, revision) => won(UPDATE, [next.identifier, revision, ...changeable(next)]),
    setDisabled: (identifier, disabled) => won(SET_DISABLED, [identifier, disabled]),
  };
}

/** In the order in which both statements name them. */
function changeable(server: ResourceServer): unknown[] {
  return [
    server.name,
    JSON.stringify(server.scopes),
    server.tokenFormat,
    server.signingAlg,
    server.tokenSeconds,
    server.introspectedBy,
  ];
}

function toResourceServer(row: Row): ResourceServer {
  return {
    identifier: row.identifier as string,
    revision: row.revision as number,
    name: row.name as string,
    scopes: (row.scopes as ResourceScope[]).map(({ name, description }) => ({ name, description })),
    tokenFormat: row.token_format as TokenFormat,
    signingAlg: row.signing_alg as TokenAlg,
    tokenSeconds: row.token_seconds as number,
    introspectedBy: row.introspected_by as string[],
    createdAt: row.created_at as Date,
    disabled: row.disabled_at !== null,
  };
}
