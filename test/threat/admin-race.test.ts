/** T19, T20, T21, T23, T71: what an administrator loses while a request of theirs is still on its way is lost to that request. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMINISTRATOR,
  type AtConsole,
  callConsole,
  makeAdministrator,
  signInToConsole,
  withCookieOf,
} from '../support/administrator.js';
import { beginSlowly } from '../support/raw-http.js';
import { SoftwareAuthenticator } from '../support/software-authenticator.js';
import { startApp, type TestApp } from '../support/start-app.js';

type Options = Parameters<SoftwareAuthenticator['register']>[0];

const EVIL = { name: 'Evil', redirect_uris: ['https://evil.example/callback'] };
let server: TestApp;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  await makeAdministrator(server);
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await server.database.sql('TRUNCATE administrator_passkey, administrator_session, wrong_guess');
});

const clientsNamed = (name: string) => server.database.sql('SELECT id FROM client WHERE name = $1', [name]);

/** A call whose body is not all there yet; the server has looked at everything that it will look at before. */
async function slowly({ cookie, csrf, call }: AtConsole, path: string, body: unknown) {
  const headers = [`Origin: ${server.url}`, `Cookie: ${cookie}`, `X-CSRF-Token: ${csrf}`];
  const begun = await beginSlowly(server.url, [`POST ${path}`, ...headers], JSON.stringify(body));
  // Asks the same of the database, later.
  await call('GET', '/admin/passkeys');
  return begun;
}

async function newPasskey(admin: AtConsole, name = 'laptop') {
  const device = new SoftwareAuthenticator(server.url);
  const { body } = await admin.call('POST', '/admin/passkeys/begin', {});
  return { device, sent: { name, response: device.register(body.options as Options) } };
}

async function signInBy(device: SoftwareAuthenticator): Promise<AtConsole> {
  const begun = await callConsole(server, 'POST', '/admin/sign-in/passkey/begin', {});
  const response = device.assert(begun.body.options as never);
  return withCookieOf(server, await callConsole(server, 'POST', '/admin/sign-in/passkey', { response }));
}

describe('a request that is sent slowly', () => {
  for (const [what, end] of Object.entries<(admin: AtConsole) => Promise<unknown>>({
    'a reset': () => server.app.administrators.reset('test', ADMINISTRATOR.username, ADMINISTRATOR.password),
    'the sign-out': (admin) => admin.call('POST', '/admin/sign-out', {}),
  })) {
    it(`T20 changes nothing after ${what}`, async () => {
      const admin = await signInToConsole(server);
      const begun = await slowly(admin, '/admin/api/clients', EVIL);
      await end(admin);
      expect((await begun.finish()).status).toBe(401);
      expect(await clientsNamed('Evil')).toEqual([]);
    });
  }

  it('T20 changes nothing after its token was revoked', async () => {
    const { token, secret } = await server.app.apiTokens.create('test', { name: 'ci', days: 1, readOnly: false });
    const headers = { Authorization: `Bearer ${secret}`, Origin: '' };
    const lines = ['POST /admin/api/clients', `Authorization: ${headers.Authorization}`];
    const begun = await beginSlowly(server.url, lines, JSON.stringify(EVIL));
    expect((await callConsole(server, 'GET', '/admin/api/clients', undefined, headers)).status).toBe(200);
    await server.app.apiTokens.revoke('test', token.id);
    expect((await begun.finish()).status).toBe(401);
    expect(await clientsNamed('Evil')).toEqual([]);
  });

  it('T23 adds no passkey for a session that a password began once another one has added the first', async () => {
    const [owner, thief] = [await signInToConsole(server), await signInToConsole(server)];
    const begun = await slowly(thief, '/admin/passkeys', (await newPasskey(thief, 'thief')).sent);
    expect((await owner.call('POST', '/admin/passkeys', (await newPasskey(owner)).sent)).status).toBe(201);
    expect((await begun.finish()).status).toBe(401);
    expect(await server.database.sql('SELECT name FROM administrator_passkey')).toEqual([{ name: 'laptop' }]);
  });
});

