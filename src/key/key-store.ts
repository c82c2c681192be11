/** The rows of the server's keys. What follows on what is decided here, by the database's clock. */
import type { Database } from '../database/database.js';
import type { Queryable, Row, Statement } from '../database/statement.js';
import type { Series } from './key-life.js';
import type { Material } from './seal.js';
import type { KeyKind, Purpose } from './server-keys.js';

export interface KeyRow extends KeyKind {
  readonly id: string;
  /** As it lies there, sealed or not. */
  readonly material: Material;
  readonly createdAt: Date;
  readonly signsAt: Date;
  readonly endsAt: Date | undefined;
}

export type NewKey = Pick<KeyRow, 'id' | 'material'>;
export type KeyOfKind = NewKey & KeyKind;

export interface KeyStore {
  /** Every row, and the database's time. */
  list(): Promise<{ rows: KeyRow[]; now: Date }>;
  /**
   * Adds and rewrites rows as `plan` says when it has read all of them, with nobody else writing in between: nodes that
   * start together end with the keys of the first.
   */
  settle(
    plan: (rows: readonly KeyRow[]) => Promise<{ add: readonly KeyOfKind[]; rewrite: readonly NewKey[] }>,
  ): Promise<void>;
  /**
   * Gives the newest key a successor that signs `lead` seconds from now, and itself an end `grace` seconds after that.
   * True for exactly one caller, and only if the key has signed for `age` seconds.
   */
  succeed(newestId: string, key: NewKey, times: { lead: number; grace: number; age: number }): Promise<boolean>;
  /**
   * Lets a key that waits sign once it has been known for `lead` seconds, if that is sooner, and lets the one it follows
   * end `grace` seconds after that. False when it waits no more.
   */
  bringForward(nextId: string, currentId: string, times: { lead: number; grace: number }): Promise<boolean>;
  /** Removes every key of these series and puts one in its place that signs at once. */
  replaceAll(keys: readonly KeyOfKind[]): Promise<void>;
  /** Forgets what has ended. */
  sweep(): Promise<number>;
}

const LIST: Statement = {
  name: 'server-key-list',
  text: `SELECT id, purpose, series, material, created_at, signs_at, ends_at, clock_timestamp() AS now FROM server_key
         ORDER BY created_at, id`,
};
const SUCCEED: Statement = {
  name: 'server-key-succeed',
  text: `WITH before AS (
           UPDATE server_key SET ends_at = now() + make_interval(secs => $4::float8 + $5::float8)
           WHERE id = $1 AND ends_at IS NULL AND signs_at <= now() - make_interval(secs => $6::float8)
           RETURNING purpose, series)
         INSERT INTO server_key (id, purpose, series, material, signs_at)
         SELECT $2, purpose, series, $3, now() + make_interval(secs => $4::float8) FROM before RETURNING 1 AS won`,
};
const BRING_FORWARD: Statement = {
  name: 'server-key-bring-forward',
  text: `WITH next AS (
           UPDATE server_key
           SET signs_at = least(signs_at, greatest(now(), created_at + make_interval(secs => $3::float8)))
           WHERE id = $1 AND ends_at IS NULL AND signs_at > now() RETURNING signs_at)
         UPDATE server_key SET ends_at = next.signs_at + make_interval(secs => $4::float8) FROM next
         WHERE id = $2 RETURNING 1 AS won`,
};
/** Readers are not held up by it. */
const LOCK: Statement = { name: 'server-key-lock', text: 'LOCK TABLE server_key IN SHARE ROW EXCLUSIVE MODE' };
const DELETE_SERIES: Statement = {
  name: 'server-key-delete-series',
  text: 'DELETE FROM server_key WHERE series = ANY($1)',
};
const INSERT: Statement = {
  name: 'server-key-insert',
  text: 'INSERT INTO server_key (id, purpose, series, material) VALUES ($1, $2, $3, $4)',
};
const REWRITE: Statement = { name: 'server-key-rewrite', text: 'UPDATE server_key SET material = $2 WHERE id = $1' };
const SWEEP: Statement = {
  name: 'server-key-sweep',
  text: 'DELETE FROM server_key WHERE series IS NOT NULL AND ends_at <= now() RETURNING 1 AS gone',
};

export function createKeyStore(database: Database): KeyStore {
  const rowsOf = async (statement: Statement, values?: unknown[]) => (await database.query(statement, values)).length;
  return {
    async list() {
      const rows = await database.query(LIST);
      return { rows: rows.map(toKeyRow), now: (rows[0]?.now as Date | undefined) ?? new Date(0) };
    },
    settle: (plan) =>
      database.transaction(async (tx) => {
        await tx.query(LOCK);
        const { add, rewrite } = await plan((await tx.query(LIST)).map(toKeyRow));
        for (const key of add) await insert(tx, key);
        for (const { id, material } of rewrite) await tx.query(REWRITE, [id, JSON.stringify(material)]);
      }),
    succeed: async (newestId, { id, material }, { lead, grace, age }) =>
      (await rowsOf(SUCCEED, [newestId, id, JSON.stringify(material), lead, grace, age])) === 1,
    bringForward: async (nextId, currentId, { lead, grace }) =>
      (await rowsOf(BRING_FORWARD, [nextId, currentId, lead, grace])) === 1,
    replaceAll: (keys) =>
      database.transaction(async (tx) => {
        // A successor that somebody else is just making must not survive what it follows.
        await tx.query(LOCK);
        await tx.query(DELETE_SERIES, [keys.map(({ series }) => series)]);
        for (const key of keys) await insert(tx, key);
      }),
    sweep: () => rowsOf(SWEEP),
  };
}

async function insert(tx: Queryable, { id, purpose, series, material }: KeyOfKind): Promise<void> {
  await tx.query(INSERT, [id, purpose, series ?? null, JSON.stringify(material)]);
}

function toKeyRow(row: Row): KeyRow {
  return {
    id: row.id as string,
    purpose: row.purpose as Purpose,
    series: (row.series as Series | null) ?? undefined,
    material: row.material as Material,
    createdAt: row.created_at as Date,
    signsAt: row.signs_at as Date,
    endsAt: (row.ends_at as Date | null) ?? undefined,
  };
}
