/** T62, T64, T71, T72: who may call which address of administration, and what a forged or crafted call gets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminRoutes } from '../support/admin-routes.js';
import {
  type Answer,
  type AtConsole,
  callConsole,
  makeAdministrator,
  signInToConsole,
} from '../support/administrator.js';
import { signIn } from '../support/phone.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let admin: AtConsole;
let clientId: string;
let token: string;
let readOnly: string;

beforeAll(async () => {
  server = await startApp();
  await makeAdministrator(server);
  admin = await signInToConsole(server);
  const { apiTokens, clients, accounts } = server.app;
  const { client } = await clients.register('test', { name: 'Shop', redirectUris: ['https://shop.example/callback'] });
  clientId = client.id;
  await accounts.create('test', { username: 'lily', password: 'tea with two lumps' });
  token = (await apiTokens.create('test', { name: 'ci', days: 1, readOnly: false })).secret;
  readOnly = (await apiTokens.create('test', { name: 'watcher', days: 1, readOnly: true })).secret;
});
afterAll(() => server?.stop());

/** A body that would be taken, by what the address is about. */
function bodyFor({ method, path }: { method: string; path: string }): unknown {
  if (method === 'GET' || method === 'DELETE') return undefined;
  if (path.endsWith('/api/clients')) return { name: 'Forged', redirect_uris: ['https://evil.example/cb'] };
  if (method === 'PATCH') return { redirect_uris: ['https://evil.example/cb'] };
  if (path.endsWith('/check-redirect-uri')) return { redirect_uri: 'https://shop.example/callback' };
  if (path.endsWith('/rotate-secret')) return { grace_seconds: 0 };
  return {};
}

const API = adminRoutes().filter(({ path }) => path.startsWith('/admin/api/clients'));
const READS = API.filter(({ method, path }) => method === 'GET' || path.endsWith('/check-redirect-uri'));
const WRITES = API.filter((route) => !READS.includes(route));
const addressOf = (path: string) => path.replace(':id', clientId);
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

function rows(sql: string): Promise<Array<Record<string, unknown>>> {
  return server.database.sql(sql);
}

/** Everything that a call could have changed. */
async function state(): Promise<string> {
  const all = await Promise.all(
    ['client', 'audit_event', 'administrator', 'administrator_passkey', 'api_token'].map((table) =>
      rows(`SELECT to_jsonb(t) AS row FROM ${table} t ORDER BY 1::text`),
    ),
  );
  return JSON.stringify(all);
}

async function everyWrite(headers: Record<string, string>): Promise<Array<[string, number, unknown]>> {
  const answers: Array<[string, number, unknown]> = [];
  for (const route of WRITES) {
    const { status, body } = await admin.call(route.method, addressOf(route.path), bodyFor(route), headers);
    answers.push([nameOf(route), status, body.error]);
  }
  return answers;
}

