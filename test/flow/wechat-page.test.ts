import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';

describe('the WeChat page (wire format 1)', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const open = (query: string | Record<string, string>) =>
    send(`${server.url}/connect/qrconnect?${typeof query === 'string' ? query : new URLSearchParams(query)}`);
  /** Where the browser ends up after the phone allows. */
  const answerTo = async (query: Record<string, string>) => {
    const page = await openPage(server, query);
    await approve(phone, page);
    return String((await page.redeem()).json().redirect_to);
  };
  const ticketsOf = async () =>
    (await server.database.sql<{ n: number }>('SELECT count(*)::int AS n FROM ticket'))[0]?.n;

  describe('1.1 its parameters', () => {
    it.each([
      ['response_type', 'code'],
      ['response_type', 'token'],
      ['lang', 'cn'],
      ['lang', 'en'],
      ['lang', 'zh_CN'],
      ['lang', 'tlh'],
      ['login_type', 'jssdk'],
      ['self_redirect', 'true'],
      ['self_redirect', 'default'],
      ['style', 'black'],
      ['style', 'pink'],
      ['href', 'data:text/css;base64,e30='],
      ['href', ''],
      ['stylelite', '1'],
      ['fast_login', '0'],
      ['color_scheme', 'auto'],
      ['color_scheme', 'sepia'],
      ['styletype', ''],
      ['sizetype', ''],
      ['bgcolor', ''],
      ['rst', ''],
      ['ts', '1790000000000'],
      ['_', '1790000000000'],
      ['connect_redirect', '1'],
      ['f', 'xml'],
      ['client_id', 'wx0000000000000000'],
      ['nonce', 'n'],
      ['clear', '1'],
      ['whatever', '<script>'],
    ])('%s=%s does not keep it from opening', async (name, value) => {
      const answer = await open({ ...site.request(), [name]: value });
      expect(answer.status).toBe(200);
      expect(pageData(answer.body)).toHaveProperty('ticketId');
    });

    it('come in any order', async () => {
      const pairs = Object.entries(site.request());
      for (const order of [pairs, [...pairs].reverse(), [...pairs].sort()]) {
        expect(pageData((await open(new URLSearchParams(order).toString())).body)).toHaveProperty('ticketId');
      }
    });

    it.each([
      'snsapi_login',
      'snsapi_login,snsapi_userinfo',
      'snsapi_userinfo,snsapi_login',
      'snsapi_login,snsapi_userinfo,scope.userInfo',
      'snsapi_login,snsapi_runtime_pcsdk',
      'snsapi_login snsapi_userinfo',
    ])('scope=%s holds what is needed', async (scope) => {
      expect(pageData((await open(site.request({ scope }))).body)).toHaveProperty('ticketId');
    });

    it.each([
      ['cn', undefined, 'zh-CN'],
      ['zh_CN', undefined, 'zh-CN'],
      ['en', undefined, 'en'],
      [undefined, 'en-GB', 'zh-CN'],
      ['', 'en-GB', 'zh-CN'],
    ])('lang=%s and a browser that wants %s make it speak %s', async (lang, wants, spoken) => {
      const query = new URLSearchParams({ ...site.request(), ...(lang === undefined ? {} : { lang }) });
      const headers: Record<string, string> = wants === undefined ? {} : { 'accept-language': wants };
      const answer = await send(`${server.url}/connect/qrconnect?${query}`, { headers });
      expect(answer.body).toContain(`<html lang="${spoken}"`);
    });
  });

  describe('1.1 state', () => {
    it.each([
      ['1,500 characters of a token', `${'aB3.-_=+%/~'.repeat(137)}`.slice(0, 1500)],
      [
        '2,048 bytes of every printable character',
        String.fromCharCode(...Array.from({ length: 2048 }, (_, i) => 0x21 + (i % 94))),
      ],
      ['2,048 bytes of Chinese', '微信登录'.repeat(170)],
      ['an empty one', ''],
      ['what reads like more parameters', 'x&code=EVIL#wechat_redirect'],
    ])('comes back equal: %s', async (_what, state) => {
      const to = new URL(await answerTo(site.request({ state })));
      expect(to.searchParams.get('state')).toBe(state);
      expect(to.searchParams.getAll('code')).toHaveLength(1);
      expect(to.hash).toBe('');
    });

    it('is appended empty when there was none', async () => {
      const { state: _, ...query } = site.request();
      expect(await answerTo(query)).toMatch(/\?code=[\w-]+&state=$/);
    });

    it('T93 is asked for when the registration says so: no page, no ticket, and a hint for the developer', async () => {
      const strict = await wechatSite(server.app, server, { stateRequired: true });
      const before = await ticketsOf();
      const { state: _, ...without } = strict.request();
      for (const query of [without, { ...without, state: '' }, { ...without, state: 'undefined' }]) {
        const answer = await open({ ...query, lang: 'en' });
        expect(answer.status).toBe(400);
        expect(answer.body).toContain('<meta name="qrconnect-error" content="state_required">');
        expect(answer.body).toContain('unguessable state');
      }
      expect(await ticketsOf()).toBe(before);
      expect(pageData((await open(strict.request())).body)).toHaveProperty('ticketId');
    });
  });

  describe('1.2 its three refusals', () => {
    const stranger = 'https://stranger.example/cb';
    it.each<[string, string, Record<string, string | undefined>]>([
      ['wechat_appid', 'AppID 参数错误', { appid: undefined }],
      ['wechat_appid', 'AppID 参数错误', { appid: 'wx0123456789abcdef' }],
      ['wechat_appid', 'AppID 参数错误', { appid: 'wx0123456789abcdef', scope: 'x', redirect_uri: stranger }],
      ['wechat_scope', 'Scope 参数错误或没有 Scope 权限', { scope: 'snsapi_userinfo' }],
      ['wechat_scope', 'Scope 参数错误或没有 Scope 权限', { scope: undefined, redirect_uri: stranger }],
      ['wechat_redirect_uri', 'redirect_uri 参数错误', { redirect_uri: stranger }],
      ['wechat_redirect_uri', 'redirect_uri 参数错误', { redirect_uri: undefined }],
      ['wechat_redirect_uri', 'redirect_uri 参数错误', { redirect_uri: 'not a url' }],
    ])('%s: a page that says "%s", status 200, no redirect, no ticket (%o)', async (reason, text, change) => {
      const before = await ticketsOf();
      const query = Object.entries({ ...site.request(), ...change }).filter((pair) => pair[1] !== undefined);
      const answer = await open(new URLSearchParams(query as [string, string][]).toString());
      expect(answer.status).toBe(200);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.body).toContain(`<h1>${text}</h1>`);
      expect(answer.body).toContain(`<meta name="qrconnect-error" content="${reason}">`);
      expect(answer.body).not.toContain('stranger.example');
      expect(answer.body).not.toContain('page-data');
      expect(await ticketsOf()).toBe(before);
      const english = await open(new URLSearchParams([...(query as [string, string][]), ['lang', 'en']]).toString());
      expect(english.body).toMatch(
        /<h1>(AppID parameter error|Scope parameter error, .*|redirect_uri parameter error)</,
      );
      expect(english.body).toContain('For the site’s developer');
    });
  });

  describe('1.4 the address it goes to', () => {
    it('keeps a query and appends to it', async () => {
      const uri = 'http://127.0.0.1:9/cb?_oauthstate=abc&x=%2F';
      const shop = await wechatSite(server.app, server, { redirectUris: [uri] });
      expect(await answerTo(shop.request({ redirect_uri: uri, state: 's' }))).toMatch(
        /^http:\/\/127\.0\.0\.1:9\/cb\?_oauthstate=abc&x=%2F&code=[\w-]+&state=s$/,
      );
    });

    it.each(['http://127.0.0.1:9/#/login', 'http://127.0.0.1:9/app#!/login?tab=2'])(
      'keeps the hash route of a registered %s and puts the code behind it',
      async (uri) => {
        const shop = await wechatSite(server.app, server, { redirectUris: [uri] });
        const glue = uri.includes('?') ? '&' : '?';
        const to = await answerTo(shop.request({ redirect_uri: uri, state: 's' }));
        expect(to.startsWith(`${uri}${glue}code=`)).toBe(true);
        expect(to.endsWith('&state=s')).toBe(true);
        expect((await shop.exchange(/code=([\w-]+)/.exec(to)?.[1] as string)).json()).toHaveProperty('openid');
        const other = await open(shop.request({ redirect_uri: uri.replace('login', 'admin') }));
        expect(other.body).toContain('content="wechat_redirect_uri"');
      },
    );

    it('goes anywhere on a callback domain, and nowhere else', async () => {
      const shop = await wechatSite(server.app, server, { redirectUris: [], callbackDomain: 'shop.example' });
      for (const uri of ['https://shop.example', 'https://shop.example/a?b=1']) {
        const to = await answerTo(shop.request({ redirect_uri: uri, state: 's' }));
        expect(to.startsWith(`${uri}${uri.includes('?') ? '&' : '?'}code=`), to).toBe(true);
      }
      for (const uri of [
        'https://shop.example@evil.example/',
        // A page that redirects elsewhere would take the code there: browsers carry fragments along.
        'https://shop.example/out/17#/',
        'https://shop.example/#',
        'https://shop.example:8443/',
        'https://www.shop.example/',
      ]) {
        const { body } = await open(shop.request({ redirect_uri: uri }));
        expect(body).toContain('content="wechat_redirect_uri"');
      }
    });
  });
});
