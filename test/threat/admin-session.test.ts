/** T19, T21, T65, T68: how an administrator is known, how guessing ends, and that nothing a phone holds opens the console. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMINISTRATOR,
  type AtConsole,
  callConsole,
  makeAdministrator,
  signInToConsole,
} from '../support/administrator.js';
import { signIn } from '../support/phone.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  await makeAdministrator(server);
});
afterAll(() => server?.stop());

const SHOP = { name: 'Shop', redirect_uris: ['https://shop.example/callback'] };
const sql = (text: string) => server.database.sql<Record<string, unknown>>(text);
const lives = async ({ cookie }: AtConsole) =>
  (await callConsole(server, 'GET', '/admin/api/clients', undefined, { Cookie: cookie })).status === 200;
const from = (address: string) => ({ 'X-Forwarded-For': address });
const attempt = (address: string, password: string, username = ADMINISTRATOR.username) =>
  callConsole(server, 'POST', '/admin/sign-in', { username, password }, from(address));

describe('the session of an administrator', () => {
  it('T19 is a new one at every sign-in, and the one before it ends', async () => {
    const first = await signInToConsole(server);
    const again = await first.call('POST', '/admin/sign-in', ADMINISTRATOR);
    expect(again.status).toBe(200);
    expect(String(again.headers['set-cookie'])).not.toContain(first.cookie);
    expect(await lives(first)).toBe(false);
  });

  it('T19 is another one after every proof, and the one before it is worth nothing', async () => {
    const admin = await signInToConsole(server);
    const { cookie } = admin;
    const { password } = ADMINISTRATOR;
    expect((await admin.call('POST', '/admin/prove', { password: `not ${password}` })).status).toBe(401);
    expect(await lives({ ...admin, cookie })).toBe(true);
    expect((await admin.call('POST', '/admin/prove', { password })).status).toBe(200);
    expect(admin.cookie).not.toBe(cookie);
    expect([await lives({ ...admin, cookie }), await lives(admin)]).toEqual([false, true]);
  });

  it('T19 is not believed when there are two of them, or under another name', async () => {
    const { cookie } = await signInToConsole(server);
    const [name, secret] = cookie.split('=');
    expect(name).toBe('__Host-console');
    const others = [`\u00a0${cookie}`, `console=${secret}`, `phone=${secret}`, `__Host-phone=${secret}`];
    for (const planted of [`${cookie}; ${name}=${'x'.repeat(43)}`, ...others]) {
      const bytes = Buffer.from(planted, 'utf8').toString('latin1');
      const { status } = await callConsole(server, 'GET', '/admin/api/clients', undefined, { Cookie: bytes });
      expect([planted, status]).toEqual([planted, 401]);
    }
  });

  it('T19 ends at sign-out, at the server', async () => {
    const admin = await signInToConsole(server);
    expect((await admin.call('POST', '/admin/sign-out', {})).status).toBe(200);
    expect(await lives(admin)).toBe(false);
  });

  for (const [limit, age] of Object.entries({
    'half an hour without a sign of life': `last_seen_at = now() - interval '31 minutes'`,
    'twelve hours in all': `created_at = now() - interval '721 minutes'`,
  })) {
    it(`T19 ends after ${limit}`, async () => {
      const admin = await signInToConsole(server);
      expect(await lives(admin)).toBe(true);
      await sql(`UPDATE administrator_session SET ${age} WHERE ended_at IS NULL`);
      expect(await lives(admin)).toBe(false);
    });
  }

  it('T68 leaves no secret in the database, nor that of a token', async () => {
    const admin = await signInToConsole(server);
    const { secret } = await server.app.apiTokens.create('test', { name: 'ci', days: 1, readOnly: true });
    const created = await admin.call('POST', '/admin/api/clients', SHOP);
    const tables = await sql(`SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`);
    const dumps = await Promise.all(tables.map(({ name }) => sql(`SELECT to_jsonb(t)::text AS row FROM ${name} t`)));
    const dump = JSON.stringify(dumps);
    const held = [admin.cookie.split('=')[1], secret, secret.split('_')[2], created.body.client_secret, admin.csrf];
    for (const one of held) {
      expect(dump).not.toContain(String(one));
      expect(dump).not.toContain(Buffer.from(String(one)).toString('hex'));
    }
    expect(server.log()).not.toContain(String(held[0]));
    expect(server.log()).not.toContain(secret);
    const [row] = await sql('SELECT secret_hash FROM api_token');
    const stolen = await callConsole(server, 'GET', '/admin/api/clients', undefined, {
      Authorization: `Bearer qrconnect_admin_${row?.secret_hash}`,
    });
    expect(stolen.status).toBe(401);
  });
});

describe('guessing at the console', () => {
  it('T21 is told the same for a name that is not there', async () => {
    const known = await attempt('192.0.2.1', 'not the pass phrase');
    const unknown = await attempt('192.0.2.1', 'not the pass phrase', 'nobody');
    expect([known.status, known.body]).toEqual([401, unknown.body]);
    expect(unknown.status).toBe(401);
  });

  it('T21 ends after ten wrong passwords, for whoever guesses from there and for nobody else', async () => {
    for (let i = 0; i < 10; i += 1) expect((await attempt('192.0.2.7', `guess number ${i}`)).status).toBe(401);
    const eleventh = await attempt('192.0.2.7', ADMINISTRATOR.password);
    expect([eleventh.status, Number(eleventh.headers['retry-after']) > 60]).toEqual([429, true]);
    expect((await attempt('192.0.2.8', ADMINISTRATOR.password)).status).toBe(200);
  });

  it('T21 is counted apart from guesses at the passwords of people', async () => {
    await server.app.accounts.create('test', { username: 'root', password: 'the gardener of the same name' });
    for (let i = 0; i < 10; i += 1) await attempt('192.0.2.9', `guess number ${i}`);
    expect((await attempt('192.0.2.9', 'one more')).status).toBe(429);
    await expect(signIn(server, 'root', 'the gardener of the same name')).resolves.toBeDefined();
  });
});

describe('T65 an administrator who scans', () => {
  it('T65 has no account that opens the console, even under the same name and password', async () => {
    await server.app.accounts.create('test', { username: 'twin', password: 'the same for both of us' });
    const phone = await signIn(server, 'twin', 'the same for both of us');
    expect((await attempt('192.0.2.20', 'the same for both of us', 'twin')).status).toBe(401);
    const secret = phone.cookie.split('=')[1];
    for (const cookie of [phone.cookie, `__Host-console=${secret}`, `${phone.cookie}; __Host-console=${secret}`]) {
      const { status } = await callConsole(server, 'GET', '/admin/api/clients', undefined, { Cookie: cookie });
      expect(status).toBe(401);
      expect((await callConsole(server, 'GET', '/admin', undefined, { Cookie: cookie })).status).toBe(401);
    }
  });

  it('T65 changes nothing with a proof that is sixteen minutes old, and goes on after a fresh one', async () => {
    const admin = await signInToConsole(server);
    await sql(`UPDATE administrator_session SET auth_time = now() - interval '16 minutes' WHERE ended_at IS NULL`);
    const stale = await admin.call('POST', '/admin/api/clients', SHOP);
    expect([stale.status, stale.body.error]).toEqual([403, 'step_up_required']);
    expect((await admin.call('GET', '/admin/api/clients')).status).toBe(200);
    expect((await admin.call('POST', '/admin/prove', { password: 'not the pass phrase' })).status).toBe(401);
    expect((await admin.call('POST', '/admin/api/clients', SHOP)).status).toBe(403);
    const proof = { password: ADMINISTRATOR.password };
    expect((await admin.call('POST', '/admin/prove', proof, { 'X-CSRF-Token': '' })).status).toBe(403);
    expect((await admin.call('POST', '/admin/prove', proof)).status).toBe(200);
    expect((await admin.call('POST', '/admin/api/clients', SHOP)).status).toBe(201);
  });

  it('T65 shows a secret once', async () => {
    const admin = await signInToConsole(server);
    const created = await admin.call('POST', '/admin/api/clients', SHOP);
    const secret = String(created.body.client_secret);
    const { hash } = (
      await sql(`SELECT secrets -> 0 ->> 'hash' AS hash FROM client WHERE id = '${created.body.client_id}'`)
    )[0] as { hash: string };
    for (const path of ['/admin/api/clients', `/admin/api/clients/${created.body.client_id}`, '/admin']) {
      const text = JSON.stringify((await admin.call('GET', path)).body);
      expect(text).toContain('Shop');
      expect(text).not.toContain(secret);
      expect(text).not.toContain(hash);
    }
  });
});
