/** Once per run: builds what the tests start, brings up a Postgres, and prepares the template every test database is copied from. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { ensureBuilt } from '../../scripts/ensure-built.mjs';
import { openDatabase } from '../../src/database/database.js';
import { startEmbeddedPostgres } from '../../src/database/embedded.js';
import { databaseUrl } from './database.js';
import { keyService } from './keys.js';
import { scratchFolder } from './scratch.js';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    templateDatabase: string;
  }
}

/** Nothing here outlives the run. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', autovacuum: 'off' };

// biome-ignore lint/style/noDefaultExport: vitest asks for it
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensureBuilt();
  const dataDir = process.env.TEST_DATABASE_URL ? undefined : mkdtempSync(join(scratchFolder(), 'qrconnect-test-'));
  // As root the database runs as another user, who must be able to reach it.
  if (dataDir) chmodSync(dataDir, 0o711);
  const embedded = dataDir ? await startEmbeddedPostgres({ dataDir, settings: SETTINGS }) : undefined;
  const postgresUrl = embedded?.url ?? (process.env.TEST_DATABASE_URL as string);
  const templateDatabase = `qrconnect_template_${process.pid}_${Date.now()}`;
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${templateDatabase}`);
  const template = openDatabase(databaseUrl(postgresUrl, templateDatabase));
  await template.migrate();
  // Two RSA keys cost each server that starts a third of a second of the processor.
  await keyService(template).prepare();
  await template.close();

  project.provide('postgresUrl', postgresUrl);
  project.provide('templateDatabase', templateDatabase);
  return async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${templateDatabase} WITH (FORCE)`);
    await admin.end();
    await embedded?.stop();
    if (dataDir) rmSync(dataDir, { recursive: true, force: true });
  };
}
