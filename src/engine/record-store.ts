/** The rows of the engine's state. Once-only consumption is one conditional UPDATE. */
import type { Account } from '../account/account.js';
import { toAccount } from '../account/account-store.js';
import type { Client } from '../client/client.js';
import { toClient } from '../client/client-store.js';
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';

export interface NewRecord {
  readonly kind: string;
  readonly key: string;
  readonly payload: Record<string, unknown>;
  readonly grantId?: string;
  readonly uid?: string;
  readonly userCode?: string;
  readonly seconds: number;
}

export interface StoredRecord {
  readonly payload: Record<string, unknown>;
  /** Seconds since the epoch; undefined while not consumed. */
  readonly consumedAt?: number;
  /** Consumed in the last ten seconds, by the database's clock. */
  readonly justConsumed?: boolean;
  /** By the database's clock. */
  readonly expired: boolean;
}

export interface RecordFamily {
  readonly record: StoredRecord;
  readonly grant: StoredRecord | undefined;
  readonly client: Client | undefined;
  readonly account: Account | undefined;
}

export interface RecordStore {
  put(record: NewRecord): Promise<void>;
  /** As put, where no record of that key is in force. True for exactly one caller. */
  putOnce(record: Pick<NewRecord, 'kind' | 'key' | 'seconds'>): Promise<boolean>;
  /** Gives a request its answer, if it has none and is not over. True for exactly one caller. */
  answer(kind: string, key: string, answer: Record<string, unknown>): Promise<boolean>;
  /** Gives a device code what a person decided, if nobody has and it is not over. True for exactly one caller. */
  decide(kind: string, key: string, decision: Record<string, unknown>, grantId?: string): Promise<boolean>;
  find(kind: string, key: string): Promise<StoredRecord | undefined>;
  /**
   * The record with the grant and account it names, in one statement; an access token with its client too. Whoever
   * brings a code or a refresh token has been read as a client before.
   */
  findWithFamily(kind: string, key: string): Promise<RecordFamily | undefined>;
  findByUid(kind: string, uid: string): Promise<(StoredRecord & { key: string }) | undefined>;
  findByUserCode(kind: string, userCode: string): Promise<(StoredRecord & { key: string }) | undefined>;
  /** True for exactly one caller. */
  consume(kind: string, key: string): Promise<boolean>;
  /** Notes a failed proof for this record; returns how many there have been. */
  countFailure(kind: string, key: string): Promise<number>;
  remove(kind: string, key: string): Promise<void>;
  removeByUid(kind: string, uid: string): Promise<void>;
  /** Removes a record that is still in force. True for exactly one caller. */
  claim(kind: string, key: string): Promise<boolean>;
  /** Ends a grant: the grant and everything issued under it, but for used codes, whose replay must stay visible. */
  removeByGrant(grantId: string): Promise<void>;
  /** The payloads of the latest living grants of an account at one client: enough to know what was allowed. */
  grantsOf(accountId: string, clientId: string): Promise<Array<Record<string, unknown>>>;
  /** Ends every grant of an account; what was issued under them is worth nothing without. */
  removeGrantsOf(accountId: string): Promise<void>;
  /** Deletes what expired an hour ago (codes: a day ago); returns how many. */
  sweep(): Promise<number>;
}

