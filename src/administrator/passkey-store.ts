/** The rows of administrators' passkeys, and of the challenges that wait for one. The database's clock decides. */

import type { NewPasskey } from '../account/passkey.js';
import { CHALLENGE_SECONDS } from '../account/passkey-scope.js';
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';

export const MAX_PASSKEYS = 10;

export type ChallengePurpose = 'registration' | 'sign-in' | 'proof';

export interface Passkey extends NewPasskey {
  readonly administratorId: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
}

export interface PasskeyStore {
  /** `holder` is the session that may answer; none when somebody signs in. */
  saveChallenge(hash: string, purpose: ChallengePurpose, holder?: string): Promise<void>;
  /** Deletes the challenge. True for exactly one caller, in time, of that purpose and holder; others leave it be. */
  consume(hash: string, purpose: ChallengePurpose, holder?: string): Promise<boolean>;
  /**
   * Never more than MAX_PASSKEYS of an administrator; `known` when anybody has that credential, `gone` when the session
   * that asked for it has ended meanwhile, or has become worth nothing because another one added the first passkey:
   * nobody outlives either by a passkey (T23).
   */
  add(
    passkey: NewPasskey & { administratorId: string; sessionId: string; name: string },
  ): Promise<Passkey | 'known' | 'full' | 'gone'>;
  find(id: string): Promise<Passkey | undefined>;
  /** The oldest first. */
  listOf(administratorId: string): Promise<Passkey[]>;
  /**
   * Notes a use. False when the passkey is gone or its count has not grown: two of one count have one winner. Zero may
   * stay zero, for authenticators that do not count (WebAuthn 6.1.1).
   */
  use(id: string, proof: { signCount: number; backedUp: boolean }): Promise<boolean>;
  /**
   * `unknown` when that administrator has no such passkey, `last` when it is the last one and that is to stay. Their
   * sessions end with it, but for this one: whoever held it may have begun any of them (T23).
   */
  remove(
    administratorId: string,
    id: string,
    but: { keepLast: boolean; sessionId: string },
  ): Promise<'removed' | 'unknown' | 'last'>;
  /** Deletes challenges that are over; returns how many. */
  sweep(): Promise<number>;
}

const SAVE_CHALLENGE: Statement = {
  name: 'webauthn-challenge-save',
  text: `INSERT INTO webauthn_challenge (hash, purpose, holder, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => ${CHALLENGE_SECONDS}))`,
};
const CONSUME: Statement = {
  name: 'webauthn-challenge-consume',
  text: `DELETE FROM webauthn_challenge
         WHERE hash = $1 AND purpose = $2 AND holder IS NOT DISTINCT FROM $3 AND expires_at > now()
         RETURNING 1 AS won`,
};
const SWEEP: Statement = {
  name: 'webauthn-challenge-sweep',
  text: `DELETE FROM webauthn_challenge
         WHERE hash IN (SELECT hash FROM webauthn_challenge WHERE expires_at < now() LIMIT 1000)
         RETURNING 1 AS swept`,
};
// First, so that additions, removals and resets of one administrator wait for each other.
const LOCK: Statement = {
  name: 'administrator-passkey-lock',
  text: 'SELECT 1 AS found FROM administrator WHERE id = $1 FOR NO KEY UPDATE',
};
const SESSION_MAY: Statement = {
  name: 'administrator-passkey-session',
  text: `SELECT 1 AS may FROM administrator_session
         WHERE id = $1 AND administrator_id = $2 AND ended_at IS NULL
           AND (method = 'passkey' OR NOT EXISTS (SELECT FROM administrator_passkey k WHERE k.administrator_id = $2))`,
};
const COUNT: Statement = {
  name: 'administrator-passkey-count',
  text: 'SELECT count(*)::int AS count FROM administrator_passkey WHERE administrator_id = $1',
};
const COLUMNS = 'id, administrator_id, name, public_key, sign_count, transports, backed_up, created_at, last_used_at';
const INSERT: Statement = {
  name: 'administrator-passkey-insert',
  text: `INSERT INTO administrator_passkey (id, administrator_id, name, public_key, sign_count, transports, backed_up)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING ${COLUMNS}`,
};
const FIND: Statement = {
  name: 'administrator-passkey-find',
  text: `SELECT ${COLUMNS} FROM administrator_passkey WHERE id = $1`,
};
const LIST: Statement = {
  name: 'administrator-passkey-list',
  text: `SELECT ${COLUMNS} FROM administrator_passkey WHERE administrator_id = $1 ORDER BY created_at, id`,
};
const USE: Statement = {
  name: 'administrator-passkey-use',
  text: `UPDATE administrator_passkey SET sign_count = $2, backed_up = $3, last_used_at = now()
         WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0)) RETURNING 1 AS used`,
};
const REMOVE: Statement = {
  name: 'administrator-passkey-remove',
  text: 'DELETE FROM administrator_passkey WHERE administrator_id = $1 AND id = $2 RETURNING 1 AS removed',
};
const END_SESSIONS: Statement = {
  name: 'administrator-passkey-end-sessions',
  text: `UPDATE administrator_session SET ended_at = now()
         WHERE administrator_id = $1 AND id <> $2 AND ended_at IS NULL`,
};

export function createPasskeyStore(database: Database): PasskeyStore {
  return {
    async saveChallenge(hash, purpose, holder) {
      await database.query(SAVE_CHALLENGE, [hash, purpose, holder ?? null]);
    },
    consume: async (hash, purpose, holder) =>
      (await database.query(CONSUME, [hash, purpose, holder ?? null])).length === 1,
    add: (p) =>
      database.transaction(async (tx) => {
        await tx.query(LOCK, [p.administratorId]);
        if ((await tx.query(SESSION_MAY, [p.sessionId, p.administratorId])).length === 0) return 'gone';
        const [row] = await tx.query<{ count: number }>(COUNT, [p.administratorId]);
        if (!row || row.count >= MAX_PASSKEYS) return 'full';
        const [added] = await tx.query<Row>(INSERT, [
          p.id,
          p.administratorId,
          p.name,
          Buffer.from(p.publicKey),
          p.signCount,
          p.transports,
          p.backedUp,
        ]);
        return added ? toPasskey(added) : 'known';
      }),
    async find(id) {
      const [row] = await database.query<Row>(FIND, [id]);
      return row && toPasskey(row);
    },
    listOf: async (administratorId) => (await database.query<Row>(LIST, [administratorId])).map(toPasskey),
    use: async (id, { signCount, backedUp }) => (await database.query(USE, [id, signCount, backedUp])).length === 1,
    remove: (administratorId, id, { keepLast, sessionId }) =>
      database.transaction(async (tx) => {
        await tx.query(LOCK, [administratorId]);
        const held = (await tx.query<Row>(LIST, [administratorId])).map((row) => row.id);
        if (!held.includes(id)) return 'unknown';
        if (keepLast && held.length === 1) return 'last';
        await tx.query(REMOVE, [administratorId, id]);
        await tx.query(END_SESSIONS, [administratorId, sessionId]);
        return 'removed';
      }),
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}

function toPasskey(row: Row): Passkey {
  return {
    id: row.id as string,
    administratorId: row.administrator_id as string,
    name: row.name as string,
    publicKey: row.public_key as Buffer,
    // A bigint comes as text; a sign count has 32 bits.
    signCount: Number(row.sign_count),
    transports: row.transports as string[],
    backedUp: row.backed_up as boolean,
    createdAt: row.created_at as Date,
    lastUsedAt: (row.last_used_at as Date | null) ?? undefined,
  };
}