describe('a passkey that is added or shown', () => {
  it('T19 leaves whoever stole the cookie behind', async () => {
    const owner = await signInToConsole(server);
    const lives = async (Cookie: string) =>
      (await callConsole(server, 'GET', '/admin/api/clients', undefined, { Cookie })).status === 200;
    const { device, sent } = await newPasskey(owner);
    const stolen = [owner.cookie];
    await owner.call('POST', '/admin/passkeys', sent);
    stolen.push(owner.cookie);
    const begun = await owner.call('POST', '/admin/prove/passkey/begin', {});
    await owner.call('POST', '/admin/prove/passkey', { response: device.assert(begun.body.options as never) });
    expect(await Promise.all([...stolen, owner.cookie].map(lives))).toEqual([false, false, true]);
  });
});

describe('a passkey that is removed', () => {
  it('T23 takes the sessions along that it may have begun, but not the one that removes it', async () => {
    const owner = await signInToConsole(server);
    await owner.call('POST', '/admin/passkeys', (await newPasskey(owner)).sent);
    const stolen = await newPasskey(owner, 'stolen');
    const { body } = await owner.call('POST', '/admin/passkeys', stolen.sent);
    const thief = await signInBy(stolen.device);
    expect((await thief.call('GET', '/admin/api/clients')).status).toBe(200);
    expect((await owner.call('DELETE', `/admin/passkeys/${body.id}`)).status).toBe(204);
    expect((await thief.call('GET', '/admin/api/clients')).status).toBe(401);
    expect((await thief.call('POST', '/admin/passkeys/begin', {})).status).toBe(401);
    expect((await owner.call('GET', '/admin/api/clients')).status).toBe(200);
  });
});

describe('the password of an administrator who has a passkey', () => {
  it('T21 is counted like a wrong one, so that nobody learns that it is right', async () => {
    const owner = await signInToConsole(server);
    await owner.call('POST', '/admin/passkeys', (await newPasskey(owner)).sent);
    const headers = { 'X-Forwarded-For': '192.0.2.99' };
    const attempt = async () => (await callConsole(server, 'POST', '/admin/sign-in', ADMINISTRATOR, headers)).status;
    for (let i = 0; i < 10; i += 1) expect(await attempt()).toBe(401);
    expect(await attempt()).toBe(429);
  });
});

describe('the administration API', () => {
  let admin: AtConsole;
  beforeEach(async () => {
    admin = await signInToConsole(server);
  });

  it('tells whoever enables a client while it is deleted that it is gone', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { client } = await server.app.clients.register('test', {
        name: 'Shop',
        redirectUris: ['https://shop.example/callback'],
      });
      await server.app.clients.disable('test', client.id);
      const [, enabled] = await Promise.all([
        admin.call('DELETE', `/admin/api/clients/${client.id}`),
        admin.call('POST', `/admin/api/clients/${client.id}/enable`, {}),
      ]);
      const isThere = (await server.app.clients.find(client.id)) !== undefined;
      expect(enabled.status).toBe(isThere ? 200 : 404);
    }
  });

  it('T71 stores of a key what makes it, and never fails for what else stands beside it', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', crv: '\0', x: '\ud800', y: { z: 1 } };
    const shop = { ...EVIL, name: 'Keys', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } };
    const { status, body } = await admin.call('POST', '/admin/api/clients', shop);
    expect([status, body.error_description]).toEqual([201, undefined]);
    expect(Object.keys((body.jwks as { keys: [object] }).keys[0]).sort()).toEqual(['alg', 'e', 'kty', 'n']);
  });

  it('answers programs in JSON, however they write its addresses', async () => {
    const answer = await callConsole(server, 'GET', '/ADMIN/API/clients', undefined, { Origin: '' });
    expect([answer.status, answer.body.error]).toEqual([401, 'not_signed_in']);
  });
});
