/** The rows of administrators and of the one-time links that make the first one. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { Administrator } from './administrator.js';

export interface NewAdministrator {
  id: string;
  username: string;
  passwordHash: string;
}

export interface AdministratorStore {
  count(): Promise<number>;
  /** The oldest first. */
  list(): Promise<Array<{ administrator: Administrator; passkeys: number }>>;
  findByUsername(
    username: string,
  ): Promise<{ administrator: Administrator; passwordHash: string; hasPasskey: boolean } | undefined>;
  /** Replaces every unused setup token. */
  saveSetupToken(tokenHash: string, seconds: number): Promise<void>;
  setupTokenState(tokenHash: string): Promise<'usable' | 'over' | 'unknown'>;
  /** Uses the token and makes the administrator in one transaction. True for exactly one caller, in time. */
  createWithToken(tokenHash: string, administrator: NewAdministrator): Promise<boolean>;
  /** Makes the first administrator; false when there is one already. */
  createFirst(administrator: NewAdministrator): Promise<boolean>;
  /** Undefined when the user name is taken. An unused setup token makes no administrator after this. */
  create(administrator: NewAdministrator): Promise<Administrator | undefined>;
  /**
   * A new password, and with it, in one transaction, no passkey and no session any more; tells how many passkeys there
   * were. A password that was verified before opens no session after it: the insert of one waits for this and looks again.
   */
  reset(
    username: string,
    passwordHash: string,
  ): Promise<{ administrator: Administrator; passkeys: number } | undefined>;
  /** Passkeys and sessions go with it. `last` leaves the last one in place, however many callers remove at once. */
  remove(username: string): Promise<Administrator | 'last' | 'unknown'>;
}

const COUNT: Statement = { name: 'administrator-count', text: 'SELECT count(*)::int AS count FROM administrator' };
const FIND: Statement = {
  name: 'administrator-find',
  text: `SELECT id, username, created_at, password_hash,
           EXISTS (SELECT FROM administrator_passkey k WHERE k.administrator_id = a.id) AS has_passkey
         FROM administrator a WHERE username = $1`,
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
const LIST: Statement = {
  name: 'administrator-list',
  text: `SELECT a.id, a.username, a.created_at,
           (SELECT count(*)::int FROM administrator_passkey k WHERE k.administrator_id = a.id) AS passkeys
         FROM administrator a ORDER BY a.created_at, a.id`,
};
const CREATE: Statement = {
  name: 'administrator-create',
  text: `INSERT INTO administrator (id, username, password_hash) VALUES ($1, $2, $3)
         ON CONFLICT (username) DO NOTHING RETURNING id, username, created_at`,
};
const RESET: Statement = {
  name: 'administrator-reset',
  text: 'UPDATE administrator SET password_hash = $2 WHERE username = $1 RETURNING id, username, created_at',
};
const RESET_PASSKEYS: Statement = {
  name: 'administrator-reset-passkeys',
  text: 'DELETE FROM administrator_passkey WHERE administrator_id = $1 RETURNING 1 AS deleted',
};
const RESET_SESSIONS: Statement = {
  name: 'administrator-reset-sessions',
  text: 'UPDATE administrator_session SET ended_at = now() WHERE administrator_id = $1 AND ended_at IS NULL',
};
const REMOVE: Statement = {
  name: 'administrator-remove',
  text: `DELETE FROM administrator WHERE username = $1 AND EXISTS (SELECT 1 FROM administrator o WHERE o.username <> $1)
         RETURNING id, username, created_at`,
};
const LOCK: Statement = { name: 'administrator-lock', text: 'LOCK TABLE administrator IN SHARE ROW EXCLUSIVE MODE' };

export function createAdministratorStore(database: Database): AdministratorStore {
  const count = async () => (await database.query<{ count: number }>(COUNT))[0]?.count ?? 0;
  return {
    count,
    list: async () =>
      (await database.query<Row>(LIST)).map((row) => ({
        administrator: toAdministrator(row),
        passkeys: row.passkeys as number,
      })),
    async findByUsername(username) {
      const [row] = await database.query<Row>(FIND, [username]);
      if (!row) return undefined;
      return {
        administrator: toAdministrator(row),
        passwordHash: row.password_hash as string,
        hasPasskey: row.has_passkey as boolean,
      };
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
    async create(a) {
      const [row] = await database.query<Row>(CREATE, [a.id, a.username, a.passwordHash]);
      return row && toAdministrator(row);
    },
    reset: (username, passwordHash) =>
      database.transaction(async (tx) => {
        const [row] = await tx.query<Row>(RESET, [username, passwordHash]);
        if (!row) return undefined;
        const passkeys = await tx.query(RESET_PASSKEYS, [row.id]);
        await tx.query(RESET_SESSIONS, [row.id]);
        return { administrator: toAdministrator(row), passkeys: passkeys.length };
      }),
    remove: (username) =>
      database.transaction(async (tx) => {
        // Two that remove each other would each still see the other one.
        await tx.query(LOCK);
        const [row] = await tx.query<Row>(REMOVE, [username]);
        if (row) return toAdministrator(row);
        return (await tx.query(FIND, [username])).length > 0 ? 'last' : 'unknown';
      }),
  };
}

function toAdministrator(row: Row): Administrator {
  return { id: row.id as string, username: row.username as string, createdAt: row.created_at as Date };
}
