import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/account/account.js';
import { type AccountStore, createAccountStore } from '../../src/account/account-store.js';
import { createCredentialStore } from '../../src/account/credential-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { newSecret } from '../../src/secret.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let test: TestDatabase;
let nodes: Database[];
let stores: AccountStore[];
beforeAll(async () => {
  test = await createTestDatabase();
  nodes = [openDatabase(test.url), openDatabase(test.url)];
  stores = nodes.map((node) => createAccountStore(node));
});
afterAll(async () => {
  await Promise.all((nodes ?? []).map((node) => node.close()));
  await test?.drop();
});

const store = () => stores[0] as AccountStore;
const account = (username: string): Account => ({
  id: newSecret(16),
  username,
  nickname: `${username} 张三😀`,
  sex: 2,
  city: 'Guangzhou',
  province: 'Guangdong',
  country: 'CN',
  locale: 'zh-CN',
  picture: 'picture',
  createdAt: new Date(),
  updatedAt: new Date(),
  disabled: false,
});

describe('the account store', () => {
  it('gives back what was put, by id and by user name', async () => {
    const ann = account('ann');
    expect(await store().insert(ann, 'hash')).toBe(true);
    const expected = { ...ann, createdAt: expect.any(Date), updatedAt: expect.any(Date) };
    expect(await store().find(ann.id)).toEqual(expected);
    expect(await store().findByUsername('ann')).toEqual(expected);
    expect(await store().find('nobody')).toBeUndefined();
    expect(await store().findByUsername('nobody')).toBeUndefined();
  });

  it('keeps what is unknown unknown', async () => {
    const plain = { ...account('plain'), locale: undefined, city: '', province: '', country: '', sex: 0 as const };
    await store().insert(plain, 'hash');
    expect(await store().find(plain.id)).toMatchObject({ city: '', sex: 0 });
    expect((await store().find(plain.id))?.locale).toBeUndefined();
  });

  it('lets one of twenty people at two nodes have a user name, with that one’s password', async () => {
    for (let round = 0; round < 5; round += 1) {
      const people = Array.from({ length: 20 }, () => account(`wanted${round}`));
      const won = await Promise.all(
        people.map((person, i) => (stores[i % 2] as AccountStore).insert(person, `hash of ${person.id}`)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      const winner = people[won.indexOf(true)] as Account;
      expect((await store().findByUsername(`wanted${round}`))?.id).toBe(winner.id);
      const hashes = await test.sql('SELECT hash FROM password JOIN account ON id = account_id WHERE username = $1', [
        `wanted${round}`,
      ]);
      expect(hashes).toEqual([{ hash: `hash of ${winner.id}` }]);
    }
  });

  it('makes no account without its password', async () => {
    const broken = account('broken');
    await expect(store().insert(broken, null as never)).rejects.toThrow();
    expect(await store().find(broken.id)).toBeUndefined();
  });

  it('lists in the order they came', async () => {
    const names = (await store().list()).map(({ username }) => username);
    expect(names.slice(0, 2)).toEqual(['ann', 'plain']);
  });

  it('says who is disabled', async () => {
    const gone = account('gone');
    await store().insert(gone, 'hash');
    await test.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [gone.id]);
    expect(await store().find(gone.id)).toMatchObject({ disabled: true });
  });

  it('T20 disables and enables once, however many ask, and touches nothing else', async () => {
    const cut = account('cut');
    await store().insert(cut, 'hash');
    const before = await store().find(cut.id);
    for (const disabled of [true, false]) {
      const asks = Array.from({ length: 20 }, (_, i) => (stores[i % 2] as AccountStore).setDisabled(cut.id, disabled));
      expect((await Promise.all(asks)).filter(Boolean)).toHaveLength(1);
      expect(await store().find(cut.id)).toEqual({ ...before, disabled });
    }
    expect(await store().setDisabled('nobody', true)).toBe(false);
  });
});

describe('the credential store', () => {
  it('holds one password for each account, the last one set', async () => {
    const credentials = createCredentialStore(nodes[0] as Database);
    const bob = account('bob');
    await store().insert(bob, 'first');
    await Promise.all(Array.from({ length: 10 }, (_, i) => credentials.setPasswordHash(bob.id, `hash ${i}`)));
    expect(await test.sql('SELECT 1 FROM password WHERE account_id = $1', [bob.id])).toHaveLength(1);
    await credentials.setPasswordHash(bob.id, 'last');
    expect(await credentials.findPasswordHash(bob.id)).toBe('last');
    expect(await credentials.findPasswordHash('nobody')).toBeUndefined();
  });
});
