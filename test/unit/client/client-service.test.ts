import crypto, { generateKeyPairSync } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Client } from '../../../src/client/client.js';
import type { ClientChange } from '../../../src/client/client-change.js';
import { type ClientSecret, secretMatches } from '../../../src/client/client-secret.js';
import { ClientService } from '../../../src/client/client-service.js';
import type { NewClient } from '../../../src/client/registration.js';
import { type Saying, say } from '../../../src/saying.js';
import { hashSecret } from '../../../src/secret.js';
import { BANNED_BACKCHANNEL_URIS, BANNED_NATIVE_URIS, BANNED_URIS } from '../../support/banned-uris.js';

const REDIRECT = 'https://shop.example/cb';
const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const KEYS = { keys: [PUBLIC_KEY as { kty: string }] };

const said = (warnings: readonly Saying[]) => warnings.map((one) => say(one)).join();

/** The service over a store in memory. */
function build() {
  const rows = new Map<string, Client>();
  const audits: unknown[][] = [];
  const write = (row: Client) => rows.set(row.id, { ...row, revision: row.revision + 1 }) !== undefined;
  const resourceScopes = new Set(['orders:read']);
  const service = new ClientService({
    endTickets: async () => {},
    store: {
      insert: async (client: Client) => !rows.has(client.id) && rows.set(client.id, client) !== undefined,
      find: async (id: string) => rows.get(id),
      list: async () => [...rows.values()],
      update: async (next: Client, revision: number) =>
        rows.get(next.id)?.revision === revision && write({ ...next, revision }),
      setDisabled: async (id: string, disabled: boolean) => {
        const row = rows.get(id) as Client;
        return row.disabled !== disabled && write({ ...row, disabled });
      },
      replaceSecrets: async (id: string, secrets: ClientSecret[], revision: number) => {
        const row = rows.get(id) as Client;
        return row.revision === revision && write({ ...row, secrets });
      },
      markSecretExposed: async (id: string, hash: string, exposedAt: string) => {
        const row = rows.get(id) as Client;
        const secrets = row.secrets.map((one) => (one.hash === hash ? { ...one, exposedAt } : one));
        return write({ ...row, secrets });
      },
    } as never,
    demo: false,
    resourceScopes: async () => resourceScopes,
    validate: async (client) => {
      if (client.name === 'Refused') throw new Error('the engine refuses this');
    },
    audit: async (...entry: unknown[]) => void audits.push(entry),
  });
  const register = (more: Partial<NewClient> = {}) =>
    service.register('anna', { name: 'Book shop', redirectUris: [REDIRECT], ...more });
  return { rows, audits, service, register, resourceScopes };
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
    expect(warnings.map((warning) => say(warning))).toEqual([
      expect.stringMatching(/^the wechat dialect puts the secret and tokens in query strings/),
      expect.stringMatching(/^requests without state are accepted/),
      expect.stringMatching(/^tokens are refreshed without the secret/),
      'a callback domain accepts any address on shop.example: exact redirect URIs are safer',
      expect.stringMatching(/^without the match code/),
    ]);
    expect((await house.register()).warnings).toEqual([]);
  });

  it.each<[string, Partial<NewClient>, RegExp]>([
    ['a hash route outside the wechat dialect', { redirectUris: ['https://shop.example/#/login'] }, /fragment/],
    ['a scope that does not exist', { scope: 'openid email' }, /"email" does not exist/],
    ['scopes without openid', { scope: 'profile' }, /must hold openid/],
    ['a choice of scopes in the wechat dialect', { dialect: 'wechat', scope: 'openid' }, /snsapi_login/],
    ['refreshRequiresSecret outside the wechat dialect', { refreshRequiresSecret: true }, /wechat dialect only/],
    ['stateRequired outside the wechat dialect', { stateRequired: true }, /wechat dialect only/],
    ['openidRequired outside the wechat dialect', { openidRequired: true }, /wechat dialect only/],
    ['jsonAnswers outside the wechat dialect', { jsonAnswers: true }, /wechat dialect only/],
    ['styleSheets outside the wechat dialect', { styleSheets: true }, /wechat dialect only/],
    ['keys in the wechat dialect', { dialect: 'wechat', clientKeys: KEYS }, /oauth dialect only/],
    ['requirePar in the wechat dialect', { dialect: 'wechat', requirePar: true }, /oauth dialect only/],
    ['signed requests in the wechat dialect', { dialect: 'wechat', requireSignedRequest: true }, /oauth dialect only/],
    ['DPoP in the wechat dialect', { dialect: 'wechat', dpopRequired: true }, /oauth dialect only/],
    ['the device flow in the wechat dialect', { dialect: 'wechat', deviceFlow: true }, /oauth dialect only/],
    ['a sign-in age in the wechat dialect', { dialect: 'wechat', defaultMaxAge: 0 }, /oauth dialect only/],
    ['an algorithm in the wechat dialect', { dialect: 'wechat', idTokenAlg: 'ES256' }, /oauth dialect only/],
    [
      'post-logout redirect URIs in the wechat dialect',
      { dialect: 'wechat', postLogoutRedirectUris: [REDIRECT] },
      /oauth dialect only/,
    ],
    [
      'a back-channel logout URI in the wechat dialect',
      { dialect: 'wechat', backchannelLogoutUri: REDIRECT },
      /oauth dialect only/,
    ],
    [
      'a key as the secret of a wechat client',
      { dialect: 'wechat', authMethod: 'private_key_jwt' },
      /always has a secret/,
    ],
    ['private_key_jwt without keys', { authMethod: 'private_key_jwt' }, /needs the public keys .* with clientKeys$/],
    ['signed requests without keys', { requireSignedRequest: true }, /need the public keys .* with clientKeys$/],
    ['no key in a set', { clientKeys: { keys: [] } }, /1 to 10 keys/],
    ['what is no key set', { clientKeys: { keys: 7 } as never }, /clientKeys must be a JWK set/],
    [
      'a symmetric key',
      { clientKeys: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } as never },
      /symmetric key: use an RSA, EC or OKP key/,
    ],
    ['a sign-in age below zero', { defaultMaxAge: -1 }, /from 0 to 31536000/],
    ['a sign-in age of half a second', { defaultMaxAge: 0.5 }, /defaultMaxAge must be a whole number/],
    ['an endless sign-in age', { defaultMaxAge: 31_536_001 }, /from 0 to 31536000/],
    ['an algorithm that does not exist', { idTokenAlg: 'none' as never }, /must be RS256 or ES256 or PS256 or EdDSA/],
    ['a method that does not exist', { authMethod: 'client_secret_jwt' as never }, /authMethod must be/],
    ['a flag that is none', { dpopRequired: 'yes' as never }, /dpopRequired must be true or false/],
    ['a list that is none', { postLogoutRedirectUris: REDIRECT as never }, /postLogoutRedirectUris must be a list/],
    ['null', { backchannelLogoutUri: null as never }, /backchannelLogoutUri must be a text/],
    ['51 redirect URIs', { redirectUris: Array.from({ length: 51 }, (_, i) => `${REDIRECT}/${i}`) }, /at most 50/],
    [
      '51 post-logout redirect URIs',
      { postLogoutRedirectUris: Array.from({ length: 51 }, (_, i) => `${REDIRECT}/${i}`) },
      /at most 50/,
    ],
    ['a scope of no resource server', { scope: 'openid orders:write' }, /"orders:write" does not exist/],
    ['a scope that only looks like one', { scope: 'openid  profile' }, /"" does not exist/],
  ])('refuses %s', async (_what, input, message) => {
    await expect(house.register(input)).rejects.toThrow(message);
    expect(house.rows.size).toBe(0);
  });

  it.each([...BANNED_URIS, ...BANNED_NATIVE_URIS])(
    'T37 refuses %s as any address of a client, at its registration and later',
    async (what, uri) => {
      const native = BANNED_NATIVE_URIS.some(([other, same]) => other === what && same === uri);
      const base = { applicationType: native ? ('native' as const) : undefined };
      const { client } = await house.register(base);
      for (const change of [
        { redirectUris: [REDIRECT, uri] },
        { postLogoutRedirectUris: [REDIRECT, uri] },
        { backchannelLogoutUri: uri },
      ]) {
        const message = expect.stringMatching(/redirect URI|back-channel logout URI/);
        const refused = { code: 'invalid_request', message };
        await expect(house.register({ ...base, ...change })).rejects.toMatchObject(refused);
        await expect(house.service.update('anna', client.id, change)).rejects.toMatchObject(refused);
      }
      expect([...house.rows.values()]).toEqual([client]);
    },
  );

  it.each(BANNED_BACKCHANNEL_URIS)('T60 refuses %s for back-channel logout (%s)', async (_what, uri) => {
    const { client } = await house.register();
    for (const work of [
      house.register({ backchannelLogoutUri: uri }),
      house.service.update('anna', client.id, { backchannelLogoutUri: uri }),
    ])
      await expect(work).rejects.toMatchObject({ code: 'invalid_request' });
    expect([...house.rows.values()]).toEqual([client]);
  });

  it('keeps every setting of the standards, in one form', async () => {
    const settings = {
      requirePar: true,
      requireSignedRequest: true,
      dpopRequired: true,
      deviceFlow: true,
      defaultMaxAge: 0,
      idTokenAlg: 'EdDSA',
      backchannelLogoutUri: 'https://shop.example/logout',
      scope: 'openid orders:read',
    } as const;
    const { client } = await house.register({
      ...settings,
      postLogoutRedirectUris: [REDIRECT, REDIRECT],
      clientKeys: { keys: [{ ...PUBLIC_KEY, x5u: 'https://evil.example/' } as never] },
    });
    expect(client).toMatchObject({ ...settings, postLogoutRedirectUris: [REDIRECT], clientKeys: KEYS });
    expect(JSON.stringify(client)).not.toContain('x5u');
  });

  it('T48 refuses a private key beside its public one, and stores and repeats nothing of it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = privateKey.export({ format: 'jwk' });
    const { client } = await house.register({ clientKeys: KEYS });
    const clientKeys = { keys: [jwk as { kty: string }] };
    // Pasted again with its private part, the key that is registered already is no less told.
    for (const work of [
      house.register({ clientKeys }),
      house.service.update('anna', client.id, { clientKeys }),
      house.service.update('anna', client.id, { clientKeys: { keys: [{ ...KEYS.keys[0], d: jwk.d } as never] } }),
    ]) {
      const { message } = (await work.catch((error: Error) => error)) as Error;
      expect(message).toMatch(/private key: paste the public part only/);
      expect(message).not.toContain(jwk.d);
    }
    expect([...house.rows.values()]).toEqual([client]);
  });

  it('registers an app that signs in on another device without an address', async () => {
    const { client, warnings } = await house.register({ redirectUris: [], deviceFlow: true });
    expect([client.redirectUris, client.embedOrigins]).toEqual([[], []]);
    expect(said(warnings)).toMatch(/device flow/);
    await expect(house.service.update('anna', client.id, { deviceFlow: false })).rejects.toThrow(
      /at least one redirect/,
    );
  });

  it('registers an app with a scheme of its own, and lets no frame in for it', async () => {
    const { client } = await house.register({ applicationType: 'native', redirectUris: ['com.example.app:/cb'] });
    expect(client).toMatchObject({ redirectUris: ['com.example.app:/cb'], embedOrigins: [] });
  });

  it('T93 warns of less in a wechat client that is stricter than WeChat', async () => {
    const { warnings } = await house.register({ dialect: 'wechat', stateRequired: true, refreshRequiresSecret: true });
    expect(warnings).toHaveLength(1);
  });

  it('T56 says when a rotation ends a secret earlier than it had promised', async () => {
    const { client } = await house.register();
    const first = await house.service.rotateSecret('anna', client.id, 3600);
    expect(said(first.warnings)).not.toContain('refused from now on');
    const promised = house.rows.get(client.id)?.secrets[1]?.expiresAt as string;
    const second = await house.service.rotateSecret('anna', client.id, 3600);
    expect(said(second.warnings)).toContain(`work until ${promised} is refused from now on`);
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

describe('changing a client', () => {
  let house: ReturnType<typeof build>;
  beforeEach(() => {
    house = build();
  });

  const change = async (more: Partial<NewClient>, changes: ClientChange) => {
    const { client } = await house.register(more);
    const answer = await house.service.update('anna', client.id, changes);
    expect(house.rows.get(client.id)).toEqual(answer.client);
    return { before: client, ...answer };
  };

  it('changes what is named, leaves the rest, and tells the audit log which fields moved', async () => {
    const { before, client, changed, secret } = await change(
      { unionName: 'shops', scope: 'openid' },
      { name: 'Ｔea house', redirectUris: [REDIRECT, 'https://shop.example/other', REDIRECT], matchCode: 'off' },
    );
    expect(client).toEqual({
      ...before,
      name: 'Tea house',
      redirectUris: [REDIRECT, 'https://shop.example/other'],
      matchCode: 'off',
      revision: 1,
    });
    expect(secret).toBeUndefined();
    expect(changed).toEqual(['match_code', 'name', 'redirect_uris']);
    const [before_, after] = [before, client].map(({ matchCode, name, redirectUris }) => ({
      match_code: matchCode,
      name,
      redirect_uris: redirectUris,
    }));
    expect(house.audits.at(-1)).toEqual(['anna', 'client.update', client.id, { changed, before: before_, after }]);
  });

  it('takes away what is null, and switches off again what is false', async () => {
    const { client } = await change(
      { dialect: 'wechat', unionName: 'shops', callbackDomain: 'shop.example', stateRequired: true },
      { unionName: null, newUnionids: true, callbackDomain: null, stateRequired: false, jsonAnswers: true },
    );
    expect(client).toMatchObject({ stateRequired: false, jsonAnswers: true });
    expect([client.unionName, client.callbackDomain]).toEqual([undefined, undefined]);
  });

  it.each<[string, string | undefined, string | null]>([
    ['another union', 'shops', 'cafes'],
    ['a first union', undefined, 'shops'],
    ['no union any more', 'shops', null],
  ])('gives everybody another unionid (%s) only when told to', async (_what, unionName, next) => {
    const { client } = await house.register({ unionName });
    for (const newUnionids of [undefined, false]) {
      const refused = house.service.update('anna', client.id, { name: 'Tea house', unionName: next, newUnionids });
      await expect(refused).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(
          /every person gets another unionid at this client; a site that knows people by it loses them.*newUnionids/,
        ),
      });
    }
    expect(house.rows.get(client.id)).toBe(client);
    expect(house.audits).toHaveLength(1);
    const told = await house.service.update('anna', client.id, { unionName: next, newUnionids: true });
    expect(told.changed).toEqual(['union_name']);
    expect(house.rows.get(client.id)?.unionName).toBe(next ?? undefined);
    expect(Object.keys(told.client).sort()).toEqual(Object.keys(client).sort());
  });

  it('needs no such word for the union that it has, or for none where there is none', async () => {
    expect((await change({ unionName: 'shops' }, { unionName: 'shops', name: 'Tea house' })).changed).toEqual(['name']);
    expect((await change({ unionName: 'shops' }, { unionName: 'shops' })).changed).toEqual([]);
    expect((await change({}, { unionName: null, matchCode: 'off' })).changed).toEqual(['match_code']);
    expect((await change({}, { newUnionids: true })).changed).toEqual([]);
  });

  it('writes nothing when everything was so already', async () => {
    const { changed } = await change({}, { name: 'Book shop', redirectUris: [REDIRECT] });
    expect(changed).toEqual([]);
    expect(house.audits.map(([, action]) => action)).toEqual(['client.create']);
  });

  it('T28 lets the new addresses frame it instead of the old ones, where nobody chose who may', async () => {
    const moved = { redirectUris: ['https://new.example/cb'] };
    const { client, warnings } = await change({}, moved);
    expect(client.embedOrigins).toEqual(['https://new.example']);
    expect(warnings).toEqual([]);
    const domain = await change({ dialect: 'wechat' }, { redirectUris: [], callbackDomain: 'new.example' });
    expect(domain.client.embedOrigins).toEqual(['https://new.example']);
  });

  it('T28 keeps a list that somebody chose, and says who is in it and should not be, and the other way round', async () => {
    const chosen = { embedOrigins: ['https://www.shop.example'] };
    const moved = { redirectUris: ['https://new.example/cb'] };
    const { client, warnings } = await change(chosen, moved);
    expect(client.embedOrigins).toEqual(chosen.embedOrigins);
    expect(said(warnings)).toContain('https://new.example may not frame');
    expect(said(warnings)).toContain('https://www.shop.example may frame the QR page though');
    expect((await change(chosen, { ...moved, embedOrigins: [] })).client.embedOrigins).toEqual(['https://new.example']);
    const named = await change({}, { ...moved, embedOrigins: ['https://www.new.example'] });
    expect(named.client.embedOrigins).toEqual(['https://www.new.example']);
    expect(named.warnings).toEqual([]);
  });

  it.each<[string, Partial<NewClient>, ClientChange, RegExp]>([
    ['a bad redirect URI', {}, { redirectUris: ['http://shop.example/'] }, /must be https/],
    ['no redirect URI', {}, { redirectUris: [] }, /at least one redirect URI/],
    ['a name that pretends', {}, { name: 'B\u0430nk' }, /mixes scripts/],
    ['a setting of the other dialect', {}, { stateRequired: true }, /wechat dialect only/],
    ['a wechat client without a secret', { dialect: 'wechat' }, { authMethod: 'none' }, /always has a secret/],
    [
      'the last address taken away',
      { dialect: 'wechat', redirectUris: [], callbackDomain: 'shop.example' },
      { callbackDomain: null },
      /at least one/,
    ],
    ['null for what has a default', { dpopRequired: true }, { dpopRequired: null as never }, /must be true or false/],
    ['keys that are none', { clientKeys: KEYS }, { clientKeys: { keys: 7 } as never }, /clientKeys must be a JWK set/],
    ['what the engine refuses', {}, { name: 'Refused' }, /the engine refuses/],
  ])('refuses %s as a registration would, and changes nothing', async (_what, more, changes, message) => {
    const { client } = await house.register(more);
    await expect(house.service.update('anna', client.id, changes)).rejects.toThrow(message);
    expect(house.rows.get(client.id)).toBe(client);
    expect(house.audits).toHaveLength(1);
  });

  it('T56 makes a first secret for a client that begins to authenticate, and keeps none for one that ceases to', async () => {
    const begun = await change({ authMethod: 'none' }, { authMethod: 'client_secret_basic' });
    expect(begun.client.secrets.map(({ hash }) => hash)).toEqual([hashSecret(begun.secret as string)]);
    const ceased = await change({}, { authMethod: 'none' });
    expect([ceased.client.secrets, ceased.secret]).toEqual([[], undefined]);
    const moved = await change({}, { authMethod: 'client_secret_post' });
    expect([moved.client.secrets, moved.secret]).toEqual([moved.before.secrets, undefined]);
  });

  it('T56 leaves no secret to a client that begins to use its key, and gives none of the old ones back', async () => {
    const { client, secret: first } = await house.register();
    const keyed = await house.service.update('anna', client.id, { authMethod: 'private_key_jwt', clientKeys: KEYS });
    expect([keyed.client.secrets, keyed.secret]).toEqual([[], undefined]);
    expect(keyed.changed).toEqual(['auth_method', 'client_keys']);
    const rotating = house.service.rotateSecret('anna', client.id, 3600);
    await expect(rotating).rejects.toThrow(/its own key and has no secret; change clientKeys, or authMethod first/);
    const back = await house.service.update('anna', client.id, { authMethod: 'client_secret_post' });
    expect(back.client.secrets.map(({ hash }) => hash)).toEqual([hashSecret(back.secret as string)]);
    expect(secretMatches(back.client.secrets, first as string)).toBe(false);
    const open = await house.service.update('anna', client.id, { authMethod: 'none', clientKeys: null });
    expect(open.client).toMatchObject({ secrets: [], clientKeys: undefined });
  });

  it('T56 registers a client with a key without a secret', async () => {
    const { client, secret } = await house.register({ authMethod: 'private_key_jwt', clientKeys: KEYS });
    expect([client.secrets, secret]).toEqual([[], undefined]);
  });

  it.each<[string, Partial<NewClient>]>([
    ['it authenticates with them', { authMethod: 'private_key_jwt', clientKeys: KEYS }],
    ['its requests must be signed', { requireSignedRequest: true, clientKeys: KEYS }],
  ])('does not take the keys away while %s', async (_what, more) => {
    const { client } = await house.register(more);
    await expect(house.service.update('anna', client.id, { clientKeys: null })).rejects.toThrow(/with clientKeys$/);
    expect(house.rows.get(client.id)).toBe(client);
  });

  it('takes away what is null of the standards, and knows the same keys again', async () => {
    const { client } = await house.register({
      clientKeys: KEYS,
      defaultMaxAge: 60,
      backchannelLogoutUri: 'https://shop.example/logout',
      postLogoutRedirectUris: [REDIRECT],
      scope: 'openid',
    });
    const { x, y, ...rest } = PUBLIC_KEY;
    const same = await house.service.update('anna', client.id, { clientKeys: { keys: [{ y, x, ...rest } as never] } });
    expect(same.changed).toEqual([]);
    const bare = await house.service.update('anna', client.id, {
      clientKeys: null,
      defaultMaxAge: null,
      backchannelLogoutUri: null,
      postLogoutRedirectUris: [],
      scope: null,
    });
    expect(bare.client).toMatchObject({ clientKeys: undefined, defaultMaxAge: undefined, postLogoutRedirectUris: [] });
    expect([bare.client.backchannelLogoutUri, bare.client.scope]).toEqual([undefined, undefined]);
  });

  it('T54 keeps a scope of a resource server that is gone, and lets no client have it anew', async () => {
    const { client } = await house.register({ scope: 'openid orders:read' });
    house.resourceScopes.delete('orders:read');
    expect((await house.service.update('anna', client.id, { name: 'Tea house' })).client.scope).toBe(client.scope);
    await expect(house.register({ scope: 'openid orders:read' })).rejects.toThrow(/"orders:read" does not exist/);
    await house.service.update('anna', client.id, { scope: 'openid' });
    const again = house.service.update('anna', client.id, { scope: 'openid orders:read' });
    await expect(again).rejects.toThrow(/"orders:read" does not exist/);
  });

  it('does not write over what somebody else changed meanwhile', async () => {
    const { client } = await house.register();
    const both = [{ name: 'One' }, { name: 'Two' }].map((changes) => house.service.update('a', client.id, changes));
    const [one, two] = await Promise.allSettled(both);
    expect(one?.status).toBe('fulfilled');
    expect(two).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });
    expect(house.rows.get(client.id)?.name).toBe('One');
  });

  it('returns the client with the revision it then has', async () => {
    const { client } = await house.register();
    const { service } = house;
    for (const work of [
      async () => (await service.update('a', client.id, { name: 'One' })).client,
      async () => (await service.rotateSecret('a', client.id, 0)).client,
      () => service.disable('a', client.id),
      () => service.disable('a', client.id),
      () => service.enable('a', client.id),
    ]) {
      expect(await work()).toEqual(await service.get(client.id));
    }
  });

  it('disables and enables, and tells the audit log of what moved only', async () => {
    const { client } = await house.register();
    expect((await house.service.disable('anna', client.id)).disabled).toBe(true);
    await house.service.disable('anna', client.id);
    expect((await house.service.enable('anna', client.id)).disabled).toBe(false);
    expect(house.audits.map(([, action]) => action)).toEqual(['client.create', 'client.disable', 'client.enable']);
  });

  it('knows no client that is not there', async () => {
    const { service } = house;
    for (const work of [
      service.get('qc1'),
      service.update('a', 'qc1', { name: 'x' }),
      service.disable('a', 'qc1'),
      service.enable('a', 'qc1'),
      service.rotateSecret('a', 'qc1', 0),
    ]) {
      await expect(work).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('"qc1"') });
    }
    expect(await service.noteExposed('qc1', ['x'])).toBe(false);
  });
});

