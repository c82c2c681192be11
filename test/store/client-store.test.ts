import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.js';
import { ClientService } from '../../src/client/client-service.js';
import { type ClientStore, createClientStore } from '../../src/client/client-store.js';
import { settingsOf } from '../../src/client/registration.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const RACERS = 24;

const client = (more: Partial<Client> = {}): Client => ({
  ...settingsOf({ name: '淘书 Book', redirectUris: [] }),
  id: randomUUID(),
  revision: 0,
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
  scope: 'openid profile',
  refreshRequiresSecret: true,
  stateRequired: true,
  openidRequired: false,
  jsonAnswers: true,
  styleSheets: false,
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

  it('reads back every setting of the standards', async () => {
    const one = client({
      dialect: 'oauth',
      authMethod: 'private_key_jwt',
      clientKeys: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '"k"', alg: 'ES256' }] },
      requirePar: true,
      requireSignedRequest: true,
      dpopRequired: true,
      deviceFlow: true,
      defaultMaxAge: 0,
      idTokenAlg: 'EdDSA',
      postLogoutRedirectUris: ['https://shop.example/bye?a="b"'],
      backchannelLogoutUri: 'https://shop.example/logout',
    });
    await stores[0].insert(one);
    expect(await stores[1].find(one.id)).toEqual({ ...one, createdAt: expect.any(Date) });
    const bare = { ...one, ...settingsOf({ name: one.name, redirectUris: [] }) };
    expect(await stores[1].update(bare, 0)).toBe(true);
    expect(await stores[0].find(one.id)).toEqual({ ...bare, revision: 1, createdAt: expect.any(Date) });
  });

  it('knows the keys of a client again, whatever order the database keeps them in', async () => {
    const services = stores.map(
      (store) =>
        new ClientService({
          endTickets: async () => {},
          store,
          demo: false,
          resourceScopes: async () => new Set(),
          validate: async () => {},
          audit: async () => {},
        }),
    );
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const clientKeys = { keys: [{ ...jwk, use: 'sig', kid: 'a' } as { kty: string }] };
    const input = { name: 'Tea house', redirectUris: ['https://shop.example/cb'], clientKeys };
    const { client: one } = await (services[0] as ClientService).register('anna', input);
    const same = await (services[1] as ClientService).update('ben', one.id, { clientKeys });
    expect(same.changed).toEqual([]);
  });

  it('reads a client that an older node wrote as nobody had chosen what that did not know', async () => {
    const one = client();
    await stores[0].insert(one);
    await files.sql(`UPDATE client SET settings = '{"match_code": "off"}' WHERE id = $1`, [one.id]);
    const { matchCode, requirePar, idTokenAlg, postLogoutRedirectUris } = (await stores[0].find(one.id)) as Client;
    expect([matchCode, requirePar, idTokenAlg, postLogoutRedirectUris]).toEqual(['off', false, 'RS256', []]);
  });

  it('leaves alone what a newer node chose', async () => {
    const one = client();
    await stores[0].insert(one);
    await files.sql(`UPDATE client SET settings = settings || '{"of_tomorrow": true}' WHERE id = $1`, [one.id]);
    await stores[0].update({ ...one, name: 'Other' }, 0);
    const [row] = await files.sql<{ kept: boolean }>(
      `SELECT (settings ->> 'of_tomorrow')::boolean AS kept FROM client WHERE id = $1`,
      [one.id],
    );
    expect(row?.kept).toBe(true);
  });

  it.each([
    '{"require_par": "yes"}',
    '{"dpop_required": 1}',
    '{"match_code": "on"}',
    '{"id_token_alg": "none"}',
    '{"default_max_age": "60"}',
    '{"default_max_age": 0.5}',
    '{"client_keys": []}',
    '{"post_logout_redirect_uris": "https://shop.example/"}',
    '{"post_logout_redirect_uris": [null]}',
    '{"scope": ["openid"]}',
  ])('refuses to guess what a row means by %s', async (settings) => {
    const one = client();
    await stores[0].insert(one);
    await files.sql('UPDATE client SET settings = settings || $2 WHERE id = $1', [one.id, settings]);
    await expect(stores[0].find(one.id)).rejects.toThrow(/^the setting \w+ of client .* cannot be read$/);
    await files.sql('DELETE FROM client WHERE id = $1', [one.id]);
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
      revision: 1,
    });
    await files.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [one.id]);
    expect((await stores[1].find(one.id))?.disabled).toBe(true);
  });

  it('writes a change over what was read, and only over that', async () => {
    const one = client();
    await stores[0].insert(one);
    const next = client({
      id: one.id,
      name: 'Other',
      authMethod: 'client_secret_basic',
      secrets: [],
      redirectUris: ['https://new.example/'],
      callbackDomain: undefined,
      embedOrigins: [],
      unionName: undefined,
      matchCode: 'type',
      scope: undefined,
      refreshRequiresSecret: false,
      stateRequired: false,
      openidRequired: true,
      jsonAnswers: false,
      styleSheets: true,
    });
    expect(await stores[0].update(next, 0)).toBe(true);
    const written = { ...next, revision: 1, createdAt: expect.any(Date) };
    expect(await stores[1].find(one.id)).toEqual(written);
    for (const revision of [0, 2]) expect(await stores[1].update(one, revision)).toBe(false);
    expect(await stores[1].find(one.id)).toEqual(written);
    expect(await stores[1].update(client({ id: 'nobody' }), 0)).toBe(false);
    expect(await stores[0].update(one, 1)).toBe(true);
    expect(await stores[1].find(one.id)).toEqual({ ...one, revision: 2, createdAt: expect.any(Date) });
  });

  it('refuses what was decided before any other change, whatever that changed', async () => {
    const others: Array<[string, (one: Client) => Promise<unknown>]> = [
      ['a change', (one) => stores[1].update({ ...one, name: 'Other' }, 0)],
      ['a new secret', (one) => stores[1].replaceSecrets(one.id, [], 0)],
      ['disabling', (one) => stores[1].setDisabled(one.id, true)],
      ['an exposed secret', (one) => stores[1].markSecretExposed(one.id, 'new', '2030-01-02')],
      ['new addresses', (one) => stores[1].replaceSecretsAndAddresses({ ...one, secrets: [] })],
    ];
    for (const [what, change] of others) {
      const one = client();
      await stores[0].insert(one);
      await change(one);
      const after = await stores[0].find(one.id);
      expect([what, after?.revision]).toEqual([what, 1]);
      expect([what, await stores[0].update(one, 0)]).toEqual([what, false]);
      expect([what, await stores[0].replaceSecrets(one.id, one.secrets, 0)]).toEqual([what, false]);
      expect([what, await stores[0].find(one.id)]).toEqual([what, after]);
    }
  });

  it('counts only what moved', async () => {
    const one = client();
    await stores[0].insert(one);
    await stores[0].setDisabled(one.id, false);
    await stores[0].markSecretExposed(one.id, 'unknown', '2030-01-02');
    await stores[0].update(one, 7);
    await stores[0].replaceSecrets(one.id, [], 7);
    expect((await stores[1].find(one.id))?.revision).toBe(0);
  });

  it('takes the change of one of two people and keeps it whole; the other one is told', async () => {
    const one = client({ redirectUris: ['https://shop.example/cb'], scope: undefined });
    await stores[0].insert(one);
    let reading = 2;
    let go = () => {};
    const bothHaveRead = new Promise<void>((resolve) => {
      go = resolve;
    });
    const validate = () => {
      reading -= 1;
      if (reading === 0) go();
      return bothHaveRead;
    };
    const [anna, ben] = stores.map(
      (store) =>
        new ClientService({
          endTickets: async () => {},
          store,
          demo: false,
          resourceScopes: async () => new Set(),
          validate,
          audit: async () => {},
        }),
    ) as [ClientService, ClientService];
    const ends = await Promise.allSettled([
      anna.update('anna', one.id, { name: 'Renamed' }),
      ben.update('ben', one.id, { matchCode: 'type' }),
    ]);
    const lost = ends.filter((end) => end.status === 'rejected');
    expect(lost).toMatchObject([{ reason: { code: 'conflict' } }]);
    const annas = ends[0].status === 'fulfilled';
    expect(await stores[0].find(one.id)).toMatchObject({
      name: annas ? 'Renamed' : one.name,
      matchCode: annas ? one.matchCode : 'type',
      revision: 1,
    });
    // Nothing is lost: told of it, the other one tries again.
    await (annas ? ben.update('ben', one.id, { matchCode: 'type' }) : anna.update('anna', one.id, { name: 'Renamed' }));
    expect(await stores[1].find(one.id)).toMatchObject({ name: 'Renamed', matchCode: 'type', revision: 2 });
  });

  it('lets one of many changes win that read the same', async () => {
    const one = client();
    await stores[0].insert(one);
    const won = await Promise.all(
      Array.from({ length: RACERS }, (_, i) =>
        (stores[i % 2] as ClientStore).update({ ...one, name: `Rival ${i}` }, one.revision),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await stores[0].find(one.id))?.name).toBe(`Rival ${won.indexOf(true)}`);
  });

  it('T56 lets one of many new secrets win, so that no more than two live', async () => {
    const one = client();
    await stores[0].insert(one);
    const fresh = (i: number) => [{ hash: `fresh ${i}`, createdAt: '2030-03-01T00:00:00.000Z' }];
    const won = await Promise.all(
      Array.from({ length: RACERS }, (_, i) =>
        (stores[i % 2] as ClientStore).replaceSecrets(one.id, fresh(i), one.revision),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await stores[1].find(one.id))?.secrets).toEqual(fresh(won.indexOf(true)));
  });

  it('T52 disables and enables once, however many ask', async () => {
    const one = client();
    await stores[0].insert(one);
    for (const disabled of [true, false]) {
      const moved = await Promise.all(
        Array.from({ length: RACERS }, (_, i) => (stores[i % 2] as ClientStore).setDisabled(one.id, disabled)),
      );
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect((await stores[1].find(one.id))?.disabled).toBe(disabled);
    }
    expect(await stores[0].setDisabled('nobody', true)).toBe(false);
  });

  it('T55 marks a secret as exposed for the first who says so, and leaves the other secret alone', async () => {
    const one = client();
    await stores[0].insert(one);
    const mark = (i: number, hash: string) =>
      (stores[i % 2] as ClientStore).markSecretExposed(one.id, hash, `2030-01-02T00:00:00.${100 + i}Z`);
    const won = await Promise.all(Array.from({ length: RACERS }, (_, i) => mark(i, 'old')));
    expect(won.filter(Boolean)).toHaveLength(1);
    const [fresh, old] = one.secrets;
    const exposed = { ...old, exposedAt: `2030-01-02T00:00:00.${100 + won.indexOf(true)}Z` };
    expect((await stores[1].find(one.id))?.secrets).toEqual([fresh, exposed]);
    // Both at once: neither mark is lost.
    const two = client();
    await stores[0].insert(two);
    await Promise.all(
      ['new', 'old'].map((hash, i) => (stores[i] as ClientStore).markSecretExposed(two.id, hash, '2030-01-02')),
    );
    expect((await stores[0].find(two.id))?.secrets.map(({ exposedAt }) => exposedAt)).toEqual([
      '2030-01-02',
      '2030-01-02',
    ]);
    expect(await mark(0, 'unknown')).toBe(false);
    expect(await stores[0].markSecretExposed('nobody', 'old', 'now')).toBe(false);
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
