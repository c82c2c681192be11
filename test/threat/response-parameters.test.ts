/** T38: nothing a request holds twice is taken, and no answer holds twice what an answer holds. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

/** A registered query, with names that only look like an answer's. */
const REGISTERED = 'https://shop.example/cb?Code=x&my_state=y&a=1&a=2';
const ROUTE = 'https://single-page.example/#/login';
const ANSWER_KEYS = ['code', 'state', 'iss', 'error', 'error_description', 'response', 'id_token', 'access_token'];

describe('response parameters', () => {
  let server: TestApp;
  let shop: WechatSite;
  let cafe: OauthSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    const redirectUris = [REGISTERED];
    shop = await wechatSite(server.app, server, { redirectUris: [...redirectUris, ROUTE] });
    cafe = await oauthSite(server.app, server, { redirectUris });
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const wechatRequest = (more: Record<string, string> = {}) => shop.request({ redirect_uri: REGISTERED, ...more });
  const oauthRequest = (more: Record<string, string> = {}) => cafe.request({ redirect_uri: REGISTERED, ...more }).query;
  const count = async (table: 'ticket' | 'engine_record') =>
    (await server.database.sql(`SELECT 1 FROM ${table}`)).length;

  /** Each of `query`'s own and of the other names, twice: with the same value and with another. */
  const doubled = (query: Record<string, string>, others: Record<string, string>) =>
    Object.entries({ ...query, ...others }).flatMap(([name, value]) =>
      [value, `${value}x`].map((second) => {
        const once = { ...query, [name]: value };
        return { name, once: new URLSearchParams(once).toString(), again: new URLSearchParams([[name, second]]) };
      }),
    );
  const expectRefused = (name: string, { status, headers, body }: RawAnswer) => {
    expect([name, status, headers.location]).toEqual([name, 400, undefined]);
    expect(body).not.toMatch(/waitSecret|http-equiv="?refresh/i);
  };
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

  it('T38 refuses each parameter given twice at the page of either dialect, and opens no ticket', async () => {
    const pkce = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
    const looks = { lang: 'en', self_redirect: 'true', login_type: 'jssdk' };
    const wechat = { ...pkce, ...looks, response_type: 'code', client_id: 'x', href: '', style: 'white', nonce: 'n' };
    const oauth = {
      request_uri: 'urn:x',
      theme: 'dark',
      lang: 'en',
      self_redirect: 'true',
      claims: '{}',
      unknown: 'x',
    };
    for (const { name, once, again } of [...doubled(wechatRequest(), wechat), ...doubled(oauthRequest(), oauth)]) {
      expectRefused(name, await send(`${server.url}/connect/qrconnect?${once}&${again}`));
      expectRefused(name, await send(`${server.url}/connect/qrconnect?${again}&${once}`));
    }
    expect([await count('ticket'), await count('engine_record')]).toEqual([0, 0]);
  });

  it('T38 refuses each parameter given twice at /oauth/authorize, by GET and by POST, and in a pushed request', async () => {
    const others = { prompt: 'login', max_age: '1', login_hint: 'a', ui_locales: 'en', response_mode: 'query' };
    for (const { name, once, again } of doubled(oauthRequest(), { ...others, id_token_hint: 'x' })) {
      const address = `${server.url}/oauth/authorize`;
      expectRefused(name, await send(`${address}?${once}&${again}`));
      expectRefused(name, await send(`${address}?${again}&${once}`));
      expectRefused(name, await send(address, { method: 'POST', headers: FORM, body: `${once}&${again}` }));
      expectRefused(name, await send(`${address}?${again}`, { method: 'POST', headers: FORM, body: once }));
      const headers = { ...FORM, authorization: `Basic ${btoa(`${cafe.clientId}:${cafe.secret}`)}` };
      const pushed = await send(`${server.url}/oauth/par`, { method: 'POST', headers, body: `${once}&${again}` });
      expectRefused(name, pushed);
    }
    // No other spelling of the address goes around the check.
    const slashed = await send(`${server.url}/oauth/authorize/?${new URLSearchParams(oauthRequest())}&state=2`);
    expect([slashed.status, slashed.headers.location]).toEqual([404, undefined]);
    const { searchParams } = new URL(`${server.url}/?${new URLSearchParams(oauthRequest())}`);
    const posted = { method: 'POST', headers: FORM, body: searchParams.toString() };
    expectRefused('all', await send(`${server.url}/oauth/authorize?${searchParams}`, posted));
    expect([await count('ticket'), await count('engine_record')]).toEqual([0, 0]);
  });

  it('T38 refuses each parameter given twice in the form at /oauth/token, and reads no query there', async () => {
    const authorization = `Basic ${Buffer.from(`${cafe.clientId}:${cafe.secret}`).toString('base64')}`;
    const post = (body: string, search = '') =>
      send(`${server.url}/oauth/token${search}`, { method: 'POST', headers: { ...FORM, authorization }, body });
    const grant = async () => {
      const { query, verifier } = cafe.request({ redirect_uri: REGISTERED });
      const { code } = await login(server, phone, query);
      return { grant_type: 'authorization_code', code, redirect_uri: REGISTERED, code_verifier: verifier };
    };
    // Each of them leaves the code to its owner: the verifier is right, so nobody is guessing.
    for (const { name, once, again } of doubled(await grant(), { client_id: cafe.clientId })) {
      expectRefused(name, await post(`${once}&${again}`));
    }
    // Its query is no place for parameters: a secret there is refused (T55), and nothing else there is read.
    const form = new URLSearchParams(await grant());
    expect((await post('', `?${form}`)).status).toBe(400);
    for (const [name, value] of Object.entries({ code: 'x'.repeat(43), client_secret: 'x', refresh_token: 'x' })) {
      expectRefused(name, await post(form.toString(), `?${new URLSearchParams({ [name]: value })}`));
    }
    const strange = { grant_type: 'refresh_token', redirect_uri: 'https://evil.example/', client_id: shop.clientId };
    const answer = await post(form.toString(), `?${new URLSearchParams({ ...strange, scope: 'offline_access' })}`);
    expect(answer.json()).toMatchObject({ token_type: 'Bearer', scope: 'openid profile unionid' });
  });

  it('T38 refuses each parameter given twice at /sns, and the same name with two values in query and form', async () => {
    const { code } = await login(server, phone, wechatRequest());
    const keys = { appid: shop.clientId, secret: shop.secret, code, grant_type: 'authorization_code' };
    const address = `${server.url}/sns/oauth2/access_token`;
    for (const { name, once, again } of doubled(keys, { code_verifier: 'v'.repeat(43), unknown: 'x' })) {
      const differs = once.includes(again.toString()) === false;
      for (const answer of [
        await send(`${address}?${once}&${again}`),
        await send(address, { method: 'POST', headers: FORM, body: `${once}&${again}` }),
        ...(differs ? [await send(`${address}?${again}`, { method: 'POST', headers: FORM, body: once })] : []),
      ]) {
        expect([name, answer.status, answer.json().errcode]).toEqual([name, 200, 40035]);
        expect(answer.headers.location).toBeUndefined();
      }
    }
    expect((await shop.exchange(code)).json()).toHaveProperty('access_token');
  });

  /** The registered address with exactly these keys of an answer, each once, and no fragment. */
  const expectAnswer = (address: unknown, keys: readonly string[]) => {
    const { href, searchParams, hash } = new URL(String(address));
    expect(href.startsWith(REGISTERED)).toBe(true);
    expect(hash).toBe('');
    expect(href).not.toContain('#');
    const found = [...searchParams.keys()].filter((key) => ANSWER_KEYS.includes(key));
    expect(found.sort()).toEqual([...keys].sort());
    expect(searchParams.getAll('a')).toEqual(['1', '2']);
  };
  const state = 'x&code=evil&state=evil#code=evil&iss=https://evil.example';

  it('T38 every answer holds each of its keys once, and no fragment: redeem', async () => {
    expectAnswer((await login(server, phone, wechatRequest({ state }))).redirectTo, ['code', 'state']);
    expectAnswer((await login(server, phone, wechatRequest({ state: '' }))).redirectTo, ['code', 'state']);
    expectAnswer((await login(server, phone, oauthRequest({ state }))).redirectTo, ['code', 'state', 'iss']);
    const { state: _, ...stateless } = oauthRequest();
    expectAnswer((await login(server, phone, stateless as Record<string, string>)).redirectTo, ['code', 'iss']);
    // A hash route of the site is its own; nothing is added to it but the answer behind it.
    const { redirectTo } = await login(server, phone, wechatRequest({ redirect_uri: ROUTE, state }));
    expect(redirectTo.split('#')).toHaveLength(2);
    expect([...new URLSearchParams(new URL(redirectTo).hash.split('?')[1]).keys()]).toEqual(['code', 'state']);
  });

  it('T38 every answer holds each of its keys once, and no fragment: continue', async () => {
    for (const [query, keys] of [
      [wechatRequest({ state }), ['code', 'state']],
      [oauthRequest({ state }), ['code', 'state', 'iss']],
    ] as const) {
      const page = await openPage(server, query);
      await approve(phone, page);
      const { continue: handle } = (await page.continue()).json<{ continue: string }>();
      expectAnswer((await send(handle)).headers.location, keys);
    }
  });

  it('T38 every answer holds each of its keys once, and no fragment: errors', async () => {
    const [redeemed, continued] = [
      await openPage(server, oauthRequest({ state })),
      await openPage(server, oauthRequest({ state })),
    ];
    for (const page of [redeemed, continued]) await phone.deny(await phone.scan(page.qr));
    expectAnswer((await redeemed.redeem()).json().redirect_to, ['error', 'state', 'iss']);
    const { continue: handle } = (await continued.continue()).json<{ continue: string }>();
    expectAnswer((await send(handle)).headers.location, ['error', 'state', 'iss']);
    const wrongs: Record<string, string>[] = [{ prompt: 'none' }, { prompt: 'consent none' }, { max_age: '-1' }];
    for (const wrong of wrongs) {
      const query = oauthRequest({ state, ...wrong });
      const { headers } = await send(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`);
      expectAnswer(headers.location, ['error', 'error_description', 'state', 'iss']);
    }
  });
});
