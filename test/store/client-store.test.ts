import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.js';
import { type ClientStore, createClientStore } from '../../src/client/client-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const RACERS = 24;

const client = (more: Partial<Client> = {}): Client => ({
  id: randomUUID(),
  name: '淘书 Book',
  dialect: 'wechat',
  applicationType: 'web',
  authMethod: 'client_secret_post',
  secrets: [
    { hash: 'new', createdAt: '2030-01-01T00:00:00.000Z' },
    { hash: 'old', createdAt: '2029-01-01T00:00:00.000Z', expiresAt: '2030-02-01T00:00:00.000Z' },
  ],
  redirectUris: ['https://shop.example/cb?a="b"', 'https://shop.example/{x},y'],
  callbackDomain: 'shop.example',
  embedOrigins: ['https://shop.example'],
  unionName: 'shops',
  matchCode: 'off',
  refreshRequiresSecret: true,
  createdAt: new Date(),
  disabled: false,
  ...more,
});

describe('the client store', () => {
  let files: TestDatabase;
  let databases: Database[];
  let stores: [ClientStore, ClientStore];

  beforeAll(async () => {
    files = await createTestDatabase();
    databases = [openDatabase(files.url), openDatabase(files.url)];
    stores = databases.map(createClientStore) as [ClientStore, ClientStore];
  });
  afterAll(async () => {
    await Promise.all(databases?.map((database) => database.close()) ?? []);
    await files?.drop();
  });

  it('reads back what it was given, in both shapes', async () => {
    const full = client();
    const bare = client({
      callbackDomain: undefined,
      unionName: undefined,
      secrets: [],
      authMethod: 'none',
      dialect: 'oauth',
    });
    for (const one of [full, bare]) {
      expect(await stores[0].insert(one)).toBe(true);
      expect(await stores[1].find(one.id)).toEqual({ ...one, createdAt: expect.any(Date) });
    }
  });

  it('finds nothing for an id no client has, or can have', async () => {
    for (const id of ['unknown', '', 'a\u0000b', '\ud800']) expect(await stores[0].find(id)).toBeUndefined();
  });

  it('gives an id to exactly one of many that ask for it', async () => {
    const rivals = Array.from({ length: RACERS }, (_, i) => client({ id: 'the one', name: `Rival ${i}` }));
    const won = await Promise.all(rivals.map((rival, i) => (stores[i % 2] as ClientStore).insert(rival)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await stores[0].find('the one'))?.name).toBe(`Rival ${won.indexOf(true)}`);
  });

  it('shows a change to every node at the next look', async () => {
    const one = client();
    await stores[0].insert(one);
    await stores[1].find(one.id);
    await stores[0].replaceSecretsAndAddresses({
      ...one,
      name: 'Other',
      secrets: [],
      redirectUris: ['https://new.example/'],
      embedOrigins: [],
    });
    expect(await stores[1].find(one.id)).toMatchObject({
      name: one.name,
      secrets: [],
      redirectUris: ['https://new.example/'],
      embedOrigins: [],
    });
    await files.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [one.id]);
    expect((await stores[1].find(one.id))?.disabled).toBe(true);
  });

  it('lists clients in the order they came', async () => {
    const [first, second] = [client({ name: 'First' }), client({ name: 'Second' })];
    await stores[0].insert(first);
    await stores[0].insert(second);
    const ids = (await stores[1].list()).map(({ id }) => id);
    expect(ids.indexOf(first.id)).toBeGreaterThan(-1);
    expect(ids.indexOf(second.id)).toBeGreaterThan(ids.indexOf(first.id));
  });
});
