/** A database of its own for each test file: real Postgres, copied from the migrated template. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  /** Ages or inspects rows; where the database's clock decides, tests move rows, not clocks. */
  sql<R extends Record<string, unknown> = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
  drop(): Promise<void>;
}

/** The same server, another database. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Databases of this process that are in use. */
let inUse = 0;

/**
 * `empty` for one that was never migrated. It comes with the server's keys, made once for all; without them with
 * `keys: false`, and beside another one, for no two servers of a test may know each other's keys.
 */
export async function createTestDatabase(options: { empty?: boolean; keys?: boolean } = {}): Promise<TestDatabase> {
  const keys = options.keys !== false && inUse === 0;
  inUse += 1;
  const serverUrl = inject('postgresUrl');
  const name = `qrconnect_test_${randomBytes(8).toString('hex')}`;
  const template = ` TEMPLATE ${inject('templateDatabase')} STRATEGY FILE_COPY`;
  await once(serverUrl, `CREATE DATABASE ${name}${options.empty ? '' : template}`);
  const url = databaseUrl(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  // Dropping the database, or a test that stops the server, ends these connections.
  pool.on('error', () => {});
  if (!options.empty && !keys) await pool.query('DELETE FROM server_key');
  return {
    url,
    sql: async <R extends Record<string, unknown>>(text: string, values: unknown[] = []) =>
      (await pool.query<R>(text, values)).rows,
    async drop() {
      inUse -= 1;
      await pool.end();
      await once(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
