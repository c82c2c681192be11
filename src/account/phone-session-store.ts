/** The rows of phone sessions. Idle and absolute limits are checked by the database's clock in every look-up. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { Account } from './account.js';
import { toAccount } from './account-store.js';
import { type PhoneSession, SESSION_DAYS } from './phone-session.js';

export interface PhoneSessionStore {
  /**
   * False when the account is disabled or its password hash is no longer the one that was verified: checking a password
   * takes a while, and a reset in between must not be outlived (T20).
   */
  insert(session: {
    id: string;
    secretHash: string;
    accountId: string;
    passwordHash: string;
    amr: string[];
    browser: { name: string; system: string };
    /** The password was typed on a site's sign-in page: no phone holds the secret. */
    direct?: boolean;
  }): Promise<boolean>;
  /**
   * The person has just proved again who they are: `auth_time` is now. Undefined when the session ended or the password
   * hash is no longer the one that was verified.
   */
  renewAuthTime(id: string, passwordHash: string): Promise<PhoneSession | undefined>;
  /** Whether the session has not been ended; how old it is decides at its next use. */
  lives(id: string): Promise<boolean>;
  /** The live session of an account that may sign in, with that account, or undefined. Notes that it was seen, at most hourly. */
  findLive(secretHash: string): Promise<{ session: PhoneSession; account: Account } | undefined>;
  end(id: string): Promise<void>;
  endAllOf(accountId: string): Promise<number>;
  /**
   * Deletes sessions that ended, or could last no longer, a month ago, and those made for one sign-in that nobody went on
   * with; returns how many.
   */
  sweep(): Promise<number>;
}

const INSERT: Statement = {
  name: 'phone-session-insert',
  text: `INSERT INTO phone_session (id, secret_hash, account_id, amr, browser, direct)
         SELECT $1, $2, a.id, $4::text[], $5::jsonb, $7 FROM account a JOIN password p ON p.account_id = a.id
         WHERE a.id = $3 AND a.disabled_at IS NULL AND p.hash = $6 FOR SHARE
         RETURNING 1 AS won`,
};
const RENEW_AUTH_TIME: Statement = {
  name: 'phone-session-renew-auth-time',
  text: `UPDATE phone_session s SET auth_time = now(), amr = ARRAY['pwd']
         FROM account a JOIN password p ON p.account_id = a.id
         WHERE s.id = $1 AND s.ended_at IS NULL AND a.id = s.account_id AND a.disabled_at IS NULL AND p.hash = $2
         RETURNING s.id, s.account_id, s.auth_time, s.amr`,
};
const LIVES: Statement = {
  name: 'phone-session-lives',
  text: 'SELECT 1 AS lives FROM phone_session WHERE id = $1 AND ended_at IS NULL',
};
const FIND_LIVE: Statement = {
  name: 'phone-session-find',
  text: `SELECT s.id, s.account_id, s.auth_time, s.amr, s.last_seen_at < now() - interval '1 hour' AS stale,
           to_jsonb(a) AS account
         FROM phone_session s JOIN account a ON a.id = s.account_id
         WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND a.disabled_at IS NULL
           AND s.last_seen_at > now() - make_interval(days => ${SESSION_DAYS.idle})
           AND s.created_at > now() - make_interval(days => ${SESSION_DAYS.absolute})`,
};
const TOUCH: Statement = {
  name: 'phone-session-touch',
  text: 'UPDATE phone_session SET last_seen_at = now() WHERE id = $1 AND ended_at IS NULL',
};
const END: Statement = {
  name: 'phone-session-end',
  text: 'UPDATE phone_session SET ended_at = now() WHERE id = $1 AND ended_at IS NULL',
};
const END_ALL: Statement = {
  name: 'phone-session-end-all',
  text: 'UPDATE phone_session SET ended_at = now() WHERE account_id = $1 AND ended_at IS NULL RETURNING 1 AS ended',
};

const SWEEP: Statement = {
  name: 'phone-session-sweep',
  text: `DELETE FROM phone_session WHERE id IN (
           SELECT id FROM phone_session s
           WHERE LEAST(ended_at, created_at + interval '30 days') < now() - interval '30 days'
              OR (direct AND created_at < now() - interval '1 hour'
                  AND NOT EXISTS (SELECT FROM browser_session b WHERE b.phone_session = s.id))
           LIMIT 1000) RETURNING 1 AS swept`,
};

export function createPhoneSessionStore(database: Database): PhoneSessionStore {
  return {
    async insert(s) {
      const browser = JSON.stringify(s.browser);
      const values = [s.id, s.secretHash, s.accountId, s.amr, browser, s.passwordHash, s.direct ?? false];
      return (await database.query(INSERT, values)).length === 1;
    },
    lives: async (id) => (await database.query(LIVES, [id])).length === 1,
    async findLive(secretHash) {
      const [row] = await database.query<Row>(FIND_LIVE, [secretHash]);
      if (!row) return undefined;
      if (row.stale) await database.query(TOUCH, [row.id]);
      return { session: toPhoneSession(row), account: toAccount(row.account as Row) };
    },
    async renewAuthTime(id, passwordHash) {
      const [row] = await database.query<Row>(RENEW_AUTH_TIME, [id, passwordHash]);
      return row && toPhoneSession(row);
    },
    async end(id) {
      await database.query(END, [id]);
    },
    endAllOf: async (accountId) => (await database.query(END_ALL, [accountId])).length,
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}

function toPhoneSession(row: Row): PhoneSession {
  return {
    id: row.id as string,
    accountId: row.account_id as string,
    authTime: row.auth_time as Date,
    amr: row.amr as string[],
  };
}
