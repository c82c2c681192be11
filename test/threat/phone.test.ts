/** Group B of the threat model: previews, forged requests, frames, and who the phone is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { phoneWith, signIn } from '../support/phone.js';
import { oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';
import { matchCodeOf, openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the phone', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];
  let statusOf: TicketHouse['statusOf'];

  beforeAll(async () => {
    ({ server, shop, anna, ben, statusOf } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const rowOf = async (page: WaitingPage) =>
    (await server.database.sql('SELECT * FROM ticket WHERE id = $1', [page.ticketId]))[0];
  const csrfOf = async (phone: typeof anna, page: WaitingPage) =>
    /"csrf":"([\w-]+)"/.exec((await phone.open(page.qr)).body)?.[1] as string;
  const scanToken = (page: WaitingPage) => page.qr.split('/').pop() as string;

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

  /** The three decisions a page of somebody else might try, each at a ticket in the state it needs. */
  const decisions = async () => {
    await forgetScans(server.database);
    const [fresh, one, two] = await Promise.all([1, 2, 3].map(() => openPage(server, shop.request())));
    const pages = [fresh, one, two] as [WaitingPage, WaitingPage, WaitingPage];
    const [toConfirm, toDeny] = [await anna.scan(pages[1].qr), await anna.scan(pages[2].qr)];
    const bodies = [
      ['/phone/scan', { scan_token: scanToken(pages[0]), csrf: await csrfOf(anna, pages[0]) }],
      [
        '/phone/confirm',
        { scan_grant: toConfirm.scanGrant, csrf: toConfirm.csrf, match_code: await matchCodeOf(pages[1]) },
      ],
      ['/phone/deny', { scan_grant: toDeny.scanGrant, csrf: toDeny.csrf }],
    ] as const;
    return bodies.map(([path, body], i) => ({ path, body, page: pages[i] as WaitingPage }));
  };

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
    const targets = await decisions();
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
    for (const { path, body, page } of await decisions()) {
      const before = await rowOf(page);
      for (const type of types) {
        for (const text of [JSON.stringify(body), new URLSearchParams(body as Record<string, string>).toString()]) {
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
    const targets = await decisions();
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
    const calls: Array<[string, object]> = [
      ['/phone/sign-in', { username: ben.username, password: 'a long enough one' }],
      ['/phone/sign-out', {}],
      ['/admin/setup', { token: 'x', username: 'x', password: 'x' }],
    ];
    for (const [path, body] of calls) {
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
      ]) {
        const answer = await victim.post(path, body, headers as Record<string, string>);
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

  it('T18 takes who it is from the session alone: a field that says otherwise is refused', async () => {
    const names = [
      'userId',
      'user_id',
      'openid',
      'unionid',
      'sub',
      'phone',
      'account',
      'account_id',
      'accountId',
      'uid',
      'username',
      'session_id',
      'subject',
      'scannedBy',
    ];
    const values = [ben.accountId, [ben.accountId], { id: ben.accountId }, [[ben.username]], null];
    for (const { path, body, page } of await decisions()) {
      const before = await rowOf(page);
      for (const name of names) {
        for (const value of values) {
          const answer = await anna.post(path, { ...body, [name]: value });
          expect([path, name, answer.status]).toEqual([path, name, 400]);
          expect(answer.body).not.toContain(ben.accountId);
        }
      }
      expect(await rowOf(page)).toEqual(before);
    }
  });

  it('T18 signs in the person whose phone it is, whatever headers and queries name another', async () => {
    const openid = async (phone: typeof anna, query = '', headers: Record<string, string> = {}) => {
      const page = await openPage(server, shop.request());
      const scan = await phone.post(
        `/phone/scan${query}`,
        { scan_token: scanToken(page), csrf: await csrfOf(phone, page) },
        headers,
      );
      const grant = {
        scan_grant: scan.json().scan_grant,
        csrf: await csrfOf(phone, page),
        match_code: await matchCodeOf(page),
      };
      expect((await phone.post(`/phone/confirm${query}`, grant, headers)).status).toBe(200);
      expect(await statusOf(page.ticketId)).toBe('confirmed');
      return (await shop.exchange(String((await page.redeem()).json().code))).json().openid;
    };
    const [annas, bens] = [await openid(anna), await openid(ben)];
    expect(annas).not.toBe(bens);
    const lies = {
      'x-user-id': ben.accountId,
      'x-openid': String(bens),
      'x-remote-user': ben.username,
      authorization: `Bearer ${ben.cookie.split('=')[1]}`,
    };
    expect(await openid(anna, `?user_id=${ben.accountId}&openid=${bens}`, lies)).toBe(annas);
  });

  it('T18 believes neither of two session cookies, and no cookie of another name', async () => {
    const page = await openPage(server, shop.request());
    const csrf = await csrfOf(anna, page);
    const [, secret] = anna.cookie.split('=') as [string, string];
    for (const cookie of [
      `${anna.cookie}; ${ben.cookie}`,
      `${ben.cookie}; ${anna.cookie}`,
      `phone=${secret}`,
      `__host-phone=${secret}`,
      '',
    ]) {
      const answer = await phoneWith(server, cookie).post('/phone/scan', { scan_token: scanToken(page), csrf });
      expect([cookie, answer.status]).toEqual([cookie, 401]);
    }
    expect(await statusOf(page.ticketId)).toBe('pending');
  });
});

describe('a phone of a server that trusts nobody', () => {
  it('T18 shows whose phone it is before anything is decided', async () => {
    const server = await startApp();
    try {
      const phone = await person(server.app, server, 'Carla');
      for (const page of [
        await openPage(server, (await wechatSite(server.app, server)).request()),
        await openPage(server, (await oauthSite(server.app, server)).request().query),
      ]) {
        const shown: RawAnswer = await phone.open(page.qr);
        expect(shown.body).toContain('Carla');
        expect(shown.body).toContain(phone.username);
      }
    } finally {
      await server.stop();
    }
  });
});
