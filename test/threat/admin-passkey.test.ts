/** T22, T23, T65: passkeys at the console's addresses, and what a password alone opens once there could be one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMINISTRATOR,
  type AtConsole,
  callConsole,
  makeAdministrator,
  signInToConsole,
  withCookieOf,
} from '../support/administrator.js';
import { SoftwareAuthenticator } from '../support/software-authenticator.js';
import { startApp, type TestApp } from '../support/start-app.js';

type Options = Parameters<SoftwareAuthenticator['register']>[0];

async function addPasskey(admin: AtConsole, device: SoftwareAuthenticator, name = 'laptop') {
  const begun = await admin.call('POST', '/admin/passkeys/begin', {});
  if (begun.status !== 200) return begun;
  const response = device.register(begun.body.options as Options);
  return admin.call('POST', '/admin/passkeys', { name, response });
}

async function assertionFor(admin: AtConsole, device: SoftwareAuthenticator) {
  const begun = await admin.call('POST', '/admin/prove/passkey/begin', {});
  return { response: device.assert(begun.body.options as never) };
}

for (const demo of ['on', 'off'] as const) {
  describe(`the console with DEMO ${demo}`, () => {
    let server: TestApp;
    let device: SoftwareAuthenticator;
    beforeAll(async () => {
      server = await startApp({ DEMO: demo });
      await makeAdministrator(server);
    });
    afterAll(() => server?.stop());
    beforeEach(async () => {
      await server.database.sql('TRUNCATE administrator_passkey, administrator_session');
      device = new SoftwareAuthenticator(server.url);
    });

    const age = (minutes: number) =>
      server.database.sql(`UPDATE administrator_session SET auth_time = now() - interval '${minutes} minutes'`);
    const list = (admin: AtConsole) => admin.call('GET', '/admin/api/clients');
    const signInWith = async (own: SoftwareAuthenticator) => {
      const begun = await callConsole(server, 'POST', '/admin/sign-in/passkey/begin', {});
      const response = own.assert(begun.body.options as never);
      return callConsole(server, 'POST', '/admin/sign-in/passkey', { response });
    };

    it('T65 is opened by a passkey, and by its password no more', async () => {
      const first = await signInToConsole(server);
      const elsewhere = await signInToConsole(server);
      expect(await addPasskey(first, device)).toMatchObject({ status: 201, body: { name: 'laptop' } });
      expect((await list(first)).status).toBe(200);
      // What a password began elsewhere is worth nothing until the passkey is shown there too.
      expect(await list(elsewhere)).toMatchObject({ status: 401, body: { error: 'not_signed_in' } });
      expect((await elsewhere.call('GET', '/admin')).status).toBe(401);
      expect(await callConsole(server, 'POST', '/admin/sign-in', ADMINISTRATOR)).toMatchObject({
        status: 401,
        body: { error: 'invalid_credentials' },
      });
      const answer = await signInWith(device);
      expect(answer.status).toBe(200);
      expect((await list(await withCookieOf(server, answer))).status).toBe(200);
      expect((await elsewhere.call('POST', '/admin/prove/passkey', await assertionFor(elsewhere, device))).status).toBe(
        200,
      );
      expect((await list(elsewhere)).status).toBe(200);
    });

    it('T65 takes a fresh proof by passkey, and by password no more', async () => {
      const admin = await signInToConsole(server);
      await addPasskey(admin, device);
      await age(16);
      const shop = { name: 'Shop', redirect_uris: ['https://shop.example/callback'] };
      expect((await admin.call('POST', '/admin/api/clients', shop)).body.error).toBe('step_up_required');
      const { password } = ADMINISTRATOR;
      expect((await admin.call('POST', '/admin/prove', { password })).status).toBe(401);
      expect((await admin.call('POST', '/admin/api/clients', shop)).body.error).toBe('step_up_required');
      expect((await admin.call('POST', '/admin/prove/passkey', await assertionFor(admin, device))).status).toBe(200);
      expect((await admin.call('POST', '/admin/api/clients', shop)).status).toBe(201);
    });

    it('T22 takes an answer once, from its own session', async () => {
      // Of those that do not count, as synchronized ones: an older answer is not refused for its count.
      device = new SoftwareAuthenticator(server.url, { counts: false });
      const admin = await signInToConsole(server);
      await addPasskey(admin, device);
      const proof = await assertionFor(admin, device);
      const other = await withCookieOf(server, await signInWith(device));
      expect((await other.call('POST', '/admin/prove/passkey', proof)).status).toBe(401);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => admin.call('POST', '/admin/prove/passkey', proof)),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    });

    it('T23 adds and removes none with a proof of six minutes ago', async () => {
      const admin = await signInToConsole(server);
      await age(6);
      expect((await addPasskey(admin, device)).body.error).toBe('step_up_required');
      await admin.call('POST', '/admin/prove', { password: ADMINISTRATOR.password });
      const { body } = await addPasskey(admin, device);
      await addPasskey(admin, new SoftwareAuthenticator(server.url), 'phone');
      await age(6);
      expect((await admin.call('DELETE', `/admin/passkeys/${body.id}`)).body.error).toBe('step_up_required');
      await admin.call('POST', '/admin/prove/passkey', await assertionFor(admin, device));
      expect((await admin.call('DELETE', `/admin/passkeys/${body.id}`)).status).toBe(204);
      expect((await admin.call('DELETE', `/admin/passkeys/${body.id}`)).status).toBe(404);
      expect((await signInWith(device)).status).toBe(401);
      const rows = await server.database.sql(
        "SELECT action FROM audit_event WHERE action LIKE 'administrator.passkey-%' ORDER BY id DESC LIMIT 3",
      );
      expect(rows.map(({ action }) => action)).toEqual([
        'administrator.passkey-remove',
        'administrator.passkey-add',
        'administrator.passkey-add',
      ]);
    });

    it('T23 adds none to a session that a password began, once there is one: neither begun before nor after', async () => {
      const [admin, early, late] = [
        await signInToConsole(server),
        await signInToConsole(server),
        await signInToConsole(server),
      ];
      const mine = new SoftwareAuthenticator(server.url);
      const begun = await early.call('POST', '/admin/passkeys/begin', {});
      await addPasskey(admin, device);
      const response = mine.register(begun.body.options as Options);
      expect((await early.call('POST', '/admin/passkeys', { name: 'mine', response })).status).toBe(401);
      expect((await late.call('POST', '/admin/passkeys/begin', {})).status).toBe(401);
      expect(await server.database.sql('SELECT name FROM administrator_passkey')).toHaveLength(1);
      expect((await signInWith(mine)).status).toBe(401);
    });

    it('T62 begins, adds and removes none from elsewhere or without the page’s token', async () => {
      const admin = await signInToConsole(server);
      const { body } = await addPasskey(admin, device);
      for (const headers of [{ Origin: 'https://evil.example' }, { 'X-CSRF-Token': '' }] as Record<string, string>[]) {
        for (const [method, path, sent] of [
          ['POST', '/admin/passkeys/begin', {}],
          ['DELETE', `/admin/passkeys/${body.id}`, undefined],
          ['POST', '/admin/prove/passkey/begin', {}],
          ['POST', '/admin/sign-out', {}],
        ] as const) {
          expect([path, (await admin.call(method, path, sent, headers)).status]).toEqual([path, 403]);
        }
      }
      expect((await list(admin)).status).toBe(200);
    });

    if (demo === 'off') {
      it('T65 opens nothing by a password alone but the page that adds the first passkey', async () => {
        const admin = await signInToConsole(server);
        expect(await list(admin)).toMatchObject({ status: 403, body: { error: 'passkey_required' } });
        const page = await admin.call('GET', '/admin');
        expect([page.status, page.headers.location]).toEqual([302, '/admin/passkeys']);
        expect((await admin.call('GET', '/admin/passkeys')).status).toBe(200);
        await addPasskey(admin, device);
        expect((await list(admin)).status).toBe(200);
      });

      it('T65 keeps the last passkey, and says why in the reader’s language', async () => {
        const admin = await signInToConsole(server);
        const { body } = await addPasskey(admin, device);
        const remove = (lang: string) => admin.call('DELETE', `/admin/passkeys/${body.id}?lang=${lang}`);
        const said = (error_description: string) => ({ status: 409, body: { error: 'conflict', error_description } });
        expect(await remove('en')).toMatchObject(said('this is the last one: add another before you remove it'));
        expect(await remove('zh-CN')).toMatchObject(said('这是最后一个通行密钥：请先添加另一个，再移除它'));
        expect((await signInWith(device)).status).toBe(200);
      });
    } else {
      it('goes back to the password when the last passkey is removed', async () => {
        const admin = await signInToConsole(server);
        const { body } = await addPasskey(admin, device);
        expect((await admin.call('DELETE', `/admin/passkeys/${body.id}`)).status).toBe(204);
        await age(16);
        expect((await admin.call('POST', '/admin/prove', { password: ADMINISTRATOR.password })).status).toBe(200);
        await expect(signInToConsole(server)).resolves.toBeDefined();
      });
    }

    it('T76 keeps challenges for sixty strangers’ tries a minute and address, not more', async () => {
      const tries = Array.from({ length: 61 }, () => callConsole(server, 'POST', '/admin/sign-in/passkey/begin', {}));
      const refused = (await Promise.all(tries)).filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    });
  });
}
