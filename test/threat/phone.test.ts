/** Group B of the threat model: T14 and T16: previews and forged requests. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { signIn } from '../support/phone.js';
import { forgetScans } from '../support/story.js';
import { csrfOf, decisionsOf, openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the phone', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];

  beforeAll(async () => {
    ({ server, shop, anna, ben } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const rowOf = async (page: WaitingPage) =>
    (await server.database.sql('SELECT * FROM ticket WHERE id = $1', [page.ticketId]))[0];
  it('T14 advances nothing when a robot, a preview or a prefetch opens the QR address', async () => {
    const page = await openPage(server, shop.request());
    const before = await rowOf(page);
    const visitors: Array<Record<string, string>> = [
      {},
      { cookie: anna.cookie },
      { cookie: anna.cookie, 'sec-purpose': 'prefetch' },
      { cookie: anna.cookie, 'sec-purpose': 'prefetch;prerender' },
      { cookie: anna.cookie, purpose: 'prefetch' },
    ];
    for (const headers of visitors) {
      const prefetch = 'sec-purpose' in headers || 'purpose' in headers;
      for (const method of ['GET', 'HEAD']) {
        const answers = await Promise.all(Array.from({ length: 20 }, () => send(page.qr, { method, headers })));
        for (const { status, body, headers: got } of answers) {
          expect(status).toBe(prefetch ? 204 : 200);
          expect(got['set-cookie']).toBeUndefined();
          if (prefetch || method === 'HEAD') expect(body).toBe('');
        }
      }
    }
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH']) {
      expect((await send(page.qr, { method, headers: { cookie: anna.cookie } })).status, method).toBe(405);
    }
    for (const path of ['/phone/scan', '/phone/confirm', '/phone/deny', '/phone/sign-in', '/phone/sign-out']) {
      for (const method of ['GET', 'HEAD', 'PUT']) {
        expect((await send(server.url + path, { method, headers: { cookie: anna.cookie } })).status, path).toBe(405);
      }
    }
    expect(await rowOf(page)).toEqual(before);
  });

  it('T16 refuses scan, confirm and deny from any page that is not ours', async () => {
    const evil = new URL(server.url);
    evil.hostname = 'evil.localhost';
    const sources: Array<[string, Record<string, string | undefined>]> = [
      ['no Origin', { origin: undefined }],
      ['Origin null', { origin: 'null' }],
      ['another origin', { origin: 'https://evil.example' }],
      ['a sub-domain', { origin: evil.origin }],
      ['another port', { origin: 'http://localhost:1' }],
      ['another scheme', { origin: server.url.replace('http:', 'https:') }],
      ['a longer host', { origin: `${server.url}.evil.example` }],
      ['a trailing slash', { origin: `${server.url}/` }],
      ['an upper-case host', { origin: server.url.replace('localhost', 'LOCALHOST') }],
      ['two origins', { origin: `${server.url} ${server.url}` }],
      ['a same-site page', { origin: server.url, 'sec-fetch-site': 'same-site' }],
      ['a cross-site page', { origin: server.url, 'sec-fetch-site': 'cross-site' }],
      ['a typed address', { origin: server.url, 'sec-fetch-site': 'none' }],
      ['a Referer instead', { origin: undefined, referer: `${server.url}/` }],
    ];
    const targets = await decisionsOf({ server, shop, anna });
    for (const { path, body, page } of targets) {
      const before = await rowOf(page);
      for (const [name, { origin, ...more }] of sources) {
        const headers = {
          ...JSON_TYPE,
          cookie: anna.cookie,
          ...(more as Record<string, string>),
          ...(origin ? { origin } : {}),
        };
        const answer = await send(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
        expect([path, name, answer.status]).toEqual([path, name, 403]);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      expect(await rowOf(page)).toEqual(before);
    }
  });

  it('T16 refuses every body that a form or a script without preflight can send', async () => {
    const types = [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'text/json',
      'application/json5',
      '',
    ];
    for (const { path, body, page } of await decisionsOf({ server, shop, anna })) {
      const before = await rowOf(page);
      for (const type of types) {
        for (const text of [JSON.stringify(body), new URLSearchParams(body).toString()]) {
          expect((await anna.post(path, text, { 'content-type': type })).status, `${path} ${type}`).toBe(415);
        }
      }
      expect((await anna.post(path, body, { 'content-encoding': 'gzip' })).status).toBe(415);
      expect(await rowOf(page)).toEqual(before);
    }
  });

  it('T16 binds the CSRF token to one session and one ticket', async () => {
    const other = await openPage(server, shop.request());
    const elsewhere = await signIn(server, anna.username, 'a long enough one');
    const targets = await decisionsOf({ server, shop, anna });
    const strangers = await csrfOf(anna, other);
    for (const { path, body, page } of targets) {
      const before = await rowOf(page);
      const tokens: unknown[] = [
        undefined,
        '',
        'x',
        strangers,
        `${body.csrf}x`,
        body.csrf.slice(1),
        body.csrf.toUpperCase(),
      ];
      if (path === '/phone/scan') {
        tokens.push(await csrfOf(ben, page), await csrfOf({ ...anna, ...elsewhere }, page));
      }
      for (const csrf of tokens) {
        expect((await anna.post(path, { ...body, csrf })).status, `${path} ${csrf}`).toBe(403);
      }
      expect((await elsewhere.post(path, body)).status).toBe(403);
      expect((await ben.post(path, body)).status).toBe(403);
      expect(await rowOf(page)).toEqual(before);
    }
    // The token was good all along.
    for (const { path, body } of targets) expect((await anna.post(path, body)).status, path).toBe(200);
  });

  it('T16 lets no other page sign a phone in or out, or use the setup link', async () => {
    const victim = await signIn(server, anna.username, 'a long enough one');
    const strangers: Array<Record<string, string>> = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    const calls: Array<[string, object]> = [
      ['/phone/sign-in', { username: ben.username, password: 'a long enough one' }],
      ['/phone/sign-out', {}],
      ['/admin/setup', { token: 'x', username: 'x', password: 'x' }],
    ];
    for (const [path, body] of calls) {
      for (const headers of strangers) {
        const answer = await victim.post(path, body, headers);
        expect([path, answer.status, answer.headers['set-cookie']]).toEqual([path, 403, undefined]);
      }
      expect((await victim.post(path, 'a=b', { 'content-type': 'text/plain' })).status).toBe(415);
    }
    const page = await openPage(server, shop.request());
    expect((await victim.open(page.qr)).body).toContain(anna.username);
  });

  it('T16 keeps the session cookie out of frames, scripts, sub-domains and plain http', async () => {
    const answer = await anna.post('/phone/sign-in', { username: anna.username, password: 'a long enough one' });
    const cookies = answer.headers['set-cookie'] as string[];
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^__Host-phone=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=2592000$/);
  });
});
