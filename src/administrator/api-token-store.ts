/** The rows of the tokens that programs call the administration API with: hashes only, and never for ever. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { ApiToken } from './api-token.js';

export interface ApiTokenStore {
  insert(token: { id: string; secretHash: string; name: string; readOnly: boolean; days: number }): Promise<ApiToken>;
  /** The live token with this hash. Notes that it was used, at most once a minute. */
  findLive(secretHash: string): Promise<ApiToken | undefined>;
  /** Those that live, the newest first. */
  list(): Promise<ApiToken[]>;
  /** The token, for exactly one caller and only while it lives. */
  revoke(id: string): Promise<ApiToken | undefined>;
  /** Deletes what ended a month ago; returns how many. */
  sweep(): Promise<number>;
}

const COLUMNS = 'id, name, read_only, created_at, expires_at, last_used_at';
const LIVE = 'revoked_at IS NULL AND expires_at > now()';
const INSERT: Statement = {
  name: 'api-token-insert',
  text: `INSERT INTO api_token (id, secret_hash, name, read_only, expires_at)
         VALUES ($1, $2, $3, $4, now() + make_interval(days => $5)) RETURNING ${COLUMNS}`,
};
const FIND_LIVE: Statement = {
  name: 'api-token-find',
  text: `SELECT ${COLUMNS}, coalesce(last_used_at < now() - interval '1 minute', true) AS stale
         FROM api_token WHERE secret_hash = $1 AND ${LIVE}`,
};
const TOUCH: Statement = { name: 'api-token-touch', text: 'UPDATE api_token SET last_used_at = now() WHERE id = $1' };
const LIST: Statement = {
  name: 'api-token-list',
  text: `SELECT ${COLUMNS} FROM api_token WHERE ${LIVE} ORDER BY created_at DESC, id`,
};
const REVOKE: Statement = {
  name: 'api-token-revoke',
  text: `UPDATE api_token SET revoked_at = now() WHERE id = $1 AND ${LIVE} RETURNING ${COLUMNS}`,
};
const SWEEP: Statement = {
  name: 'api-token-sweep',
  text: `DELETE FROM api_token WHERE id IN (
           SELECT id FROM api_token WHERE LEAST(revoked_at, expires_at) < now() - interval '30 days' LIMIT 1000)
         RETURNING 1 AS swept`,
};

export function createApiTokenStore(database: Database): ApiTokenStore {
  return {
    async insert(t) {
      const [row] = await database.query<Row>(INSERT, [t.id, t.secretHash, t.name, t.readOnly, t.days]);
      return toApiToken(row as Row);
    },
    async findLive(secretHash) {
      const [row] = await database.query<Row>(FIND_LIVE, [secretHash]);
      if (!row) return undefined;
      if (row.stale) await database.query(TOUCH, [row.id]);
      return toApiToken(row);
    },
    list: async () => (await database.query<Row>(LIST)).map(toApiToken),
    async revoke(id) {
      const [row] = await database.query<Row>(REVOKE, [id]);
      return row && toApiToken(row);
    },
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}

function toApiToken(row: Row): ApiToken {
  return {
    id: row.id as string,
    name: row.name as string,
    readOnly: row.read_only as boolean,
    createdAt: row.created_at as Date,
    expiresAt: row.expires_at as Date,
    lastUsedAt: (row.last_used_at as Date | null) ?? undefined,
  };
}
