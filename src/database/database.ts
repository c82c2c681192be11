/** The connection to Postgres: a pool of prepared statements, migrations, and the one meaning of "it is down". */
import { userInfo } from 'node:os';
import createKnex, { type Knex } from 'knex';
import pg from 'pg';
import { AppError } from '../error.js';
import { openLanes } from './lanes.js';
import { migrationSource } from './migrations.js';
import type { Queryable, Row, Statement } from './statement.js';

export interface Database extends Queryable {
  /** For migrations and the administrators' queries; never on the hot path. */
  readonly knex: Knex;
  /** Commits if `work` resolves, rolls back if it throws. No network calls inside. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Brings the schema up to date. Safe when several nodes call it at the same moment. */
  migrate(): Promise<void>;
  /** True when the schema is the one this build expects. */
  isMigrated(): Promise<boolean>;
  /** A connection of its own, for LISTEN; the caller ends it. */
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

// libpq falls back to the operating system's user when the URL names none; pg only to $USER, which services often lack.
pg.defaults.user ??= userInfo().username;

/** Any number: nodes that start together must pick the same one. */
const MIGRATION_LOCK = 7_145_201;

const TIMEOUTS = {
  statement_timeout: 3_000,
  lock_timeout: 1_000,
  idle_in_transaction_session_timeout: 5_000,
} as const;

export function openDatabase(
  url: string,
  options: { poolSize?: number; onError?: (error: Error) => void } = {},
): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 5,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    ...TIMEOUTS,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => options.onError?.(error));
  // One may break before its user listens; what is asked by it then fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  const lanes = openLanes(
    { connectionString: url, connectionTimeoutMillis: 2_000, keepAlive: true, ...TIMEOUTS },
    { onError: (error) => options.onError?.(error), meaningOf },
  );
  const knex = createKnex({
    client: 'pg',
    connection: { connectionString: url },
    pool: { min: 0, max: 2 },
    acquireConnectionTimeout: 5_000,
    // It would write to the console; what goes wrong is thrown, and logged where it is caught.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
  });

  return {
    knex,
    query: (statement, values = []) => lanes.query(statement, values),
    async transaction(work) {
      const client = await pool.connect().catch((error) => {
        throw unavailable(error);
      });
      let broken: Error | undefined;
      // Cut between two statements, nobody is waiting for an answer; without a listener that would end the process.
      const cut = (error: Error) => {
        broken = error;
      };
      client.on('error', cut);
      try {
        await client.query('BEGIN');
        const result = await work({ query: (statement, values) => run(client, statement, values) });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((e: Error) => {
          broken = e;
        });
        throw meaningOf(error);
      } finally {
        client.off('error', cut);
        client.release(broken);
      }
    },
    migrate: () => migrate(url, knex),
    async isMigrated() {
      try {
        const [, pending] = (await knex.migrate.list({ migrationSource })) as [unknown[], unknown[]];
        return pending.length === 0;
      } catch (error) {
        throw unavailable(error);
      }
    },
    async connect() {
      const client = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 2_000 });
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    async close() {
      await Promise.allSettled([lanes.close(), pool.end(), knex.destroy()]);
    },
  };
}

async function run<R extends Row>(on: pg.Pool | pg.PoolClient, statement: Statement, values?: unknown[]): Promise<R[]> {
  try {
    const result = await on.query<R>({ name: statement.name, text: statement.text, values: values ?? [] });
    return result.rows;
  } catch (error) {
    throw meaningOf(error);
  }
}

/** Two nodes that migrate an empty database at once collide in knex's own lock table; this lock stands before it. */
async function migrate(url: string, knex: Knex): Promise<void> {
  const lock = new pg.Client({ connectionString: url });
  // What it is in the middle of fails by itself; without a listener a cut would end the process first.
  lock.on('error', () => {});
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await knex.migrate.latest({ migrationSource });
  } finally {
    await lock.end();
  }
}

/** What a failed statement means to the rest of the house; what is not listed stays what it is, a fault of ours. */
function meaningOf(error: unknown): unknown {
  // character_not_in_repertoire: a NUL, which no text of ours holds and Postgres cannot store.
  if ((error as { code?: unknown }).code === '22021') return new AppError('invalid_request', { cause: error });
  return isOutage(error) ? unavailable(error) : error;
}

function unavailable(cause: unknown): AppError {
  return cause instanceof AppError ? cause : new AppError('unavailable', { cause });
}

/** Not reachable, shutting down, out of connections, or a timeout of ours: all mean "try again soon". */
function isOutage(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    if (/^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH|EACCES)$/.test(code))
      return true;
    // 08 connection, 53 resources, 57014 our statement_timeout, 57P01-03 shutdown, 55P03 lock_timeout, 25006 read-only standby
    if (/^(08|53)|^(57014|57P0[1-3]|55P03|25006|3D000)$/.test(code)) return true;
  }
  return (
    typeof message === 'string' &&
    /connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|client was closed/i.test(
      message,
    )
  );
}
