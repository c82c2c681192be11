/** Group A of the threat model, T9 to T11: one approval, one frozen request, and nothing but the truth to either side. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { observe, send } from '../support/http.js';
import { openPage, type WaitingPage, waiter } from '../support/page.js';
import { phoneWith } from '../support/phone.js';
import { oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { startApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { matchCodeOf, openTicketHouse, type TicketHouse, wrongMatchCode } from '../support/ticket-house.js';

describe('what a ticket ends in, and tells', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let anna: TicketHouse['anna'];
  let ask: TicketHouse['ask'];

  beforeAll(async () => {
    ({ server, shop, house, anna, ask } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  it('T9 makes the code from the frozen request, whatever the page sends at the end', async () => {
    const rival = await oauthSite(server.app, server, { redirectUris: ['http://127.0.0.1:9/rival'] });
    const { query, verifier } = house.request();
    const page = await openPage(server, query);
    const evil = {
      client_id: rival.clientId,
      appid: shop.clientId,
      redirect_uri: 'http://127.0.0.1:9/rival',
      scope: 'openid profile offline_access unionid',
      state: 'evil',
      nonce: 'evil',
      code_challenge: 'evil',
      response_mode: 'fragment',
    };
    const tamper = (call: readonly [string, string], type: string, body: string) =>
      ask(
        page.ticketId,
        [call[0], `${call[1]}?${new URLSearchParams(evil)}`],
        { authorization: `Bearer ${page.waitSecret}`, 'content-type': type },
        body,
      );
    expect((await tamper(['GET', ''], 'application/json', JSON.stringify(evil))).status).toBe(200);
    const scanned = await anna.scan(page.qr);
    const shown = scanned.answer.json<{ request: { scope: string }; client: { host: string } }>();
    await anna.confirm(scanned, await matchCodeOf(page));
    expect((await tamper(['POST', '/continue'], 'application/json', JSON.stringify(evil))).status).toBe(200);
    const redeemed = await tamper(
      ['POST', '/redeem'],
      'application/x-www-form-urlencoded',
      new URLSearchParams(evil).toString(),
    );
    const { code, redirect_to: redirectTo } = redeemed.json<{ code: string; redirect_to: string }>();
    expect(redirectTo.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(new URL(redirectTo).host).toBe(shown.client.host);
    expect(new URL(redirectTo).searchParams.get('state')).toBe(query.state);

    expect((await rival.exchange(code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await house.exchange(code, verifier, { redirect_uri: 'http://127.0.0.1:9/rival' })).json()).toMatchObject({
      error: 'invalid_grant',
    });
    const tokens = (await house.exchange(code, verifier)).json<{ scope: string; id_token: string }>();
    expect(tokens.scope).toBe(shown.request.scope);
    const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] as string, 'base64url').toString());
    expect(claims).toMatchObject({ aud: house.clientId, nonce: query.nonce, amr: ['pwd', 'qr'] });
  });

  it('T9 leaves no sign-on in the browser that waited', async () => {
    const cookies: string[] = [];
    const stop = observe(({ url, answer }) => {
      if (/\/(connect|api|interaction)\//.test(url))
        cookies.push(...([answer.headers['set-cookie'] ?? []].flat() as string[]));
    });
    await login(server, anna, house.request().query);
    stop();
    expect(cookies).toEqual([]);
    const other = await oauthSite(server.app, server);
    for (const site of [house, other]) {
      const silent = await send(
        `${server.url}/oauth/authorize?${new URLSearchParams(site.request({ prompt: 'none' }).query)}`,
      );
      expect(new URL(String(silent.headers.location)).searchParams.get('error')).toBe('login_required');
    }
    const page = await openPage(server, shop.request());
    const asStranger = await phoneWith(server, 'none=1').open(page.qr);
    expect(asStranger.body).not.toContain(anna.username);
    expect(asStranger.body).toMatch(/autocomplete="(username|current-password)[^"]*"/);
  });

  it('T10 tells the waiting page a status word, a match code and seconds, and nothing about who scanned', async () => {
    const mark = 'zq9xmark';
    const account = await server.app.accounts.create('test', {
      username: `${mark}0`,
      password: 'a long enough one',
      nickname: `${mark}1`,
      city: `${mark}2`,
      province: `${mark}3`,
      country: `${mark}4`,
      locale: 'zh-CN',
    });
    const signedIn = await send(`${server.url}/phone/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url },
      body: JSON.stringify({ username: `${mark}0`, password: 'a long enough one' }),
    });
    const phone = phoneWith(server, String(signedIn.headers['set-cookie']).split(';')[0] as string);
    const heard: string[] = [];
    const stop = observe(({ url, answer }) => {
      if (/\/(connect|api)\//.test(url)) heard.push(JSON.stringify([answer.headers, answer.body]));
    });
    const keys = async (page: WaitingPage) =>
      Object.keys((await page.status()).json())
        .sort()
        .join();
    for (const end of ['deny', 'wrong', 'confirm'] as const) {
      const page = await openPage(server, house.request().query);
      expect(await keys(page)).toBe('expires_in,status');
      const scanned = await phone.scan(page.qr);
      expect(await keys(page)).toBe('expires_in,match_code,status');
      const code = await matchCodeOf(page);
      if (end === 'deny') await phone.deny(scanned);
      else await phone.confirm(scanned, end === 'wrong' ? wrongMatchCode(code) : code);
      expect(await keys(page)).toBe('expires_in,status');
      const ending = await page.redeem();
      if (end === 'confirm') expect(Object.keys(ending.json()).sort().join()).toBe('code,iss,redirect_to,state');
      else
        expect(
          Object.keys(ending.json()).every((key) =>
            ['redirect_to', 'error', 'error_description', 'state', 'iss'].includes(key),
          ),
        ).toBe(true);
      await page.cancel();
      await page.renew();
    }
    stop();
    const [session] = await server.database.sql<{ id: string }>('SELECT id FROM phone_session WHERE account_id = $1', [
      account.id,
    ]);
    expect(heard.length).toBeGreaterThan(20);
    for (const secret of [mark, account.id, account.picture, session?.id as string]) {
      expect(heard.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});

describe('what the phone is shown of the place that asks', () => {
  const LIES = {
    'x-forwarded-for': '1.2.3.4',
    forwarded: 'for=1.2.3.4;host=evil.example',
    'x-real-ip': '1.2.3.4',
    'cf-connecting-ip': '1.2.3.4',
    'cf-ipcountry': 'DE',
    'x-client-ip': '1.2.3.4',
    'true-client-ip': '1.2.3.4',
  };
  const AGENTS = [
    `Chrome/140 Windows NT ${'your own office PC '.repeat(200)}`,
    '<img src=x onerror=alert(1)>your own office PC',
  ];

  it('T11 is the address of the socket, and a browser name of our own words', async () => {
    const server = await startApp();
    try {
      const shop = await wechatSite(server.app, server);
      const phone = await person(server.app, server);
      for (const agent of AGENTS) {
        const claims = {
          deviceInfo: 'your own office PC',
          device_info: 'your own office PC',
          ip: '1.2.3.4',
          place: 'your own office PC',
        };
        const page = await openPage(server, shop.request(claims), { ...LIES, 'user-agent': agent });
        const renewed = await send(`${server.url}/api/qr/tickets/${page.ticketId}/renew`, {
          method: 'POST',
          headers: {
            ...LIES,
            'user-agent': agent,
            authorization: `Bearer ${page.waitSecret}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify(claims),
        });
        const { qr_url: qr, ticket_id: id, wait_secret: secret } = renewed.json<Record<string, string>>();
        const shown = await phone.open(qr as string);
        const { answer } = await phone.scan(qr as string);
        expect(shown.body).toContain('127.0.0.1');
        expect(answer.json()).toMatchObject({ place: { address: '127.0.0.1', relation: 'same' } });
        for (const text of [shown.body, answer.body]) expect(text).not.toMatch(/1\.2\.3\.4|office PC|onerror|Germany/);
        await waiter(server, id as string, secret as string).cancel();
      }
    } finally {
      await server.stop();
    }
  });

  it('T11 is what the trusted proxy saw, never what stands left of it in the header', async () => {
    const server = await startApp({ TRUSTED_PROXIES: 'loopback', COUNTRY_HEADER: 'cf-ipcountry' });
    try {
      const shop = await wechatSite(server.app, server);
      const phone = await person(server.app, server);
      const page = await openPage(server, shop.request(), { ...LIES, 'x-forwarded-for': '1.2.3.4, 203.0.113.9' });
      const { answer } = await phone.scan(page.qr);
      expect(answer.json()).toMatchObject({ place: { address: '203.0.113.9', country: 'Germany', relation: 'other' } });
      expect(answer.body).not.toContain('1.2.3.4');
    } finally {
      await server.stop();
    }
  });
});
