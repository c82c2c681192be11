/** The rows of administrators and of the one-time links that make the first one. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { Administrator } from './administrator.js';

export interface AdministratorStore {
  count(): Promise<number>;
  findByUsername(username: string): Promise<{ administrator: Administrator; passwordHash: string } | undefined>;
  /** Replaces every unused setup token. */
  saveSetupToken(tokenHash: string, seconds: number): Promise<void>;
  setupTokenState(tokenHash: string): Promise<'usable' | 'over' | 'unknown'>;
  /** Uses the token and makes the administrator in one transaction. True for exactly one caller, in time. */
  createWithToken(
    tokenHash: string,
    administrator: { id: string; username: string; passwordHash: string },
  ): Promise<boolean>;
  /** Makes the first administrator; false when there is one already. */
  createFirst(administrator: { id: string; username: string; passwordHash: string }): Promise<boolean>;
}

const COUNT: Statement = { name: 'administrator-count', text: 'SELECT count(*)::int AS count FROM administrator' };
const FIND: Statement = {
  name: 'administrator-find',
  text: 'SELECT id, username, created_at, password_hash FROM administrator WHERE username = $1',
};
const FORGET: Statement = { name: 'setup-token-forget', text: 'DELETE FROM setup_token WHERE used_at IS NULL' };
const SAVE: Statement = {
  name: 'setup-token-save',
  text: 'INSERT INTO setup_token (token_hash, expires_at) VALUES ($1, now() + make_interval(secs => $2))',
};
const STATE: Statement = {
  name: 'setup-token-state',
  text: 'SELECT used_at IS NULL AND expires_at > now() AS usable FROM setup_token WHERE token_hash = $1',
};
const USE: Statement = {
  name: 'setup-token-use',
  text: `UPDATE setup_token SET used_at = now()
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
           AND NOT EXISTS (SELECT 1 FROM administrator) RETURNING 1 AS won`,
};
const INSERT: Statement = {
  name: 'administrator-insert',
  text: 'INSERT INTO administrator (id, username, password_hash) VALUES ($1, $2, $3)',
};
const LOCK: Statement = { name: 'administrator-lock', text: 'LOCK TABLE administrator IN SHARE ROW EXCLUSIVE MODE' };

export function createAdministratorStore(database: Database): AdministratorStore {
  const count = async () => (await database.query<{ count: number }>(COUNT))[0]?.count ?? 0;
  return {
    count,
    async findByUsername(username) {
      const [row] = await database.query<Row>(FIND, [username]);
      return row && { administrator: toAdministrator(row), passwordHash: row.password_hash as string };
    },
    saveSetupToken: (tokenHash, seconds) =>
      database.transaction(async (tx) => {
        await tx.query(FORGET);
        await tx.query(SAVE, [tokenHash, seconds]);
      }),
    async setupTokenState(tokenHash) {
      const [row] = await database.query<{ usable: boolean }>(STATE, [tokenHash]);
      return row ? (row.usable ? 'usable' : 'over') : 'unknown';
    },
    createWithToken: (tokenHash, a) =>
      database.transaction(async (tx) => {
        await tx.query(LOCK);
        if ((await tx.query(USE, [tokenHash])).length === 0) return false;
        await tx.query(INSERT, [a.id, a.username, a.passwordHash]);
        return true;
      }),
    createFirst: (a) =>
      database.transaction(async (tx) => {
        await tx.query(LOCK);
        const [row] = await tx.query<{ count: number }>(COUNT);
        if (row && row.count > 0) return false;
        await tx.query(INSERT, [a.id, a.username, a.passwordHash]);
        return true;
      }),
  };
}

function toAdministrator(row: Row): Administrator {
  return { id: row.id as string, username: row.username as string, createdAt: row.created_at as Date };
}
