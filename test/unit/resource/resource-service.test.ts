import { beforeEach, describe, expect, it } from 'vitest';
import type { NewResourceServer } from '../../../src/resource/resource-rules.js';
import type { ResourceServer } from '../../../src/resource/resource-server.js';
import { ResourceService } from '../../../src/resource/resource-service.js';

const API = 'https://api.example';

/** The service over a store in memory. */
function build() {
  const rows = new Map<string, ResourceServer>();
  const audits: unknown[][] = [];
  const write = (row: ResourceServer) => rows.set(row.identifier, { ...row, revision: row.revision + 1 }) !== undefined;
  const service = new ResourceService({
    store: {
      insert: async (row) => !rows.has(row.identifier) && rows.set(row.identifier, row) !== undefined,
      find: async (identifier) => rows.get(identifier),
      list: async () => [...rows.values()],
      scopeNames: async () =>
        [...rows.values()].filter((row) => !row.disabled).flatMap((row) => row.scopes.map(({ name }) => name)),
      update: async (next, revision) => rows.get(next.identifier)?.revision === revision && write(next),
      setDisabled: async (identifier, disabled) => {
        const row = rows.get(identifier) as ResourceServer;
        return row.disabled !== disabled && write({ ...row, disabled });
      },
    },
    demo: false,
    findClient: async (id) =>
      (({ qcapi: { authMethod: 'client_secret_basic' }, qcspa: { authMethod: 'none' } }) as const)[id],
    audit: async (...entry: unknown[]) => void audits.push(entry),
  });
  const register = (more: Partial<NewResourceServer> = {}) =>
    service.register('anna', { identifier: API, name: 'Orders', scopes: [{ name: 'read' }], ...more });
  return { rows, audits, service, register };
}

describe('resource servers', () => {
  let house: ReturnType<typeof build>;
  beforeEach(() => {
    house = build();
  });

  it('are registered with the usual settings, and written down', async () => {
    const { server } = await house.register({ name: 'Ｏrders', introspectedBy: ['qcapi', 'qcapi'] });
    expect(server).toMatchObject({
      name: 'Orders',
      scopes: [{ name: 'read', description: 'read' }],
      tokenFormat: 'jwt',
      signingAlg: 'RS256',
      tokenSeconds: 900,
      introspectedBy: ['qcapi'],
      disabled: false,
    });
    expect(house.audits).toEqual([['anna', 'resource.create', API, { name: 'Orders' }]]);
    expect(await house.service.find(API)).toEqual(server);
  });

  it('tell every mistake at once, and store nothing', async () => {
    const refused = house.register({
      identifier: 'http://api.example',
      scopes: [{ name: 'openid' }],
      introspectedBy: ['qcnobody', 'qcspa'],
    });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
    const { message } = (await refused.catch((error: Error) => error)) as Error;
    for (const part of ['must be https', '"openid"', 'no client "qcnobody"', '"qcspa" is public'])
      expect(message).toContain(part);
    expect(house.rows.size).toBe(0);
    expect(house.audits).toEqual([]);
  });

  it('are registered once', async () => {
    await house.register();
    await expect(house.register({ name: 'Another' })).rejects.toMatchObject({ code: 'conflict' });
    expect((await house.service.get(API)).name).toBe('Orders');
    expect(house.audits).toHaveLength(1);
  });

  it('are found by exactly their identifier', async () => {
    await house.register();
    for (const other of [`${API}/`, `${API}/read`, 'https://API.example', ''])
      expect(await house.service.find(other)).toBeUndefined();
    await expect(house.service.get(`${API}/`)).rejects.toThrow(/resources list/);
  });

  it('change in what is named, and say what that was', async () => {
    await house.register({ introspectedBy: ['qcapi'] });
    const { server, changed } = await house.service.update('bert', API, {
      scopes: [{ name: 'read', description: 'Read it' }, { name: 'write' }],
      tokenSeconds: 60,
    });
    expect(changed).toEqual(['scopes', 'token_seconds']);
    expect(server).toMatchObject({ name: 'Orders', tokenSeconds: 60, introspectedBy: ['qcapi'], revision: 1 });
    expect(await house.service.get(API)).toEqual(server);
    expect(house.audits.at(-1)).toEqual(['bert', 'resource.update', API, { changed: ['scopes', 'token_seconds'] }]);
    const cleared = await house.service.update('bert', API, { introspectedBy: [] });
    expect(cleared.server.introspectedBy).toEqual([]);
  });

  it('that are changed to what they were stay untouched', async () => {
    await house.register();
    const same = await house.service.update('bert', API, { name: 'Orders', scopes: [{ name: 'read' }] });
    expect(same.changed).toEqual([]);
    expect(house.audits).toHaveLength(1);
    expect(house.rows.get(API)?.revision).toBe(0);
  });

  it('must be as good after a change as when they were new', async () => {
    await house.register();
    const bad = [
      { scopes: [] },
      { scopes: [{ name: 'profile' }] },
      { scopes: [{ name: 'a', description: 'b\n' }] },
      { name: '' },
      { tokenSeconds: 7200 },
      { introspectedBy: ['qcspa'] },
      { introspectedBy: ['qcnobody'] },
    ];
    for (const change of bad)
      await expect(house.service.update('bert', API, change)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(house.rows.get(API)?.revision).toBe(0);
    await expect(house.service.update('bert', 'https://other.example', { name: 'x' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('T52 that are disabled are found no more, and their scopes are nobody’s', async () => {
    await house.register();
    await house.register({ identifier: 'https://other.example', scopes: [{ name: 'read' }, { name: 'list' }] });
    expect(await house.service.scopeNames()).toEqual(new Set(['read', 'list']));
    expect(await house.service.disable('bert', 'https://other.example')).toMatchObject({ disabled: true, revision: 1 });
    expect(await house.service.find('https://other.example')).toBeUndefined();
    expect((await house.service.get('https://other.example')).disabled).toBe(true);
    expect(await house.service.scopeNames()).toEqual(new Set(['read']));
    await house.service.disable('bert', 'https://other.example');
    expect(await house.service.enable('bert', 'https://other.example')).toMatchObject({ disabled: false, revision: 2 });
    expect(await house.service.find('https://other.example')).toBeDefined();
    expect(house.audits.slice(2).map(([, action]) => action)).toEqual(['resource.disable', 'resource.enable']);
  });

  it('warn of what an administrator should know', async () => {
    const jwt = await house.register({ tokenSeconds: 600 });
    expect(jwt.warnings).toEqual([expect.stringContaining('until it expires (600 seconds)')]);
    const opaque = await house.register({ identifier: `${API}/`, tokenFormat: 'opaque', scopes: [{ name: 'read' }] });
    expect(opaque.warnings).toEqual([
      expect.stringContaining('--introspected-by'),
      expect.stringContaining(`read is also a scope of ${API}:`),
      expect.stringContaining('to the last character'),
    ]);
    const quiet = { identifier: 'https://b.example', tokenFormat: 'opaque', introspectedBy: ['qcapi'] } as const;
    expect((await house.register({ ...quiet, scopes: [{ name: 'b' }] })).warnings).toEqual([]);
  });
});
