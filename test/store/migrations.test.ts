import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import { migrationSource } from '../../src/database/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { keyService } from '../support/keys.js';

const [NODES, ROUNDS] = [6, 5];

describe('nodes that start at the same moment on an empty database', () => {
  let test: TestDatabase;
  let nodes: Database[];
  beforeAll(async () => {
    test = await createTestDatabase({ empty: true });
    nodes = Array.from({ length: NODES }, () => openDatabase(test.url));
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });

  const schema = () =>
    test.sql(
      `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
       WHERE table_schema = 'public' ORDER BY table_name, column_name`,
    );

  const start = async (node: Database) => {
    const keys = keyService(node);
    await keys.prepare();
    return keys.load();
  };

  it('migrate it once, and all find it migrated', async () => {
    await expect(test.sql('SELECT 1 FROM account')).rejects.toThrow('does not exist');
    expect(await nodes[0]?.isMigrated()).toBe(false);
    await Promise.all(nodes.map((node) => node.migrate()));
    for (const node of nodes) expect(await node.isMigrated()).toBe(true);
    const names = (await test.sql<{ name: string }>('SELECT name FROM knex_migrations ORDER BY id')).map(
      ({ name }) => name,
    );
    const expected = await migrationSource.getMigrations([]);
    expect(names).toEqual(expected.map((migration) => migrationSource.getMigrationName(migration)));
  });

  it('migrate it once, however often they meet on a new one', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const empty = await createTestDatabase({ empty: true });
      const starting = Array.from({ length: NODES }, () => openDatabase(empty.url));
      try {
        await Promise.all(starting.map((node) => node.migrate()));
        const rows = await empty.sql('SELECT name, count(*)::int AS times FROM knex_migrations GROUP BY name');
        expect(new Set(rows.map(({ times }) => times))).toEqual(new Set([1]));
      } finally {
        await Promise.all(starting.map((node) => node.close()));
        await empty.drop();
      }
    }
  });

  it('migrate again and change nothing', async () => {
    const before = await schema();
    await Promise.all(nodes.map((node) => node.migrate()));
    expect(await schema()).toEqual(before);
  });

  it('make the keys once, and all end with the same', async () => {
    expect(await test.sql('SELECT 1 FROM server_key')).toHaveLength(0);
    const keys = await Promise.all(nodes.map(start));
    for (const other of keys) expect(other).toEqual(keys[0]);
    expect(await test.sql('SELECT 1 FROM server_key')).toHaveLength(8);
    expect(keys[0]?.signing.map(({ alg }) => alg).sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256']);
    const { cookies, subject, csrf, dpop } = keys[0] as (typeof keys)[0];
    expect(new Set([...cookies, subject, csrf, dpop]).size).toBe(4);
    for (const key of [...cookies, subject, csrf, dpop]) expect(key).toMatch(/^[\w-]{43}$/);
  });

  it('keep the keys there are at every later start', async () => {
    const before = await test.sql('SELECT id, material FROM server_key ORDER BY id');
    await Promise.all(nodes.map(start));
    expect(await test.sql('SELECT id, material FROM server_key ORDER BY id')).toEqual(before);
  });

  it('can go back and forth: each migration undoes what it did', async () => {
    const before = await schema();
    await nodes[0]?.knex.migrate.rollback({ migrationSource }, true);
    expect((await schema()).filter(({ table_name: table }) => !String(table).startsWith('knex_'))).toEqual([]);
    expect(await nodes[0]?.isMigrated()).toBe(false);
    await nodes[0]?.migrate();
    expect(await schema()).toEqual(before);
  });
});