describe('T62 a page that an administrator visits', () => {
  it('T62 finds at least the seven writes of clients to try', () => {
    expect(WRITES.map(nameOf)).toContain('POST /admin/api/clients');
    expect(WRITES.length).toBeGreaterThanOrEqual(6);
  });

  for (const [what, headers] of Object.entries<Record<string, string>>({
    'from another origin': { Origin: 'https://evil.example' },
    'from an opaque origin': { Origin: 'null' },
    'without an origin': { Origin: '' },
    'from a sister site': { 'Sec-Fetch-Site': 'same-site' },
    'without the token of our page': { 'X-CSRF-Token': '' },
    'with a token of another session': { 'X-CSRF-Token': 'x'.repeat(43) },
  })) {
    it(`T62 writes nothing ${what}`, async () => {
      const before = await state();
      expect(await everyWrite(headers)).toEqual(WRITES.map((route) => [nameOf(route), 403, 'forbidden']));
      expect(await state()).toBe(before);
    });
  }

  it('T62 cannot use the token of one session with the cookie of another', async () => {
    const other = await signInToConsole(server);
    const before = await state();
    expect(await everyWrite({ 'X-CSRF-Token': other.csrf })).toEqual(
      WRITES.map((route) => [nameOf(route), 403, 'forbidden']),
    );
    expect(await state()).toBe(before);
  });

  it('T62 writes nothing by a form or as plain text, which need no preflight', async () => {
    const before = await state();
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      const answers = await everyWrite({ 'Content-Type': type });
      const withBody = answers.filter(([name]) => !name.startsWith('DELETE'));
      expect(withBody.every(([, status]) => status === 415)).toBe(true);
    }
    expect(await state()).toBe(before);
  });

  it('T62 changes nothing by GET: what writes has no GET, and what has one writes nothing', async () => {
    const before = await state();
    for (const { path } of adminRoutes()) {
      const { status } = await admin.call('GET', addressOf(path).replace(':passkey', 'x'));
      const hasGet = adminRoutes().some((one) => one.path === path && one.method === 'GET');
      if (!hasGet) expect([path, status]).toEqual([path, 405]);
    }
    expect(await state()).toBe(before);
  });

  it('T62 keeps the cookie to our own pages: __Host-, Strict, HttpOnly, Secure, gone with the browser', async () => {
    const secure = await startApp({ PUBLIC_URL: 'https://id.example', DEMO: 'off' });
    try {
      await makeAdministrator(secure);
      const host = { Host: 'id.example', Origin: 'https://id.example' };
      const answer = await callConsole(
        { url: `http://127.0.0.1:${secure.config.port}` },
        'POST',
        '/admin/sign-in',
        { username: 'root', password: 'a long enough pass phrase' },
        host,
      );
      expect(String(answer.headers['set-cookie'])).toMatch(
        /^__Host-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      );
    } finally {
      await secure.stop();
    }
  });

  it('T62 may not frame a page of the console', async () => {
    const answer = await admin.call('GET', '/admin');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(answer.headers['x-frame-options']).toBe('DENY');
  });
});

