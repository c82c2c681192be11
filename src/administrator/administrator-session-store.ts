/** The rows of administrators' sessions. Every limit is checked by the database's clock in every look-up. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import { ADMINISTRATOR_MINUTES, type AdministratorSession, type SignInMethod } from './administrator.js';

export interface NewAdministratorSession {
  id: string;
  secretHash: string;
  administratorId: string;
}

export interface AdministratorSessionStore {
  /**
   * Signed in by password. False when it is no longer the one that was verified, or the administrator has a passkey by
   * now: checking a password takes a while, and neither a reset nor a passkey may be outlived (T20, T65). A passkey of the
   * very same moment may leave a session, which is then worth nothing until it is shown (`hasPasskey`).
   */
  insertByPassword(session: NewAdministratorSession & { passwordHash: string }): Promise<boolean>;
  /** False when the passkey that was verified is gone by now. */
  insertByPasskey(session: NewAdministratorSession & { passkeyId: string }): Promise<boolean>;
  /** The live session with its administrator. Notes that it was seen, at most once a minute. */
  findLive(secretHash: string): Promise<AdministratorSession | undefined>;
  /**
   * Proved again by password: false as for insertByPassword, or when the session has ended. From then on another secret
   * opens it: who stole the one before has stolen no fresh proof (T19).
   */
  renewByPassword(id: string, passwordHash: string, secretHash: string): Promise<boolean>;
  /** The same by passkey, whatever began it: false when the session has ended or the passkey is gone. */
  renewByPasskey(id: string, passkeyId: string, secretHash: string): Promise<boolean>;
  end(id: string): Promise<void>;
  /** Deletes what ended, or could last no longer, a month ago; returns how many. */
  sweep(): Promise<number>;
}

const HAS_PASSKEY = 'EXISTS (SELECT FROM administrator_passkey k WHERE k.administrator_id = a.id)';
const LIVE = `s.ended_at IS NULL
  AND s.last_seen_at > now() - interval '${ADMINISTRATOR_MINUTES.idle} minutes'
  AND s.created_at > now() - interval '${ADMINISTRATOR_MINUTES.absolute} minutes'`;
const INSERT_BY_PASSWORD: Statement = {
  name: 'administrator-session-insert-password',
  text: `INSERT INTO administrator_session (id, secret_hash, administrator_id, method)
         SELECT $1, $2, a.id, 'password' FROM administrator a
         WHERE a.id = $3 AND a.password_hash = $4 AND NOT ${HAS_PASSKEY} FOR SHARE
         RETURNING 1 AS won`,
};
const INSERT_BY_PASSKEY: Statement = {
  name: 'administrator-session-insert-passkey',
  text: `INSERT INTO administrator_session (id, secret_hash, administrator_id, method)
         SELECT $1, $2, a.id, 'passkey'
         FROM administrator a JOIN administrator_passkey k ON k.administrator_id = a.id
         WHERE a.id = $3 AND k.id = $4 FOR SHARE
         RETURNING 1 AS won`,
};
const FIND_LIVE: Statement = {
  name: 'administrator-session-find',
  text: `SELECT s.id, s.method, extract(epoch FROM now() - s.auth_time)::float8 AS age,
           s.last_seen_at < now() - interval '1 minute' AS stale, ${HAS_PASSKEY} AS has_passkey,
           a.id AS administrator_id, a.username, a.created_at
         FROM administrator_session s JOIN administrator a ON a.id = s.administrator_id
         WHERE s.secret_hash = $1 AND ${LIVE}`,
};
const TOUCH: Statement = {
  name: 'administrator-session-touch',
  text: 'UPDATE administrator_session SET last_seen_at = now() WHERE id = $1 AND ended_at IS NULL',
};
const RENEW_BY_PASSWORD: Statement = {
  name: 'administrator-session-renew-password',
  text: `UPDATE administrator_session s SET auth_time = now(), last_seen_at = now(), method = 'password', secret_hash = $3
         FROM administrator a
         WHERE s.id = $1 AND ${LIVE} AND a.id = s.administrator_id AND a.password_hash = $2 AND NOT ${HAS_PASSKEY}
         RETURNING 1 AS won`,
};
const RENEW_BY_PASSKEY: Statement = {
  name: 'administrator-session-renew-passkey',
  text: `UPDATE administrator_session s SET auth_time = now(), last_seen_at = now(), method = 'passkey', secret_hash = $3
         FROM administrator_passkey k
         WHERE s.id = $1 AND ${LIVE} AND k.id = $2 AND k.administrator_id = s.administrator_id RETURNING 1 AS won`,
};
const END: Statement = {
  name: 'administrator-session-end',
  text: 'UPDATE administrator_session SET ended_at = now() WHERE id = $1 AND ended_at IS NULL',
};
const SWEEP: Statement = {
  name: 'administrator-session-sweep',
  text: `DELETE FROM administrator_session WHERE id IN (
           SELECT id FROM administrator_session
           WHERE LEAST(ended_at, created_at + interval '${ADMINISTRATOR_MINUTES.absolute} minutes') < now() - interval '30 days'
           LIMIT 1000) RETURNING 1 AS swept`,
};

export function createAdministratorSessionStore(database: Database): AdministratorSessionStore {
  const won = async (statement: Statement, values: unknown[]) => (await database.query(statement, values)).length === 1;
  return {
    insertByPassword: (s) => won(INSERT_BY_PASSWORD, [s.id, s.secretHash, s.administratorId, s.passwordHash]),
    insertByPasskey: (s) => won(INSERT_BY_PASSKEY, [s.id, s.secretHash, s.administratorId, s.passkeyId]),
    async findLive(secretHash) {
      const [row] = await database.query<Row>(FIND_LIVE, [secretHash]);
      if (!row) return undefined;
      if (row.stale) await database.query(TOUCH, [row.id]);
      return {
        id: row.id as string,
        method: row.method as SignInMethod,
        hasPasskey: row.has_passkey as boolean,
        age: row.age as number,
        administrator: {
          id: row.administrator_id as string,
          username: row.username as string,
          createdAt: row.created_at as Date,
        },
      };
    },
    renewByPassword: (id, passwordHash, secretHash) => won(RENEW_BY_PASSWORD, [id, passwordHash, secretHash]),
    renewByPasskey: (id, passkeyId, secretHash) => won(RENEW_BY_PASSKEY, [id, passkeyId, secretHash]),
    async end(id) {
      await database.query(END, [id]);
    },
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}
