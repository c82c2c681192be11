import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postToken } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, login, person } from '../support/story.js';

let server: TestApp;
let shop: WechatSite;
let cafe: OauthSite;
let phone: Phone;
beforeAll(async () => {
  server = await startApp();
  shop = await wechatSite(server.app, server);
  cafe = await oauthSite(server.app, server);
  phone = await person(server.app, server);
});
afterAll(() => server?.stop());

/** As a URL must be: a lone surrogate has no UTF-8. */
const wellFormed = (text: string) => text.replace(/[\ud800-\udfff]/g, '\ufffd');

describe('input that would be more than text', () => {
  const HOSTILE = [
    "' OR '1'='1",
    "'; SELECT pg_sleep(5); --",
    '1) OR pg_sleep(5) IS NULL --',
    '$1',
    '\\',
    '%',
    '_',
    'a\u0000b',
    '\u0000',
    '\ud800',
    '\ufffe',
    '{"$ne":""}',
    '../../etc/passwd',
    'x'.repeat(3000),
  ];
  const OBJECTS = [{ $ne: '' }, { id: 1 }, ['a', 'b'], [], {}, 1, true, null];

  /** 400-class; never a crash, never the engine's or database's "try again" of a statement that ran too long. */
  const expectRefused = (answer: RawAnswer, what: string) => {
    expect(answer.status, what).toBeGreaterThanOrEqual(400);
    expect(answer.status, what).toBeLessThan(500);
    // A limit that answers would hide what the input does.
    expect(answer.status, what).not.toBe(429);
  };
  const json = (path: string, body: unknown) =>
    send(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url, cookie: phone.cookie },
      body: JSON.stringify(body),
    });
  const errorsLogged = () =>
    server
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{') && ['error', 'warn'].includes(JSON.parse(line).level));

  afterAll(() => expect(errorsLogged()).toEqual([]));

  it.each([
    ['/phone/sign-in', { username: 'person', password: 'a wrong long one' }],
    ['/phone/sign-out', { csrf: 'x' }],
    ['/phone/scan', { scan_token: 'x'.repeat(27), csrf: 'x'.repeat(43) }],
    ['/phone/confirm', { scan_grant: `${'x'.repeat(22)}.${'y'.repeat(43)}`, csrf: 'x'.repeat(43), match_code: '00' }],
    ['/phone/deny', { scan_grant: `${'x'.repeat(22)}.${'y'.repeat(43)}`, csrf: 'x'.repeat(43) }],
    ['/admin/setup', { token: 'x'.repeat(43), username: 'root', password: 'a long enough one here' }],
  ])('T71: each field of %s takes a string of its own shape only', async (path, valid) => {
    for (const field of Object.keys(valid)) {
      for (const [turn, value] of [...OBJECTS, ...HOSTILE].entries()) {
        if (path === '/phone/sign-out' && typeof value === 'string' && value.length < 100) continue;
        // Another name each time: ten tries at one account are a limit's business.
        const base = 'username' in valid ? { ...valid, username: `nobody${turn}` } : valid;
        expectRefused(await json(path, { ...base, [field]: value }), `${path} ${field} ${JSON.stringify(value)}`);
      }
    }
    for (const key of ['__proto__', 'constructor', 'id', '$where', "' OR 1=1"]) {
      const body = JSON.stringify(valid).replace('{', `{${JSON.stringify(key)}:{"x":1},`);
      const answer = await send(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: server.url, cookie: phone.cookie },
        body,
      });
      expectRefused(answer, `${path} ${key}`);
    }
    for (const body of [[], 'text', 1, null]) expectRefused(await json(path, body), `${path} ${JSON.stringify(body)}`);
  });

  it('T71: each parameter of the waiting page is refused without a ticket, or carried as the text it is', async () => {
    const tickets = async () => (await server.database.sql('SELECT 1 FROM ticket')).length;
    for (const [query, names] of [
      [shop.request(), ['appid', 'redirect_uri', 'scope', 'code_challenge']],
      [cafe.request().query, ['client_id', 'redirect_uri', 'scope', 'code_challenge', 'request_uri', 'response_type']],
    ] as const) {
      const before = await tickets();
      for (const name of names) {
        for (const value of HOSTILE) {
          const answer = await send(
            `${server.url}/connect/qrconnect?${new URLSearchParams({ ...query, [name]: value })}`,
          );
          expect(answer.status, `${name} ${JSON.stringify(value)}`).toBeLessThan(500);
          expect(answer.body, `${name} ${JSON.stringify(value)}`).not.toContain('waitSecret');
        }
      }
      expect(await tickets()).toBe(before);
    }
  });

  it('T71: state and nonce may be any printable text and come back as they were; nothing else is taken', async () => {
    for (const name of ['state', 'nonce']) {
      for (const value of HOSTILE) {
        const query = new URLSearchParams({ ...cafe.request().query, [name]: value });
        const answer = await send(`${server.url}/connect/qrconnect?${query}`);
        const printable = /^[\x20-\x7e]*$/.test(value) && value.length <= (name === 'nonce' ? 512 : 4096);
        expect(answer.status, `${name} ${JSON.stringify(value)}`).toBe(printable ? 200 : 400);
      }
    }
    const query = shop.request({ state: '\'; SELECT pg_sleep(5); -- {"$ne":""} \\ %00' });
    const { redirectTo } = await login(server, phone, query);
    expect(new URL(redirectTo).searchParams.get('state')).toBe(query.state);
  });

  it('T71: bracketed, repeated and numbered query keys never become objects', async () => {
    for (const path of ['/connect/qrconnect', '/oauth/authorize', '/sns/userinfo', '/sns/oauth2/access_token']) {
      for (const key of [
        'appid[$ne]',
        'client_id[]',
        'client_id[0]',
        'access_token[a]',
        'a[b]',
        'state[__proto__][x]',
      ]) {
        const answer = await send(`${server.url}${path}?${encodeURIComponent(key)}=1&${key}=2`);
        expect(answer.status, `${path} ${key}`).toBeLessThan(500);
        expect(answer.body).not.toMatch(/waitSecret|"access_token"|"openid"/);
      }
    }
    const page = await openPage(server, cafe.request().query);
    for (const query of ['?wait[a]=1&seen[b]=pending', '?wait=1&wait=2&seen=x&seen=y', '?wait=1e9&seen=nothing']) {
      expect((await page.status(query)).json()).toMatchObject({ status: 'pending' });
    }
  });

  it('T71: each parameter of the WeChat API is an error of its table', async () => {
    const exchange = { appid: shop.clientId, secret: shop.secret, code: 'c', grant_type: 'authorization_code' };
    const refresh = { appid: shop.clientId, refresh_token: 'r', grant_type: 'refresh_token' };
    for (const [path, valid] of [
      ['oauth2/access_token', { ...exchange, code_verifier: 'v' }],
      ['oauth2/refresh_token', refresh],
      ['userinfo', { access_token: 't', openid: 'o' }],
      ['auth', { access_token: 't', openid: 'o' }],
    ] as const) {
      for (const name of Object.keys(valid)) {
        for (const value of HOSTILE) {
          const what = `${path} ${name} ${JSON.stringify(value)}`;
          const answer = await send(`${server.url}/sns/${path}?${new URLSearchParams({ ...valid, [name]: value })}`);
          expect(answer.status, what).toBe(200);
          expect(answer.json<{ errcode: number }>().errcode, what).toBeGreaterThan(40000);
        }
      }
    }
  });

  it('T71: each field of the engine is refused with an OAuth error', async () => {
    const form = {
      grant_type: 'authorization_code',
      code: 'c',
      code_verifier: 'v'.repeat(43),
      redirect_uri: 'https://a.example/',
    };
    for (const name of [...Object.keys(form), 'client_id', 'refresh_token', 'scope', 'resource']) {
      for (const value of HOSTILE) {
        expectRefused(
          await postToken(server, cafe, { ...form, [name]: value }),
          `token ${name} ${JSON.stringify(value)}`,
        );
      }
    }
    for (const value of HOSTILE) {
      const client = { clientId: encodeURIComponent(wellFormed(value)), secret: 'x' };
      expectRefused(await postToken(server, client, form), `client ${JSON.stringify(value)}`);
      expectRefused(
        await postToken(server, { ...cafe, secret: client.clientId }, form),
        `secret ${JSON.stringify(value)}`,
      );
      const query = new URLSearchParams({ ...cafe.request().query, client_id: value });
      expectRefused(await send(`${server.url}/oauth/authorize?${query}`), `authorize ${JSON.stringify(value)}`);
      const token = wellFormed(value).replace(/[^\x20-\x7e]/g, '.');
      expectRefused(await cafe.userinfo(token.slice(0, 2000)), `userinfo ${JSON.stringify(value)}`);
    }
  });

  it('T71: ids in the path and secrets in headers are text that finds nothing', async () => {
    // "." and ".." are the client's own path arithmetic; the rest arrives as it is.
    for (const value of HOSTILE.filter((v) => !v.includes('..'))) {
      const part = encodeURIComponent(wellFormed(value));
      for (const [method, path] of [
        ['GET', `/api/qr/tickets/${part}`],
        ['POST', `/api/qr/tickets/${part}/redeem`],
        ['POST', `/api/qr/tickets/${part}/renew`],
        ['DELETE', `/api/qr/tickets/${part}`],
        ['GET', `/s/${part}`],
        ['GET', `/connect/continue/${part}`],
        ['GET', `/connect/continue/${part}.${part}`],
        ['GET', `/interaction/${part}`],
        ['GET', `/oauth/authorize/${part}`],
        ['GET', `/admin/setup?token=${part}`],
        ['GET', `/picture/${part}/132`],
        ['GET', `/assets/${part}`],
      ] as const) {
        const headers = { authorization: `Bearer ${'w'.repeat(43)}`, cookie: `__Host-phone=${'s'.repeat(43)}` };
        const answer = await send(server.url, { path, method, headers });
        expectRefused(answer, `${method} ${path}`);
      }
    }
  });

  it('T71: what a person or client is called is only ever a value', async () => {
    for (const nickname of ["Robert'); DROP TABLE account;--", '{"$ne":""}', '$1', '\\x00']) {
      const own = await person(server.app, server, nickname);
      const { code } = await login(server, own, shop.request());
      const { access_token: token } = (await shop.exchange(code)).json<{ access_token: string }>();
      expect((await shop.userinfo(token)).json()).toMatchObject({ nickname });
    }
    await approve(phone, await openPage(server, cafe.request().query));
  });
});
