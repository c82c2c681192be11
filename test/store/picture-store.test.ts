import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PictureSet } from '../../src/account/picture.js';
import { createPictureStore, type PictureStore } from '../../src/account/picture-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { newSecret } from '../../src/secret.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const SIZES = [46, 64, 96, 132, 640];
const RACERS = 20;

describe('the picture store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let stores: PictureStore[];
  let accountId: string;

  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    stores = nodes.map((node) => createPictureStore(node));
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });
  beforeEach(async () => {
    accountId = await account();
  });

  const store = () => stores[0] as PictureStore;
  const account = async () => {
    const id = randomUUID();
    await test.sql("INSERT INTO account (id, username, nickname, picture) VALUES ($1, $1, 'Anna', 'pattern-7')", [id]);
    return id;
  };
  const setOf = (what: string): PictureSet =>
    new Map(SIZES.map((size) => [size, Buffer.from(`${what} ${size}\0\xff`)]));
  const shown = async (id = accountId) =>
    (await test.sql<{ picture: string }>('SELECT picture FROM account WHERE id = $1', [id]))[0]?.picture;
  const rows = (id = accountId) =>
    test.sql<{ name: string; size: number; body: Buffer }>(
      'SELECT name, size, body FROM account_picture WHERE account_id = $1 ORDER BY name, size',
      [id],
    );

  it('shows a whole set and gives back its bytes', async () => {
    const [name, set] = [newSecret(16), setOf('one')];
    expect(await store().replace(accountId, name, set)).toBe(true);
    expect(await shown()).toBe(name);
    for (const size of SIZES) expect(await store().find(name, size)).toEqual(set.get(size));
    expect(await store().find(name, 100)).toBeUndefined();
    expect(await store().find(newSecret(16), 46)).toBeUndefined();
  });

  it('forgets the old set with its name, and no other account’s', async () => {
    const [other, theirs] = [await account(), newSecret(16)];
    await store().replace(other, theirs, setOf('theirs'));
    const names = [newSecret(16), newSecret(16)] as const;
    await store().replace(accountId, names[0], setOf('one'));
    await store().replace(accountId, names[1], setOf('two'));
    expect(await shown()).toBe(names[1]);
    expect((await rows()).map(({ name, size }) => [name, size])).toEqual(SIZES.map((size) => [names[1], size]));
    for (const size of SIZES) expect(await store().find(names[0], size)).toBeUndefined();
    expect(await store().find(theirs, 46)).toEqual(setOf('theirs').get(46));
  });

  it('goes back to a drawn picture and keeps no row', async () => {
    await store().replace(accountId, newSecret(16), setOf('one'));
    expect(await store().replace(accountId, 'pattern-9')).toBe(true);
    expect(await shown()).toBe('pattern-9');
    expect(await rows()).toEqual([]);
  });

  it('says when the account changed', async () => {
    await test.sql("UPDATE account SET updated_at = now() - interval '1 day' WHERE id = $1", [accountId]);
    await store().replace(accountId, newSecret(16), setOf('one'));
    const fresh = await test.sql("SELECT 1 FROM account WHERE id = $1 AND updated_at > now() - interval '1 minute'", [
      accountId,
    ]);
    expect(fresh).toHaveLength(1);
  });

  it('leaves exactly one whole set of twenty put at once at two nodes, the one that is shown', async () => {
    for (let round = 0; round < 5; round += 1) {
      const names = Array.from({ length: RACERS }, () => newSecret(16));
      const put = await Promise.all(
        names.map((name, i) => (stores[i % 2] as PictureStore).replace(accountId, name, setOf(name))),
      );
      expect(put.every(Boolean)).toBe(true);
      const winner = (await shown()) as string;
      expect(names).toContain(winner);
      expect(await rows()).toEqual(SIZES.map((size) => ({ name: winner, size, body: setOf(winner).get(size) })));
    }
  });

  it('leaves either the upload or nothing when one is put while another is taken away', async () => {
    for (let round = 0; round < 10; round += 1) {
      const name = newSecret(16);
      await Promise.all([stores[0]?.replace(accountId, name, setOf(name)), stores[1]?.replace(accountId, 'pattern-1')]);
      expect(await rows()).toHaveLength((await shown()) === name ? SIZES.length : 0);
    }
  });

  it('changes nothing when a set cannot be kept', async () => {
    const name = newSecret(16);
    await store().replace(accountId, name, setOf('kept'));
    const wrong = new Map([...setOf('wrong'), [47, Buffer.from('no such size')] as const]);
    await expect(store().replace(accountId, newSecret(16), wrong)).rejects.toThrow(/check constraint/);
    expect(await shown()).toBe(name);
    expect(await store().find(name, 640)).toEqual(setOf('kept').get(640));
  });

  it('keeps nothing for an account that is not there, and nothing of one that is deleted', async () => {
    const name = newSecret(16);
    expect(await store().replace('nobody', name, setOf('lost'))).toBe(false);
    expect(await store().find(name, 46)).toBeUndefined();
    await store().replace(accountId, name, setOf('one'));
    await test.sql('DELETE FROM account WHERE id = $1', [accountId]);
    expect(await store().find(name, 46)).toBeUndefined();
    expect(await rows()).toEqual([]);
  });

  it('T71 finds nothing by a name that was never given out', async () => {
    for (const name of [
      '',
      'pattern-1',
      '\0'.repeat(22),
      "' OR name <> '--------",
      'x'.repeat(5000),
      '../../../../etc/passwd',
    ]) {
      expect(await store().find(name, 46)).toBeUndefined();
    }
  });
});