describe('the secrets of a client', () => {
  let house: ReturnType<typeof build>;
  beforeEach(() => {
    house = build();
  });

  it.each(['oauth', 'wechat'] as const)(
    'T56 %s: a new one has the shape of the first, and two live at most',
    async (dialect) => {
      const { client, secret: first } = await house.register({ dialect });
      const known = (secret: string | undefined, now?: Date) =>
        secretMatches(house.rows.get(client.id)?.secrets ?? [], secret as string, now);
      const { secret: second, ...rotated } = await house.service.rotateSecret('anna', client.id, 3600);
      expect(second).toMatch(dialect === 'wechat' ? /^[0-9a-f]{32}$/ : /^[\w-]{43}$/);
      expect([known(first), known(second)]).toEqual([true, true]);
      const end = new Date(rotated.client.secrets[1]?.expiresAt as string);
      expect(end.getTime() - Date.now()).toBeGreaterThan(3_500_000);
      expect(end.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
      expect([known(first, new Date(end.getTime() - 1)), known(first, end), known(second, end)]).toEqual([
        true,
        false,
        true,
      ]);
      const { secret: third } = await house.service.rotateSecret('anna', client.id, 3600);
      expect([known(first), known(second), known(third)]).toEqual([false, true, true]);
      const { secret: last } = await house.service.rotateSecret('anna', client.id, 0);
      expect([known(second), known(third), known(last)]).toEqual([false, false, true]);
      // Not even kept as expired: a node whose clock is slow would take it a little longer.
      expect(house.rows.get(client.id)?.secrets).toHaveLength(1);
      expect(house.audits.at(-1)).toEqual(['anna', 'client.rotate-secret', client.id, { grace_seconds: 0 }]);
      expect(JSON.stringify([...house.rows.values(), house.audits])).not.toContain(last);
    },
  );

  it('T56 a public client has none to replace', async () => {
    const { client } = await house.register({ authMethod: 'none' });
    await expect(house.service.rotateSecret('anna', client.id, 0)).rejects.toThrow(
      'a public client has no secret; change authMethod first',
    );
  });

  it('T56 are hashed and compared as often for a client that has none as for one that has', async () => {
    const { client, secret } = await house.register();
    const { client: open } = await house.register({ authMethod: 'none' });
    // Node's own functions, counted.
    const [hashed, compared] = [vi.spyOn(crypto, 'hash'), vi.spyOn(crypto, 'timingSafeEqual')];
    syncBuiltinESMExports();
    onTestFinished(() => {
      for (const spy of [hashed, compared]) spy.mockRestore();
      syncBuiltinESMExports();
    });
    const work = (who: readonly ClientSecret[], what: string) => {
      for (const spy of [hashed, compared]) spy.mockClear();
      return [secretMatches(who, what), hashed.mock.calls.length, compared.mock.calls.length];
    };
    expect(work(client.secrets, secret as string)).toEqual([true, 1, 1]);
    for (const wrong of ['', 'wrong', `${secret?.slice(0, -1)}!`, '-'.repeat(43), 'x'.repeat(100_000)]) {
      for (const who of [client.secrets, open.secrets]) expect(work(who, wrong)).toEqual([false, 1, 1]);
    }
  });

  it('T55 are marked when they were seen in a query string: live ones only, and once', async () => {
    const { client, secret: first } = await house.register();
    const { secret: second } = await house.service.rotateSecret('anna', client.id, 3600);
    const note = (...secrets: Array<string | undefined>) => house.service.noteExposed(client.id, secrets as string[]);
    expect(await note('wrong', '')).toBe(false);
    expect(await note('wrong', second)).toBe(true);
    expect(await note(second)).toBe(false);
    expect(await note(first)).toBe(true);
    const exposed = house.rows.get(client.id)?.secrets.map(({ exposedAt }) => typeof exposedAt);
    expect(exposed).toEqual(['string', 'string']);
    await house.service.rotateSecret('anna', client.id, 0);
    expect(await note(first, second)).toBe(false);
    expect(house.audits.filter(([, action]) => action === 'client.secret-exposed')).toHaveLength(2);
  });

  it('T55 are told with the way to replace them, or with when they end', async () => {
    const { client, secret } = await house.register();
    await house.service.noteExposed(client.id, [secret as string]);
    const warned = async () => said((await house.service.update('anna', client.id, {})).warnings);
    expect(await warned()).toContain('exposed, give the client a new one');
    const { warnings } = await house.service.rotateSecret('anna', client.id, 3600);
    expect(said(warnings)).toMatch(/old secret was sent in a query string .* accepted until/);
    await house.service.rotateSecret('anna', client.id, 0);
    expect(await warned()).toBe('');
  });
});
