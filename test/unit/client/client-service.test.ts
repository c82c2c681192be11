import { beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/client/client.js';
import { ClientService, type NewClient } from '../../../src/client/client-service.js';
import { hashSecret } from '../../../src/secret.js';

const REDIRECT = 'https://shop.example/cb';

/** The service over a store in memory. */
function build() {
  const rows = new Map<string, Client>();
  const audits: unknown[][] = [];
  const service = new ClientService({
    store: {
      insert: async (client: Client) => !rows.has(client.id) && rows.set(client.id, client) !== undefined,
      find: async (id: string) => rows.get(id),
      list: async () => [...rows.values()],
    } as never,
    demo: false,
    validate: async () => {},
    audit: async (...entry: unknown[]) => void audits.push(entry),
  });
  const register = (more: Partial<NewClient> = {}) =>
    service.register('anna', { name: 'Book shop', redirectUris: [REDIRECT], ...more });
  return { rows, audits, service, register };
}

describe('registering a client', () => {
  let house: ReturnType<typeof build>;
  beforeEach(() => {
    house = build();
  });

  it('tells every mistake at once, and stores nothing', async () => {
    const refused = house.register({
      name: 'B\u0430nk',
      redirectUris: ['http://shop.example/', 'https://shop.example/*'],
      embedOrigins: ['*'],
      callbackDomain: 'shop.example',
      unionName: 'a b',
    });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
    const { message } = (await refused.catch((error: Error) => error)) as Error;
    for (const part of [
      'mixes scripts',
      'must be https',
      'wildcard',
      'embed origin "*"',
      'callback domain',
      'union name',
    ]) {
      expect(message).toContain(part);
    }
    expect(house.rows.size).toBe(0);
    expect(house.audits).toEqual([]);
  });

  it('T37 refuses a client without a redirect URI', async () => {
    await expect(house.register({ redirectUris: [] })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('shows the secret once and keeps its hash', async () => {
    const { client, secret } = await house.register();
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(client.secrets.map(({ hash }) => hash)).toEqual([hashSecret(secret as string)]);
    expect(JSON.stringify([...house.rows.values(), house.audits])).not.toContain(secret);
  });

  it('gives a wechat client the shapes its libraries know', async () => {
    const { client, secret } = await house.register({ dialect: 'wechat' });
    expect(client.id).toMatch(/^wx[0-9a-f]{16}$/);
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
  });

  it('gives a public client no secret, and no wechat client goes without one', async () => {
    expect((await house.register({ authMethod: 'none' })).secret).toBeUndefined();
    await expect(house.register({ authMethod: 'none', dialect: 'wechat' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('T28 invites the origins of the redirect URIs into frames, unless others are named', async () => {
    const uris = [REDIRECT, 'https://shop.example/other', 'https://m.shop.example:8443/cb'];
    expect((await house.register({ redirectUris: uris })).client.embedOrigins).toEqual([
      'https://shop.example',
      'https://m.shop.example:8443',
    ]);
    const named = await house.register({ redirectUris: uris, embedOrigins: ['https://www.shop.example'] });
    expect(named.client.embedOrigins).toEqual(['https://www.shop.example']);
  });

  it('T26 stores the name in its one normal form', async () => {
    expect((await house.register({ name: 'Ｂｏｏｋ shop' })).client.name).toBe('Book shop');
  });

  it('warns of what an administrator should know', async () => {
    const { warnings } = await house.register({ dialect: 'wechat', callbackDomain: 'shop.example', matchCode: 'off' });
    expect(warnings).toHaveLength(3);
    expect((await house.register()).warnings).toEqual([]);
  });

  it('keeps a client that exists when another asks for its id', async () => {
    const { client } = await house.register({ id: 'demo' });
    await expect(house.register({ id: 'demo', name: 'Other' })).rejects.toMatchObject({ code: 'conflict' });
    expect(house.rows.get('demo')).toBe(client);
  });

  it('finds a disabled client by name, never as an active one', async () => {
    const { client } = await house.register();
    house.rows.set(client.id, { ...client, disabled: true });
    expect(await house.service.find(client.id)).toBeDefined();
    expect(await house.service.active(client.id)).toBeUndefined();
    expect(await house.service.active('nobody')).toBeUndefined();
  });
});
