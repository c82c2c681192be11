import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdministratorStore, createAdministratorStore } from '../../src/administrator/administrator-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the administrator store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let store: AdministratorStore;
  let other: AdministratorStore;
  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    [store, other] = nodes.map((node) => createAdministratorStore(node)) as [AdministratorStore, AdministratorStore];
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });
  beforeEach(() => test.sql('TRUNCATE administrator, setup_token CASCADE'));

  const administrator = (name: string | number) => ({
    id: `id ${name}`,
    username: `admin${name}`,
    passwordHash: 'hash',
  });
  const eight = <T>(work: (node: AdministratorStore, i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: 8 }, (_, i) => work(i % 2 ? store : other, i)));

  it('knows usable, used, expired and unknown tokens apart', async () => {
    expect(await store.setupTokenState('token')).toBe('unknown');
    await store.saveSetupToken('token', 60);
    expect(await other.setupTokenState('token')).toBe('usable');
    await test.sql('UPDATE setup_token SET expires_at = now()');
    expect(await store.setupTokenState('token')).toBe('over');
    expect(await store.createWithToken('token', administrator(1))).toBe(false);
    expect(await store.count()).toBe(0);
  });

  it('lets one of eight at two nodes use a token', async () => {
    for (let round = 0; round < 5; round += 1) {
      await test.sql('TRUNCATE administrator, setup_token CASCADE');
      await store.saveSetupToken('token', 60);
      const won = await eight((node, i) => node.createWithToken('token', administrator(i)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.count()).toBe(1);
      expect(await store.setupTokenState('token')).toBe('over');
    }
  });

  it('lets one of eight be the first, whichever way they come', async () => {
    for (let round = 0; round < 5; round += 1) {
      await test.sql('TRUNCATE administrator, setup_token CASCADE');
      await store.saveSetupToken('token', 60);
      const won = await eight((node, i) =>
        i < 4 ? node.createFirst(administrator(i)) : node.createWithToken('token', administrator(i)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.count()).toBe(1);
    }
  });

  it('replaces unused tokens, and keeps the used one to know it again', async () => {
    await store.saveSetupToken('first', 60);
    await store.saveSetupToken('second', 60);
    expect(await store.setupTokenState('first')).toBe('unknown');
    expect(await store.createWithToken('second', administrator(1))).toBe(true);
    await store.saveSetupToken('third', 60);
    expect(await store.setupTokenState('second')).toBe('over');
    expect(await store.createWithToken('third', administrator(2))).toBe(false);
  });

  it('does not spend a token on an administrator that cannot be made', async () => {
    await store.saveSetupToken('token', 60);
    await expect(
      store.createWithToken('token', { ...administrator(1), passwordHash: null as never }),
    ).rejects.toThrow();
    expect(await store.setupTokenState('token')).toBe('usable');
    expect(await store.createWithToken('token', administrator(1))).toBe(true);
  });
});
