import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/audit/audit-log.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import type { ResourceServer } from '../../src/resource/resource-server.js';
import { ResourceService } from '../../src/resource/resource-service.js';
import { createResourceStore, type ResourceStore } from '../../src/resource/resource-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const RACERS = 24;

const server = (more: Partial<ResourceServer> = {}): ResourceServer => ({
  identifier: `https://${randomUUID()}.example/a?b="c"`,
  revision: 0,
  name: '订单 Orders',
  scopes: [
    { name: 'orders:read', description: '读取您的订单, "all" of it' },
    { name: 'orders.write', description: 'orders.write' },
  ],
  tokenFormat: 'opaque',
  signingAlg: 'EdDSA',
  tokenSeconds: 3600,
  introspectedBy: ['qc0123', 'a,"{b}'],
  createdAt: new Date(),
  disabled: false,
  ...more,
});

describe('the resource store', () => {
  let files: TestDatabase;
  let databases: Database[];
  let stores: [ResourceStore, ResourceStore];

  beforeAll(async () => {
    files = await createTestDatabase();
    databases = [openDatabase(files.url), openDatabase(files.url)];
    stores = databases.map(createResourceStore) as [ResourceStore, ResourceStore];
  });
  afterAll(async () => {
    await Promise.all(databases?.map((database) => database.close()) ?? []);
    await files?.drop();
  });

  it('reads back what it was given', async () => {
    const full = server();
    const bare = server({ tokenFormat: 'jwt', signingAlg: 'RS256', tokenSeconds: 60, introspectedBy: [] });
    for (const one of [full, bare]) {
      expect(await stores[0].insert(one)).toBe(true);
      expect(await stores[1].find(one.identifier)).toEqual({ ...one, createdAt: expect.any(Date) });
    }
    expect((await stores[1].list()).map(({ identifier }) => identifier)).toEqual([full.identifier, bare.identifier]);
  });

  it('finds nothing for what nobody registered, or could', async () => {
    const one = server();
    await stores[0].insert(one);
    for (const identifier of ['', 'a\u0000b', '\ud800', `${one.identifier}/`, one.identifier.toUpperCase()])
      expect(await stores[0].find(identifier)).toBeUndefined();
  });

  it('refuses at the last line what the rules refuse at the first', async () => {
    for (const wrong of [{ tokenSeconds: 59 }, { tokenSeconds: 3601 }, { signingAlg: 'none' }, { tokenFormat: 'saml' }])
      await expect(stores[0].insert(server(wrong as never))).rejects.toThrow(/check constraint/);
  });

  it('gives an identifier to exactly one of many that ask for it', async () => {
    const { identifier } = server();
    const rivals = Array.from({ length: RACERS }, (_, i) => server({ identifier, name: `Rival ${i}` }));
    const won = await Promise.all(rivals.map((rival, i) => (stores[i % 2] as ResourceStore).insert(rival)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await stores[0].find(identifier))?.name).toBe(`Rival ${won.indexOf(true)}`);
  });

  it('lets exactly one of many write over the revision they all read', async () => {
    const one = server();
    await stores[0].insert(one);
    const won = await Promise.all(
      Array.from({ length: RACERS }, (_, i) =>
        (stores[i % 2] as ResourceStore).update({ ...one, name: `Rival ${i}` }, one.revision),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await stores[1].find(one.identifier)).toMatchObject({ name: `Rival ${won.indexOf(true)}`, revision: 1 });
  });

  it('writes every setting, and leaves identifier, date and status alone', async () => {
    const one = server();
    await stores[0].insert(one);
    await stores[0].setDisabled(one.identifier, true);
    const before = await stores[0].find(one.identifier);
    const next = server({
      identifier: one.identifier,
      name: 'B',
      scopes: [{ name: 'b', description: 'b' }],
      tokenFormat: 'jwt',
      signingAlg: 'PS256',
      tokenSeconds: 60,
      introspectedBy: [],
      createdAt: new Date(0),
    });
    expect(await stores[0].update(next, 1)).toBe(true);
    expect(await stores[1].find(one.identifier)).toEqual({
      ...next,
      revision: 2,
      disabled: true,
      createdAt: before?.createdAt,
    });
  });

  it('T52 shows to every node at the next look what was disabled, once', async () => {
    const one = server({ scopes: [{ name: 'only-here', description: 'x' }] });
    await stores[0].insert(one);
    expect(await stores[1].scopeNames()).toContain('only-here');
    const won = await Promise.all(
      Array.from({ length: RACERS }, (_, i) => (stores[i % 2] as ResourceStore).setDisabled(one.identifier, true)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await stores[1].find(one.identifier))?.disabled).toBe(true);
    expect(await stores[1].scopeNames()).not.toContain('only-here');
    expect(await stores[1].setDisabled(one.identifier, false)).toBe(true);
    expect(await stores[0].scopeNames()).toContain('only-here');
    expect(await stores[0].setDisabled('https://nobody.example', true)).toBe(false);
  });

  it('names a scope once that two have', async () => {
    for (const _ of [1, 2]) await stores[0].insert(server({ scopes: [{ name: 'shared', description: 'x' }] }));
    expect((await stores[1].scopeNames()).filter((name) => name === 'shared')).toHaveLength(1);
  });

  it('lets one of two administrators change it, tells the other, and writes down who it was', async () => {
    const [one, other] = databases.map(
      (database, i) =>
        new ResourceService({
          store: stores[i] as ResourceStore,
          demo: false,
          findClient: async () => undefined,
          audit: createAuditLog(database).record,
        }),
    ) as [ResourceService, ResourceService];
    const identifier = `https://${randomUUID()}.example`;
    await one.register('anna', { identifier, name: 'Orders', scopes: [{ name: 'read' }] });
    const both = await Promise.allSettled([
      ...Array.from({ length: 6 }, (_, i) => one.update('anna', identifier, { tokenSeconds: 100 + i })),
      ...Array.from({ length: 6 }, (_, i) => other.update('bert', identifier, { tokenSeconds: 200 + i })),
    ]);
    const done = both.filter(({ status }) => status === 'fulfilled');
    const refused = both.filter((result) => result.status === 'rejected');
    expect(done.length).toBeGreaterThan(0);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'conflict' });
    expect((await other.get(identifier)).revision).toBe(done.length);
    const events = await files.sql('SELECT actor, action FROM audit_event WHERE target = $1', [identifier]);
    expect(events.filter(({ action }) => action === 'resource.update')).toHaveLength(done.length);
    expect(events).toContainEqual({ actor: 'anna', action: 'resource.create' });
  });
});
