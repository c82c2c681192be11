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

/** `empty` for one that was never migrated. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `qrconnect_test_${randomBytes(8).toString('hex')}`;
  await once(serverUrl, `CREATE DATABASE ${name}${options.empty ? '' : ` TEMPLATE ${inject('templateDatabase')}`}`);
  const url = databaseUrl(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  // Dropping the database, or a test that stops the server, ends these connections.
  pool.on('error', () => {});
  return {
    url,
    sql: async <R extends Record<string, unknown>>(text: string, values: unknown[] = []) =>
      (await pool.query<R>(text, values)).rows,
    async drop() {
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
