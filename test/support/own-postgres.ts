/** A Postgres that belongs to one test file, to be crashed and brought back. */
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/database/embedded.js';
import type { TestDatabase } from './database.js';
import { scratchFolder } from './scratch.js';
import { until } from './start-app.js';

export interface OwnPostgres {
  /** `drop` stops the server and removes its files. */
  readonly database: TestDatabase;
  /** Ends the server as a power cut would; resolves when it is gone. */
  crash(): Promise<void>;
  /** Brings it back at the same address. */
  recover(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const base = mkdtempSync(join(realpathSync(scratchFolder()), 'qrc-own-'));
  // As root the server runs as somebody else, who must get there.
  chmodSync(base, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: join(base, 'data'), sharedDir: join(base, 'shared') });
  const pool = new pg.Pool({ connectionString: server.url, max: 3 });
  pool.on('error', () => {});
  const sql: TestDatabase['sql'] = async <R extends Record<string, unknown>>(text: string, values: unknown[] = []) =>
    (await pool.query<R>(text, values)).rows;
  const answers = () =>
    sql('SELECT 1').then(
      () => true,
      () => false,
    );
  const [setting] = await sql<{ directory: string }>("SELECT current_setting('data_directory') AS directory");
  const pidFile = join(String(setting?.directory), 'postmaster.pid');
  return {
    database: {
      url: server.url,
      sql,
      async drop() {
        await pool.end();
        await server.stop();
        rmSync(base, { recursive: true, force: true });
      },
    },
    async crash() {
      process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGQUIT');
      await until(async () => !(await answers()), 'Postgres does not go down');
    },
    // As the server's own guard does: a Postgres still on its way down looks alive for a moment.
    recover: () =>
      until(async () => {
        await server.ensureRunning();
        return answers();
      }, 'Postgres does not come back'),
  };
}
