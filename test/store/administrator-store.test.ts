import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AdministratorSessionStore,
  createAdministratorSessionStore,
} from '../../src/administrator/administrator-session-store.js';
import { type AdministratorStore, createAdministratorStore } from '../../src/administrator/administrator-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the administrator store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let store: AdministratorStore;
  let other: AdministratorStore;
  let sessions: AdministratorSessionStore;
  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    [store, other] = nodes.map((node) => createAdministratorStore(node)) as [AdministratorStore, AdministratorStore];
    sessions = createAdministratorSessionStore(nodes[1] as Database);
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

  const addPasskeys = (name: string | number, ...ids: string[]) =>
    Promise.all(
      ids.map((id) =>
        test.sql(
          `INSERT INTO administrator_passkey (id, administrator_id, name, public_key, sign_count, transports, backed_up)
           VALUES ($1, $2, 'key', '', 0, '{}', false)`,
          [id, `id ${name}`],
        ),
      ),
    );
  const signIn = (name: string | number, id: string) =>
    sessions.insertByPassword({ id, secretHash: id, administratorId: `id ${name}`, passwordHash: 'hash' });
  const live = async (...ids: string[]) =>
    (await Promise.all(ids.map((id) => sessions.findLive(id)))).flatMap((session) => session?.id ?? []);

  it('makes one administrator of a user name, and leaves the setup link nothing to do', async () => {
    await store.saveSetupToken('token', 60);
    const made = await eight((node, i) => node.create({ ...administrator(1), id: `id ${i}` }));
    const [winner, ...more] = made.filter((one) => one !== undefined);
    expect(more).toEqual([]);
    expect(winner).toEqual({ id: expect.stringMatching(/^id \d$/), username: 'admin1', createdAt: expect.any(Date) });
    expect(await store.createWithToken('token', administrator(2))).toBe(false);
    expect(await store.count()).toBe(1);
  });

  it('lists everybody, the oldest first, with the number of their passkeys', async () => {
    expect(await store.list()).toEqual([]);
    await store.create(administrator('b'));
    await store.create(administrator('a'));
    await addPasskeys('a', 'one', 'two');
    expect((await store.list()).map(({ administrator: { username }, passkeys }) => [username, passkeys])).toEqual([
      ['adminb', 0],
      ['admina', 2],
    ]);
  });

  it('T20 resets to a new password, no passkey and no session, and touches nobody else', async () => {
    for (const name of ['a', 'b']) {
      await store.create(administrator(name));
      await signIn(name, `first of ${name}`);
      await addPasskeys(name, `key of ${name}`, `spare of ${name}`);
      await sessions.insertByPasskey({
        id: `of ${name}`,
        secretHash: `of ${name}`,
        administratorId: `id ${name}`,
        passkeyId: `key of ${name}`,
      });
    }
    expect(await store.reset('admina', 'new')).toMatchObject({ administrator: { id: 'id a' }, passkeys: 2 });
    expect((await store.findByUsername('admina'))?.passwordHash).toBe('new');
    expect((await store.findByUsername('adminb'))?.passwordHash).toBe('hash');
    expect((await store.list()).map(({ passkeys }) => passkeys)).toEqual([0, 2]);
    expect(await live('of a', 'first of a', 'of b', 'first of b')).toEqual(['of b', 'first of b']);
    expect(await store.reset('adminc', 'new')).toBeUndefined();
  });

  it('T20 leaves no session of the old password alive, however closely a reset is raced', async () => {
    for (let round = 0; round < 10; round += 1) {
      await test.sql('TRUNCATE administrator, setup_token CASCADE');
      await store.create(administrator(1));
      const ids = Array.from({ length: 8 }, (_, i) => `session ${i}`);
      const [, ...begun] = await Promise.all([store.reset('admin1', 'new'), ...ids.map((id) => signIn(1, id))]);
      expect(begun).toHaveLength(8);
      expect(await live(...ids)).toEqual([]);
    }
  });

  it('removes an administrator with passkeys and sessions, but not the last one', async () => {
    await store.create(administrator('a'));
    await store.create(administrator('b'));
    await signIn('a', 'of a');
    await addPasskeys('a', 'key');
    expect(await store.remove('adminc')).toBe('unknown');
    expect(await store.remove('admina')).toMatchObject({ id: 'id a', username: 'admina' });
    expect(await live('of a')).toEqual([]);
    expect(await test.sql('SELECT FROM administrator_passkey')).toEqual([]);
    expect(await store.remove('admina')).toBe('unknown');
    expect(await store.remove('adminb')).toBe('last');
    expect(await store.count()).toBe(1);
  });

  it('keeps one of eight who are all removed at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      await test.sql('TRUNCATE administrator, setup_token CASCADE');
      for (let i = 0; i < 8; i += 1) await store.create(administrator(i));
      const outcomes = await eight((node, i) => node.remove(`admin${i}`));
      expect(outcomes.filter((outcome) => outcome === 'last')).toHaveLength(1);
      expect(outcomes).not.toContain('unknown');
      expect(await store.count()).toBe(1);
    }
  });

  it('lets one of eight remove the same administrator', async () => {
    await store.create(administrator('a'));
    await store.create(administrator('b'));
    const outcomes = await eight((node) => node.remove('admina'));
    expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(7);
    expect(await store.count()).toBe(1);
  });
});