const FOUND = `payload, extract(epoch FROM consumed_at)::int AS consumed, expires_at <= clock_timestamp() AS expired`;
/** A client's own requests that crossed each other are this far apart at most (T47). */
const JUST = `r.consumed_at > clock_timestamp() - interval '10 seconds' AS just_consumed`;
const PUT: Statement = {
  name: 'record-put',
  text: `INSERT INTO engine_record (kind, key, payload, grant_id, uid, user_code, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
         ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
           uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
};
/** Requests of one browser at once each write the whole session; the sites of the others are kept (T52). */
const PUT_SESSION: Statement = {
  name: 'record-put-session',
  text: `INSERT INTO engine_record AS r (kind, key, payload, grant_id, uid, user_code, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
         ON CONFLICT (kind, key) DO UPDATE SET uid = excluded.uid, expires_at = excluded.expires_at,
           payload = excluded.payload || jsonb_build_object('authorizations',
             COALESCE(r.payload->'authorizations', '{}') || COALESCE(excluded.payload->'authorizations', '{}'))`,
};
const PUT_ONCE: Statement = {
  name: 'record-put-once',
  text: `INSERT INTO engine_record AS r (kind, key, payload, expires_at)
         VALUES ($1, $2, '{}', now() + make_interval(secs => $3))
         ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at WHERE r.expires_at <= now()
         RETURNING 1 AS won`,
};
const ANSWER: Statement = {
  name: 'record-answer',
  text: `UPDATE engine_record SET payload = payload || jsonb_build_object('result', $3::jsonb)
         WHERE kind = $1 AND key = $2 AND payload -> 'result' IS NULL AND expires_at > clock_timestamp()
         RETURNING 1 AS won`,
};
const DECIDE: Statement = {
  name: 'record-decide',
  text: `UPDATE engine_record SET payload = payload || $3::jsonb, grant_id = $4
         WHERE kind = $1 AND key = $2 AND payload->>'accountId' IS NULL AND payload->>'error' IS NULL
           AND consumed_at IS NULL AND expires_at > clock_timestamp()
         RETURNING 1 AS won`,
};
const FIND: Statement = {
  name: 'record-find',
  text: `SELECT ${FOUND} FROM engine_record WHERE kind = $1 AND key = $2`,
};
const FIND_FAMILY: Statement = {
  name: 'record-find-family',
  text: `SELECT r.payload, extract(epoch FROM r.consumed_at)::int AS consumed, r.expires_at <= clock_timestamp() AS expired,
           ${JUST},
           g.payload AS grant_payload, g.expires_at <= clock_timestamp() AS grant_expired,
           to_jsonb(c) AS client, to_jsonb(a) AS account
         FROM engine_record r
         LEFT JOIN engine_record g ON g.kind = 'Grant' AND g.key = r.grant_id
         LEFT JOIN client c ON r.kind = 'AccessToken' AND c.id = r.payload->>'clientId'
         LEFT JOIN account a ON a.id = r.payload->>'accountId'
         WHERE r.kind = $1 AND r.key = $2`,
};
const FIND_BY_UID: Statement = {
  name: 'record-find-uid',
  text: `SELECT key, ${FOUND} FROM engine_record WHERE kind = $1 AND uid = $2`,
};
const FIND_BY_USER_CODE: Statement = {
  name: 'record-find-user-code',
  text: `SELECT key, ${FOUND} FROM engine_record WHERE kind = $1 AND user_code = $2`,
};
const CONSUME: Statement = {
  name: 'record-consume',
  text: `UPDATE engine_record SET consumed_at = now() WHERE kind = $1 AND key = $2 AND consumed_at IS NULL
         RETURNING 1 AS won`,
};
const COUNT_FAILURE: Statement = {
  name: 'record-count-failure',
  text: `UPDATE engine_record SET payload = jsonb_set(payload, '{failures}', to_jsonb(COALESCE((payload->>'failures')::int, 0) + 1))
         WHERE kind = $1 AND key = $2 RETURNING (payload->>'failures')::int AS failures`,
};
const REMOVE: Statement = { name: 'record-remove', text: 'DELETE FROM engine_record WHERE kind = $1 AND key = $2' };
const REMOVE_BY_UID: Statement = {
  name: 'record-remove-uid',
  text: 'DELETE FROM engine_record WHERE kind = $1 AND uid = $2',
};
const CLAIM: Statement = {
  name: 'record-claim',
  text: `DELETE FROM engine_record WHERE kind = $1 AND key = $2 AND expires_at > clock_timestamp() RETURNING 1 AS won`,
};
const REMOVE_BY_GRANT: Statement = {
  name: 'record-remove-grant',
  text: `DELETE FROM engine_record
         WHERE (grant_id = $1 AND NOT (kind = 'AuthorizationCode' AND consumed_at IS NOT NULL))
            OR (kind = 'Grant' AND key = $1)`,
};
const GRANTS_OF: Statement = {
  name: 'record-grants-of',
  text: `SELECT payload FROM engine_record
         WHERE kind = 'Grant' AND payload->>'accountId' = $1 AND payload->>'clientId' = $2 AND expires_at > now()
         ORDER BY expires_at DESC LIMIT 20`,
};
const REMOVE_GRANTS_OF: Statement = {
  name: 'record-remove-grants-of',
  text: `DELETE FROM engine_record WHERE kind = 'Grant' AND payload->>'accountId' = $1`,
};
const SWEEP: Statement = {
  name: 'record-sweep',
  text: `DELETE FROM engine_record WHERE (kind, key) IN (
           SELECT kind, key FROM engine_record
           WHERE expires_at < now() - interval '1 hour'
             AND (kind <> 'AuthorizationCode' OR expires_at < now() - interval '1 day')
           LIMIT 1000) RETURNING 1 AS swept`,
};

export function createRecordStore(database: Database): RecordStore {
  return {
    async put(r) {
      await database.query(r.kind === 'Session' ? PUT_SESSION : PUT, [
        r.kind,
        r.key,
        JSON.stringify(r.payload),
        r.grantId ?? null,
        r.uid ?? null,
        r.userCode ?? null,
        r.seconds,
      ]);
    },
    putOnce: async ({ kind, key, seconds }) => (await database.query(PUT_ONCE, [kind, key, seconds])).length === 1,
    answer: async (kind, key, answer) =>
      (await database.query(ANSWER, [kind, key, JSON.stringify(answer)])).length === 1,
    decide: async (kind, key, decision, grantId) =>
      (await database.query(DECIDE, [kind, key, JSON.stringify(decision), grantId ?? null])).length === 1,
    async find(kind, key) {
      const [row] = await database.query(FIND, [kind, key]);
      return row && toRecord(row);
    },
    async findWithFamily(kind, key) {
      const [row] = await database.query(FIND_FAMILY, [kind, key]);
      if (!row) return undefined;
      const grant = row.grant_payload as Record<string, unknown> | null;
      return {
        record: toRecord(row),
        grant: grant ? { payload: grant, expired: row.grant_expired as boolean } : undefined,
        client: row.client ? toClient(row.client as Row) : undefined,
        account: row.account ? toAccount(row.account as Row) : undefined,
      };
    },
    async findByUid(kind, uid) {
      const [row] = await database.query(FIND_BY_UID, [kind, uid]);
      return row && { ...toRecord(row), key: row.key as string };
    },
    async findByUserCode(kind, userCode) {
      const [row] = await database.query(FIND_BY_USER_CODE, [kind, userCode]);
      return row && { ...toRecord(row), key: row.key as string };
    },
    consume: async (kind, key) => (await database.query(CONSUME, [kind, key])).length === 1,
    async countFailure(kind, key) {
      const [row] = await database.query<{ failures: number }>(COUNT_FAILURE, [kind, key]);
      return row?.failures ?? 0;
    },
    async remove(kind, key) {
      await database.query(REMOVE, [kind, key]);
    },
    async removeByUid(kind, uid) {
      await database.query(REMOVE_BY_UID, [kind, uid]);
    },
    claim: async (kind, key) => (await database.query(CLAIM, [kind, key])).length === 1,
    async removeByGrant(grantId) {
      await database.query(REMOVE_BY_GRANT, [grantId]);
    },
    grantsOf: async (accountId, clientId) =>
      (await database.query(GRANTS_OF, [accountId, clientId])).map(({ payload }) => payload as Record<string, unknown>),
    async removeGrantsOf(accountId) {
      await database.query(REMOVE_GRANTS_OF, [accountId]);
    },
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}

function toRecord(row: Row): StoredRecord {
  return {
    payload: row.payload as Record<string, unknown>,
    consumedAt: (row.consumed as number | null) ?? undefined,
    justConsumed: (row.just_consumed as boolean | null) ?? undefined,
    expired: row.expired as boolean,
  };
}
