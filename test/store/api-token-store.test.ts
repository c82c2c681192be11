import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiTokenStore, createApiTokenStore } from '../../src/administrator/api-token-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the API token store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let store: ApiTokenStore;
  let other: ApiTokenStore;
  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    [store, other] = nodes.map((node) => createApiTokenStore(node)) as [ApiTokenStore, ApiTokenStore];
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });
  beforeEach(() => test.sql('TRUNCATE api_token'));

  const DAY = 86_400_000;
  const add = (id: string, more: { readOnly?: boolean; days?: number } = {}) =>
    store.insert({ id, secretHash: `hash of ${id}`, name: `name of ${id}`, readOnly: false, days: 90, ...more });
  const age = (id: string, column: string, by: string) =>
    test.sql(`UPDATE api_token SET ${column} = ${column} - $2::interval WHERE id = $1`, [id, by]);

  it('keeps what a token is called, what it may and when it ends, and never what it is', async () => {
    const token = await add('one', { readOnly: true, days: 7 });
    expect(token).toEqual({
      id: 'one',
      name: 'name of one',
      readOnly: true,
      createdAt: expect.any(Date),
      expiresAt: expect.any(Date),
      lastUsedAt: undefined,
    });
    // A day of the database's time zone may have an hour more or less.
    expect((token.expiresAt.getTime() - token.createdAt.getTime()) / DAY).toBeCloseTo(7, 1);
    expect(await other.findLive('hash of one')).toEqual(token);
    expect(await store.findLive('one')).toBeUndefined();
  });

  it('finds no token whose days are over by the clock of the database', async () => {
    await add('old');
    await add('young');
    await age('old', 'expires_at', '90 days');
    await age('young', 'expires_at', '89 days 23 hours');
    expect(await store.findLive('hash of old')).toBeUndefined();
    expect(await store.findLive('hash of young')).toBeDefined();
    expect((await store.list()).map(({ id }) => id)).toEqual(['young']);
    expect(await store.revoke('old')).toBeUndefined();
  });

  it('lets one of eight at two nodes revoke a token, and finds it no more', async () => {
    await add('one');
    await add('two');
    const won = await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? store : other).revoke('one')));
    expect(won.filter((token) => token?.id === 'one')).toHaveLength(1);
    expect(won.filter((token) => token === undefined)).toHaveLength(7);
    expect(await other.findLive('hash of one')).toBeUndefined();
    expect(await other.findLive('hash of two')).toBeDefined();
    expect((await store.list()).map(({ id }) => id)).toEqual(['two']);
  });

  it('notes that a token was used, once a minute', async () => {
    await add('one');
    const used = async () => (await store.list())[0]?.lastUsedAt?.getTime();
    expect(await used()).toBeUndefined();
    await store.findLive('hash of one');
    expect(await used()).toBeDefined();
    await age('one', 'last_used_at', '50 seconds');
    const before = await used();
    await store.findLive('hash of one');
    expect(await used()).toBe(before);
    await age('one', 'last_used_at', '20 seconds');
    await store.findLive('hash of one');
    expect(await used()).toBeGreaterThan(before as number);
  });

  it('lists the newest first', async () => {
    await add('one');
    await add('two');
    await age('two', 'created_at', '1 hour');
    await add('three');
    expect((await store.list()).map(({ id }) => id)).toEqual(['three', 'one', 'two']);
  });

  it('sweeps a token a month after its end', async () => {
    for (const id of ['lives', 'revoked', 'revoked long ago', 'over', 'over long ago']) await add(id);
    await test.sql("UPDATE api_token SET revoked_at = now() - interval '29 days' WHERE id = 'revoked'");
    await test.sql("UPDATE api_token SET revoked_at = now() - interval '31 days' WHERE id = 'revoked long ago'");
    await age('over', 'expires_at', '119 days');
    await age('over long ago', 'expires_at', '121 days');
    expect(await store.sweep()).toBe(2);
    const left = await test.sql<{ id: string }>('SELECT id FROM api_token ORDER BY id');
    expect(left.map(({ id }) => id)).toEqual(['lives', 'over', 'revoked']);
    expect(await store.sweep()).toBe(0);
  });
});