describe('T64 who may do what', () => {
  const call = (route: { method: string; path: string }, headers: Record<string, string>): Promise<Answer> =>
    callConsole(server, route.method, addressOf(route.path), bodyFor(route), headers);

  it('T64 refuses everybody but an administrator and a token, at every address', async () => {
    const phone = await signIn(server, 'lily', 'tea with two lumps');
    const stolen = phone.cookie.split('=')[1] as string;
    const strangers: Record<string, Record<string, string>> = {
      nobody: {},
      'a person who is signed in on a phone': { Cookie: phone.cookie },
      "the phone's secret under the console's name": { Cookie: `__Host-console=${stolen}` },
      'a made-up token': { Authorization: `Bearer qrconnect_admin_${'A'.repeat(43)}` },
      'a client with its secret': { Authorization: `Basic ${btoa(`${clientId}:secret`)}` },
      'an administrator behind a made-up token': { Cookie: admin.cookie, Authorization: 'Bearer x' },
    };
    const before = await state();
    for (const [who, headers] of Object.entries(strangers)) {
      for (const route of API) {
        const { status, body } = await call(route, headers);
        expect([who, nameOf(route), status, body.error]).toEqual([who, nameOf(route), 401, 'not_signed_in']);
      }
    }
    expect(await state()).toBe(before);
  });

  it('T64 lets a read-only token look and not change', async () => {
    const headers = { Authorization: `Bearer ${readOnly}`, Origin: '' };
    const before = await state();
    for (const route of WRITES) {
      expect([nameOf(route), (await call(route, headers)).status]).toEqual([nameOf(route), 403]);
    }
    for (const route of READS) {
      expect([nameOf(route), (await call(route, headers)).status]).toEqual([nameOf(route), 200]);
    }
    // That it was used may be noted.
    const unused = (text: string) => text.replaceAll(/"last_used_at":("[^"]*"|null)/g, '');
    expect(unused(await state())).toBe(unused(before));
  });

  it('T64 lets a token do everything, and names it in the audit log', async () => {
    const headers = { Authorization: `Bearer ${token}`, Origin: '', 'Sec-Fetch-Site': '' };
    const made = await call({ method: 'POST', path: '/admin/api/clients' }, headers);
    expect(made.status).toBe(201);
    const [row] = await rows(
      `SELECT actor FROM audit_event WHERE action = 'client.create' AND target = '${made.body.client_id}'`,
    );
    expect(row?.actor).toMatch(/^token [\w-]{12} \(ci\)$/);
  });

  it('T64 takes no field that is not for an administrator to set', async () => {
    const before = await state();
    for (const field of [
      'client_id',
      'id',
      'secrets',
      'client_secret',
      'client_secret_hash',
      'secret_hash',
      'disabled',
      'created_at',
      'owner_id',
      'role',
      'is_verified',
      'settings',
    ]) {
      for (const [method, path] of [
        ['POST', '/admin/api/clients'],
        ['PATCH', '/admin/api/clients/:id'],
      ] as const) {
        const body = { ...(bodyFor({ method, path }) as object), [field]: 'x' };
        const { status } = await admin.call(method, addressOf(path), body);
        expect([method, field, status]).toEqual([method, field, 400]);
      }
    }
    for (const fixed of [{ dialect: 'wechat' }, { application_type: 'native' }]) {
      expect((await admin.call('PATCH', addressOf('/admin/api/clients/:id'), fixed)).status).toBe(400);
    }
    expect(await state()).toBe(before);
  });

  it('T71 T72 takes texts where texts belong: objects, numbers, NUL and prototypes are refused, never an error of ours', async () => {
    const before = await state();
    const strange = [{ $ne: '' }, { id: 1 }, 7, true, null, [], 'a\0b', "'; DROP TABLE client; --\0"];
    for (const value of strange) {
      for (const field of ['name', 'callback_domain', 'union', 'scope', 'redirect_uris', 'match_code', 'jwks']) {
        const body = { name: 'Shop', redirect_uris: ['https://a.example/'], [field]: value };
        const { status } = await admin.call('POST', '/admin/api/clients', body);
        // No list, and none with anything in it, is as good as not named.
        if (field !== 'redirect_uris' || !Array.isArray(value))
          expect([field, value, status]).toEqual([field, value, 400]);
      }
      const check = await admin.call('POST', `${addressOf('/admin/api/clients/:id')}/check-redirect-uri`, {
        redirect_uri: value,
      });
      expect([value, check.status < 500]).toEqual([value, true]);
    }
    const raw = '{"name":"Shop","redirect_uris":["https://a.example/"],"__proto__":{"disabled":true}}';
    expect((await admin.call('POST', '/admin/api/clients', JSON.parse(raw))).status).not.toBe(500);
    for (const id of ['%00', '..', "x'--", 'constructor', '__proto__']) {
      expect((await admin.call('GET', `/admin/api/clients/${id}`)).status).toBe(404);
    }
    expect((await state()).length).toBeGreaterThanOrEqual(before.length);
  });
});

describe('T66 what is dangerous', () => {
  it('T66 is refused with its reason, or does not exist', async () => {
    const strict = await startApp({ PUBLIC_URL: 'http://localhost:18999', DEMO: 'off' });
    try {
      const { secret } = await strict.app.apiTokens.create('test', { name: 'ci', days: 1, readOnly: false });
      const register = (body: object) =>
        callConsole(
          { url: `http://127.0.0.1:${strict.config.port}` },
          'POST',
          '/admin/api/clients',
          { name: 'Shop', redirect_uris: ['https://shop.example/cb'], ...body },
          { Authorization: `Bearer ${secret}`, Host: 'localhost:18999' },
        );
      for (const [unsafe, reason] of [
        [{ redirect_uris: ['https://*.shop.example/cb'] }, /wildcard/],
        [{ redirect_uris: ['https://shop.example/cb*'] }, /wildcard/],
        [{ redirect_uris: ['http://shop.example/cb'] }, /https/],
        [{ redirect_uris: ['http://127.0.0.1:8080/cb'] }, /demo|https/],
        [{ embed_origins: ['https://*.example'] }, /wildcard|exactly/],
        [{ callback_domain: 'shop.example' }, /wechat dialect only/],
        [{ pkce_optional: true, token_endpoint_auth_method: 'none' }, /PKCE|pkce/],
        [{ default_max_age: 999_999_999 }, /0 to/],
        [{ token_lifetime: 999_999 }, /does not belong/],
        [{ implicit: true }, /does not belong/],
      ] as Array<[object, RegExp]>) {
        const { status, body } = await register(unsafe);
        expect([unsafe, status, String(body.error_description)]).toEqual([unsafe, 400, expect.stringMatching(reason)]);
      }
      expect((await register({})).status).toBe(201);
    } finally {
      await strict.stop();
    }
  });
});
