/** The acceptance checklist of the WeChat wire format (7.4), number by number; where the product decides otherwise, the title says so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { openPage, waiter } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { rawGet, rawPost } from '../support/raw-http.js';
import { REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

type Tokens = Record<'access_token' | 'refresh_token' | 'openid' | 'unionid' | 'scope', string>;

/** Those of 7.3 that are published for Node; the others stand in client-quirks-*.test.ts. */
const CLIENTS = [
  '@auth/core',
  'grant',
  'wechat-jssdk',
  'wechat-oauth',
  'passport-wechat',
  'node-socialite',
  'vue-wxlogin',
];

describe('the acceptance checklist of the WeChat dialect', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    // Host-only callbacks, as WeChat has them, are the administrator's choice here (product 3.3).
    // A hash route is an exact URI: a fragment travels along every redirect of a domain's pages.
    const routes = ['https://rp.example/#/login', 'https://rp.example/#/login?from=x'];
    const redirectUris = [REDIRECT_URI, ...routes];
    site = await wechatSite(server.app, server, { redirectUris, callbackDomain: 'rp.example', unionName: 'one' });
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const tokensOf = async (at = site, more: Record<string, string> = {}) =>
    (await at.exchange((await login(server, phone, at.request(more))).code)).json<Tokens>();

  it('1 opens with login_type=jssdk and no response_type', async () => {
    const looks = { styletype: '', sizetype: '', bgcolor: '', rst: '', ts: '1700000000000', style: 'white' };
    const query = site.request({
      login_type: 'jssdk',
      self_redirect: 'default',
      ...looks,
      lang: 'en',
      fast_login: '0',
    });
    expect(query).not.toHaveProperty('response_type');
    expect((await openPage(server, query)).html).toContain('<svg ');
  });

  it('2 opens with scope=snsapi_login,snsapi_userinfo, and the token answer says snsapi_login alone', async () => {
    expect((await tokensOf(site, { scope: 'snsapi_login,snsapi_userinfo' })).scope).toBe('snsapi_login');
  });

  it('3 shows the AppID, scope and redirect errors in this order, and never redirects', async () => {
    const wrong = { appid: 'wx0123456789abcdef', scope: 'snsapi_userinfo', redirect_uri: 'https://evil.example/' };
    for (const [more, code, text] of [
      [wrong, 'wechat_appid', 'AppID 参数错误'],
      [{ ...wrong, appid: site.clientId }, 'wechat_scope', 'Scope 参数错误或没有 Scope 权限'],
      [{ redirect_uri: wrong.redirect_uri }, 'wechat_redirect_uri', 'redirect_uri 参数错误'],
      [{ redirect_uri: 'https://rp.example@evil.example/' }, 'wechat_redirect_uri', 'redirect_uri 参数错误'],
    ] as const) {
      const answer = await send(`${server.url}/connect/qrconnect?${new URLSearchParams(site.request(more))}`);
      expect([answer.status, answer.headers.location]).toEqual([200, undefined]);
      expect(answer.body).toContain(`content="${code}"`);
      expect(answer.body).toContain(text);
      expect(answer.body).not.toMatch(/waitSecret|http-equiv="?refresh|evil\.example/i);
    }
  });

  it('4 returns a state of 1,500 characters with . - _ = + % equal', async () => {
    const state = 'a.b-c_d=e+f%g%20h'.repeat(100).slice(0, 1500);
    const { redirectTo } = await login(server, phone, site.request({ state }));
    expect(redirectTo.endsWith(`&state=${encodeURIComponent(state)}`)).toBe(true);
    expect(new URL(redirectTo).searchParams.get('state')).toBe(state);
  });

  it.each([
    ['https://rp.example/cb?a=1', 'https://rp.example/cb?a=1&code='],
    ['https://rp.example/#/login', 'https://rp.example/#/login?code='],
    ['https://rp.example/#/login?from=x', 'https://rp.example/#/login?from=x&code='],
  ])('5 appends to the query or behind the hash route: %s', async (redirect_uri, head) => {
    const { redirectTo, code } = await login(server, phone, site.request({ redirect_uri, state: 's' }));
    expect(redirectTo).toBe(`${head}${code}&state=s`);
  });

  // Whoever knows the id would be handed the code by such a poll (T2, T34, T36); product 3.3 leaves it out.
  it('6 has no script poll here: 410 with one sentence, whatever uuid and last say', async () => {
    const page = await openPage(server, site.request());
    await approve(phone, page);
    for (const uuid of [page.ticketId, page.qr.split('/').pop(), page.waitSecret]) {
      const poll = `/connect/l/qrconnect?uuid=${uuid}`;
      for (const path of [poll, `${poll}&last=404&_=1`, `/connect/qrcode/${uuid}`]) {
        const answer = await send(server.url, { path });
        expect([path, answer.status]).toEqual([path, 410]);
        expect(answer.body).not.toMatch(/wx_errcode|wx_code|code=/);
      }
    }
    expect((await page.redeem()).json()).toHaveProperty('code');
  });

  // WeChat lets the same code be scanned again; here a denied ticket is dead (product 3.2) and its page draws another.
  it('7 after cancel nothing is sent, the old code is dead, and a fresh one for the same request works', async () => {
    const request = site.request();
    const page = await openPage(server, request);
    expect((await phone.deny(await phone.scan(page.qr))).status).toBe(200);
    expect((await page.status()).json()).toMatchObject({ status: 'denied' });
    const handed = await send((await page.continue()).json<{ continue: string }>().continue);
    for (const { status, headers } of [await page.redeem(), handed]) {
      expect([status, headers.location]).toEqual([409, undefined]);
    }
    expect((await phone.open(page.qr)).status).toBe(410);
    const fresh = (await page.renew()).json<{ ticket_id: string; wait_secret: string; qr_url: string }>();
    const next = { ...page, ...waiter(server, fresh.ticket_id, fresh.wait_secret), qr: fresh.qr_url };
    await approve(phone, next);
    const { code, state } = (await next.redeem()).json<{ code: string; state: string }>();
    expect(state).toBe(request.state);
    expect((await site.exchange(code)).json()).toHaveProperty('openid');
  });

  it('8 exchanges by GET, by a posted form, and by query, body and Basic header together', async () => {
    const { clientId: appid, secret } = site;
    const path = '/sns/oauth2/access_token';
    const parts = async () => ({ code: (await login(server, phone, site.request())).code, grant_type: GRANT });
    const basic = `Authorization: Basic ${Buffer.from(`${appid}:${secret}`).toString('base64')}`;
    const keys = new URLSearchParams({ appid, secret });
    const replies = [
      await rawGet(server.url, `${path}?${keys}&${new URLSearchParams(await parts())}`),
      await rawPost(server.url, path, { appid, secret, ...(await parts()) }),
      await rawPost(server.url, `${path}?${keys}`, { ...(await parts()), redirect_uri: REDIRECT_URI }, [basic]),
    ];
    const openids = replies.map(({ body }) => (JSON.parse(body.toString()) as Tokens).openid);
    expect(openids).toEqual(Array(3).fill(expect.stringMatching(/^o[\w-]{27}$/)));
  });

  /** One answer of each kind, and the errcode it is to carry. */
  const everyAnswer = async () => {
    const { access_token, refresh_token, openid } = await tokensOf();
    const { code } = await login(server, phone, site.request());
    const keys = new URLSearchParams({ appid: site.clientId, secret: site.secret, code, grant_type: GRANT });
    const refresh = `appid=${site.clientId}&grant_type=refresh_token&refresh_token=${refresh_token}`;
    const token = `access_token=${access_token}&openid=${openid}`;
    const asked: Array<[string, number | undefined]> = [
      [`/sns/oauth2/access_token?${keys}`, undefined],
      [`/sns/oauth2/refresh_token?${refresh}`, undefined],
      [`/sns/userinfo?${token}`, undefined],
      [`/sns/auth?${token}`, 0],
      ['/sns/userinfo?access_token=x', 40001],
    ];
    return Promise.all(asked.map(async ([target, errcode]) => ({ errcode, reply: await rawGet(server.url, target) })));
  };

  it('9 puts errcode into no success but that of /sns/auth', async () => {
    for (const { reply, errcode } of await everyAnswer()) {
      expect(reply.status).toBe(200);
      expect(reply.body.includes('errcode')).toBe(errcode !== undefined);
      expect(JSON.parse(reply.body.toString()).errcode).toBe(errcode);
    }
  });

  it('10 answers with exactly text/plain, and raw UTF-8', async () => {
    const answers = await everyAnswer();
    for (const { reply } of answers) {
      expect(reply.headerLines.filter((line) => /^content-type:/i.test(line))).toEqual(['Content-Type: text/plain']);
      expect(reply.body.includes('\\u')).toBe(false);
    }
    expect(answers[2]?.reply.body.includes(Buffer.from('"nickname":"张三😀"', 'utf8'))).toBe(true);
  });

  // WeChat's code lives ten minutes, here sixty seconds (product 3.3); its end is an invalid code either way.
  it('11 answers 40163 to the second use of a code, 40029 to another app and after its sixty seconds', async () => {
    const other = await wechatSite(server.app, server);
    const { code } = await login(server, phone, site.request());
    const errcode = async (answer: Promise<RawAnswer>) => (await answer).json().errcode;
    expect(await errcode(other.exchange(code))).toBe(40029);
    expect(await errcode(site.exchange(code))).toBeUndefined();
    expect(await errcode(site.exchange(code))).toBe(40163);
    const { code: late } = await login(server, phone, site.request());
    await server.database.sql(
      "UPDATE engine_record SET expires_at = expires_at - interval '60 seconds' WHERE kind = 'AuthorizationCode'",
    );
    expect(await errcode(site.exchange(late))).toBe(40029);
  });

  it('12 refreshes without a secret: the same tokens while they live, 42002 after thirty days', async () => {
    const { access_token, refresh_token, openid } = await tokensOf();
    const again = (await site.refresh(refresh_token)).json();
    expect(again).toEqual({ access_token, refresh_token, openid, expires_in: 7200, scope: 'snsapi_login' });
    await server.database.sql(
      "UPDATE engine_record SET expires_at = expires_at - interval '30 days' WHERE kind = 'RefreshToken'",
    );
    expect((await site.refresh(refresh_token)).json()).toMatchObject({ errcode: 42002 });
  });

  it('13 answers userinfo with openid=%!s(<nil>), with lang=cn, and with a Bearer header', async () => {
    const { access_token, openid } = await tokensOf();
    const bearer = `Authorization: Bearer ${access_token}`;
    for (const [query, headers] of [
      ['&openid=%!s(<nil>)', []],
      [`&openid=${openid}&lang=cn`, []],
      [`&openid=${openid}`, [bearer]],
    ] as const) {
      const reply = await rawGet(server.url, `/sns/userinfo?access_token=${access_token}${query}`, headers);
      expect(JSON.parse(reply.body.toString())).toMatchObject({ openid, nickname: '张三😀' });
    }
  });

  it('14 gives two apps of one union one unionid, another union another, and every app its own openid', async () => {
    const [same, other] = [
      await wechatSite(server.app, server, { unionName: 'one' }),
      await wechatSite(server.app, server, { unionName: 'two' }),
    ];
    const [mine, theirs, strange] = [await tokensOf(), await tokensOf(same), await tokensOf(other)];
    expect(new Set([mine.openid, theirs.openid, strange.openid]).size).toBe(3);
    expect(theirs.unionid).toBe(mine.unionid);
    expect(strange.unionid).not.toBe(mine.unionid);
  });

  // The browser's half, with the component itself, is in test/clients/vue-wxlogin.test.ts.
  it("15 lets vue-wxlogin's frame open on the site's pages, and has it navigate the top window", async () => {
    const query = site.request({ login_type: 'jssdk', self_redirect: 'false', style: 'black', href: '' });
    const framed = { 'sec-fetch-dest': 'iframe', referer: `${new URL(REDIRECT_URI).origin}/` };
    const page = await openPage(server, query, framed);
    expect(page.headers['x-frame-options']).toBeUndefined();
    const policy = String(page.headers['content-security-policy']);
    expect(/frame-ancestors ([^;]*)/.exec(policy)?.[1]?.split(' ')).toContain(new URL(REDIRECT_URI).origin);
    expect(pageData(page.html)).toMatchObject({ navigate: 'top' });
  });

  // The clients themselves sign in end to end in test/clients; the table that tells people so is held to what ran there.
  it.each(CLIENTS)('16 says in the table of libraries which version of %s was run', (client) => {
    const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
    const version = JSON.parse(read('package.json')).devDependencies[client] as string;
    expect(read('docs/wechat-dialect.md')).toContain(`| \`${client}\` ${version} `);
  });
});

const GRANT = 'authorization_code';
