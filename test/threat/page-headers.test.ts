/** T17, the part headers can do: every page of every door, in every state and error, forbids being framed. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { allRoutes } from '../support/routes.js';
import { forgetScans } from '../support/story.js';
import { openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const NONCE = "'nonce-[\\w-]{22}'";
const PAGE_POLICY = new RegExp(
  `^default-src 'none'; script-src ${NONCE}; style-src ${NONCE}; img-src 'self' data:; connect-src 'self'( ws://localhost:\\d+)?; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`,
);
/** An answer that is no page of ours (a redirect's body) may not load, run or send anything. */
const NO_POLICY = /^default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

describe('the headers of every page', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];

  beforeAll(async () => {
    ({ server, shop, house, anna, ben } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const isPage = ({ headers }: RawAnswer) => String(headers['content-type']).startsWith('text/html');

  function expectShielded(answer: RawAnswer, name: string): void {
    const { headers } = answer;
    expect(headers['x-content-type-options'], name).toBe('nosniff');
    expect(headers['referrer-policy'], name).toBe('no-referrer');
    expect(headers['cross-origin-opener-policy'], name).toBe('same-origin');
    expect(headers['x-frame-options'], name).toBe('DENY');
    expect(headers['content-security-policy'], name).toContain("frame-ancestors 'none'");
    if (!isPage(answer)) return;
    expect(headers['cache-control'], name).toBe('no-store');
    expect(headers['cross-origin-resource-policy'], name).toBe('same-origin');
    expect(headers['permissions-policy'], name).toMatch(
      /^camera=\((self)?\), microphone=\(\), geolocation=\(\), publickey-credentials-get=\(self\)$/,
    );
    expect(headers['access-control-allow-origin'], name).toBeUndefined();
    const redirects = answer.status === 303;
    // The engine's page that sends its form by itself: one script, by its hash, and nothing else.
    if (String(headers['content-security-policy']).includes("'sha256-")) {
      expect(headers['content-security-policy'], name).toMatch(
        /^default-src 'none';script-src 'sha256-[\w+/=]{44}';base-uri 'none';frame-ancestors 'none'$/,
      );
      return;
    }
    expect(headers['content-security-policy'], name).toMatch(redirects ? NO_POLICY : PAGE_POLICY);
    if (redirects || answer.body === '') return;
    const nonces = new Set([...answer.body.matchAll(/nonce="([\w-]+)"/g)].map((found) => found[1]));
    expect(nonces.size, name).toBe(1);
    expect(headers['content-security-policy'], name).toContain(`'nonce-${[...nonces][0]}'`);
    // Inline styles, handlers and scripts without the nonce would need a weaker policy.
    expect(answer.body, name).not.toMatch(/<[^>]+\s(style|on\w+)=|<(script|style)(?![^>]*nonce=)/i);
  }

  it('T17 forbids framing at every address, by every method, known or not', async () => {
    const routes = [
      ...allRoutes(),
      '/nothing',
      '/admin',
      '/s/',
      '/phone',
      '/%00',
      '/%E0%A4%A',
      '/..%2f',
      '/favicon.ico',
    ];
    expect(routes.length).toBeGreaterThan(35);
    const statuses = new Set<number>();
    for (const route of routes) {
      for (const method of METHODS) {
        for (const headers of [{}, { cookie: anna.cookie, origin: server.url, 'x-forwarded-for': '198.51.100.1' }]) {
          const answer = await send(server.url, { path: route, method, headers: headers as Record<string, string> });
          statuses.add(answer.status);
          expectShielded(answer, `${method} ${route} ${answer.status}`);
        }
      }
    }
    expect([...statuses].every((status) => status < 500)).toBe(true);
    for (const status of [200, 400, 404, 405, 410]) expect(statuses).toContain(status);
  });

  it('T17 forbids framing of every page a phone is shown', async () => {
    const page = await openPage(server, shop.request());
    const seen: Array<[string, RawAnswer, number]> = [
      ['sign-in', await send(page.qr), 200],
      ['decide', await anna.open(page.qr), 200],
      ['unknown', await anna.open(`${server.url}/s/unknown`), 404],
    ];
    const scanned = await anna.scan(page.qr);
    seen.push(['taken', await ben.open(page.qr), 410]);
    await anna.deny(scanned);
    seen.push(['denied', await anna.open(page.qr), 410]);
    const over = await openPage(server, shop.request());
    await over.cancel();
    seen.push(['cancelled', await anna.open(over.qr), 410]);
    for (const [name, answer, status] of seen) {
      expect([name, answer.status, isPage(answer)]).toEqual([name, status, true]);
      expectShielded(answer, name);
    }
  });

  it('T17 forbids framing of the login page, the setup page, home, and every refusal', async () => {
    const begun = await send(`${server.url}/oauth/authorize?${new URLSearchParams(house.request().query)}`);
    const cookie = ((begun.headers['set-cookie'] ?? []) as string[]).map((one) => one.split(';')[0]).join('; ');
    const setupToken = await server.app.administrators.bootstrap(undefined);
    const get = (path: string, headers: Record<string, string> = {}) => send(server.url, { path, headers });
    const connect = (query: Record<string, string>, headers = {}) =>
      get(`/connect/qrconnect?${new URLSearchParams(query)}`, headers);
    const seen: Array<[string, RawAnswer, number]> = [
      ['login', await get(String(begun.headers.location), { cookie }), 200],
      ['login of another', await get(String(begun.headers.location)), 410],
      ['setup', await get(`/admin/setup?token=${setupToken}`), 200],
      ['setup refused', await get('/admin/setup?token=x'), 403],
      ['home', await get('/'), 200],
      ['unknown appid', await connect({ appid: 'wx0' }), 200],
      ['unknown client', await connect({ client_id: 'qc0' }), 400],
      ['malformed', await connect({ client_id: house.clientId, theme: 'x' }), 400],
      [
        'stranger',
        await connect(shop.request(), { 'sec-fetch-dest': 'iframe', referer: 'https://evil.example/' }),
        403,
      ],
      ['engine refusal', await get('/oauth/authorize?client_id=qc0'), 400],
      ['too long', await get(`/connect/qrconnect?${'a'.repeat(8_200)}`), 413],
      ['another host', await get('/', { host: 'evil.example' }), 421],
    ];
    for (const [name, answer, status] of seen) {
      expect([name, answer.status, isPage(answer)]).toEqual([name, status, true]);
      expectShielded(answer, name);
    }
  });

  it('T17 forbids framing of the page that says we have a fault, and of the one that says we are busy', async () => {
    const path = `/connect/qrconnect?${new URLSearchParams(shop.request())}`;
    await server.database.sql('ALTER TABLE client RENAME TO client_away');
    const fault = await send(server.url, { path });
    await server.database.sql('ALTER TABLE client_away RENAME TO client');
    const locker = new pg.Client({ connectionString: server.database.url });
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE client IN ACCESS EXCLUSIVE MODE');
    const busy = await send(server.url, { path });
    await locker.end();
    expect([fault.status, busy.status, Number(busy.headers['retry-after']) > 0]).toEqual([500, 503, true]);
    for (const answer of [fault, busy]) {
      expect(isPage(answer)).toBe(true);
      expectShielded(answer, String(answer.status));
      expect(answer.body).not.toMatch(/relation|client_away|select|\.ts:/i);
    }
    expect((await send(server.url, { path })).headers['x-frame-options']).toBeUndefined();
  });

  it('T17 lets the waiting page alone be framed, by the origins of its client', async () => {
    const page = await openPage(server, shop.request());
    expect(page.headers['x-frame-options']).toBeUndefined();
    const policy = String(page.headers['content-security-policy']);
    expect(policy.replace('frame-ancestors http://127.0.0.1:9', "frame-ancestors 'none'")).toMatch(PAGE_POLICY);
  });
});
