/**
 * The rows of browser sessions: a browser somebody signed in on at the standard door, by the engine's session there. It
 * lives no longer than the phone session that vouched for it (product.md 9, "sign-on in the waiting browser").
 */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import { SESSION_DAYS } from './phone-session.js';

export interface BrowserSession {
  readonly phoneSessionId: string;
  /** The person chose that this browser answers by itself later on; else it is good for one request. */
  readonly remembered: boolean;
}

export interface BrowserSessionStore {
  /** False when the phone session has ended meanwhile: nothing is kept then. */
  tie(engineSession: string, session: BrowserSession): Promise<boolean>;
  /** Undefined once the phone session has ended, the account is disabled, or the browser is 30 days old. */
  find(engineSession: string): Promise<BrowserSession | undefined>;
  /** The engine's sessions that a phone session, or any of an account, vouched for; ended or not. */
  listOf(of: { phoneSessionId: string } | { accountId: string }): Promise<string[]>;
  /** The browser is signed out; a password that was typed there for this alone vouches for nothing any more. */
  untie(engineSession: string): Promise<void>;
}

const TIE: Statement = {
  name: 'browser-session-tie',
  text: `INSERT INTO browser_session (engine_session, phone_session, remembered)
         SELECT $1, id, $3 FROM phone_session WHERE id = $2 AND ended_at IS NULL
         ON CONFLICT (engine_session) DO UPDATE SET phone_session = excluded.phone_session,
           remembered = excluded.remembered, created_at = now()
         RETURNING 1 AS tied`,
};
const FIND: Statement = {
  name: 'browser-session-find',
  text: `SELECT b.phone_session, b.remembered
         FROM browser_session b JOIN phone_session s ON s.id = b.phone_session JOIN account a ON a.id = s.account_id
         WHERE b.engine_session = $1 AND s.ended_at IS NULL AND a.disabled_at IS NULL
           AND LEAST(b.created_at, s.created_at) > now() - make_interval(days => ${SESSION_DAYS.absolute})`,
};
const LIST_OF_PHONE: Statement = {
  name: 'browser-session-list-phone',
  text: 'SELECT engine_session FROM browser_session WHERE phone_session = $1',
};
const LIST_OF_ACCOUNT: Statement = {
  name: 'browser-session-list-account',
  text: `SELECT b.engine_session FROM browser_session b JOIN phone_session s ON s.id = b.phone_session
         WHERE s.account_id = $1`,
};
const UNTIE: Statement = {
  name: 'browser-session-untie',
  text: `WITH untied AS (DELETE FROM browser_session WHERE engine_session = $1 RETURNING phone_session)
         UPDATE phone_session SET ended_at = now()
         WHERE id IN (SELECT phone_session FROM untied) AND direct AND ended_at IS NULL`,
};

export function createBrowserSessionStore(database: Database): BrowserSessionStore {
  return {
    tie: async (engineSession, { phoneSessionId, remembered }) =>
      (await database.query(TIE, [engineSession, phoneSessionId, remembered])).length === 1,
    async find(engineSession) {
      const [row] = await database.query<Row>(FIND, [engineSession]);
      return row && { phoneSessionId: row.phone_session as string, remembered: row.remembered as boolean };
    },
    async listOf(of) {
      const rows =
        'accountId' in of
          ? await database.query<Row>(LIST_OF_ACCOUNT, [of.accountId])
          : await database.query<Row>(LIST_OF_PHONE, [of.phoneSessionId]);
      return rows.map((row) => row.engine_session as string);
    },
    async untie(engineSession) {
      await database.query(UNTIE, [engineSession]);
    },
  };
}
