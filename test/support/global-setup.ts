/** Once per run: builds what the tests start, brings up a Postgres, and migrates the template every test database is copied from. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/database/database.js';
import { startEmbeddedPostgres } from '../../src/database/embedded.js';
import { projectRoot } from '../../src/project-root.js';
import { isStale } from '../../scripts/stale.mjs';
import { databaseUrl } from './database.js';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    templateDatabase: string;
  }
}

// biome-ignore lint/style/noDefaultExport: vitest asks for it
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (isStale(projectRoot)) {
    const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: projectRoot, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`);
  }

  const dataDir = process.env.TEST_DATABASE_URL ? undefined : mkdtempSync(join(tmpdir(), 'qrconnect-test-'));
  const embedded = dataDir ? await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } }) : undefined;
  const postgresUrl = embedded?.url ?? (process.env.TEST_DATABASE_URL as string);
  const templateDatabase = `qrconnect_template_${process.pid}_${Date.now()}`;
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${templateDatabase}`);
  const template = openDatabase(databaseUrl(postgresUrl, templateDatabase));
  await template.migrate();
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
