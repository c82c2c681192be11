import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import type { Statement } from '../../src/database/statement.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/start-app.js';

const WHO: Statement = { name: 'test-who', text: 'SELECT pg_backend_pid() AS pid' };

describe('a transaction', () => {
  let files: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    files = await createTestDatabase();
    database = openDatabase(files.url);
  });
  afterAll(async () => {
    await database?.close();
    await files?.drop();
  });

  it('whose connection is cut between two statements fails as an outage, and the process lives on', async () => {
    const work = database.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>(WHO);
      await files.sql('SELECT pg_terminate_backend($1)', [row?.pid]);
      const isGone = async () =>
        (await files.sql('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [row?.pid])).length === 0;
      await until(isGone, 'the connection is still there');
      // The cut arrives while nobody waits for an answer on it.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      return tx.query(WHO);
    });
    await expect(work).rejects.toMatchObject({ code: 'unavailable' });
    await expect(database.transaction((tx) => tx.query(WHO))).resolves.toHaveLength(1);
  });
});
