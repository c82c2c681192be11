import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

describe('a WeChat-dialect site', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await startApp();
  });
  afterAll(() => server?.stop());

  it('gets a code bound to its state, exchanges it, and reads the profile', async () => {
    const site = await wechatSite(server.app, server, { unionName: 'shops' });
    const phone = await person(server.app, server);
    const request = site.request({ state: 'a b+c%/=?' });
    const { code, redirectTo } = await login(server, phone, request);
    expect(redirectTo).toBe(`${REDIRECT_URI}?code=${code}&state=${encodeURIComponent('a b+c%/=?')}`);

    const tokens = (await site.exchange(code)).json();
    expect(Object.keys(tokens).sort()).toEqual([
      'access_token',
      'expires_in',
      'openid',
      'refresh_token',
      'scope',
      'unionid',
    ]);
    expect(tokens).toMatchObject({
      expires_in: 7200,
      scope: 'snsapi_login',
      openid: expect.stringMatching(/^o[\w-]{27}$/),
    });

    const profile = await site.userinfo(String(tokens.access_token), { openid: String(tokens.openid) });
    expect(profile.headers['content-type']).toBe('text/plain');
    expect(profile.json()).toMatchObject({
      nickname: '张三😀',
      openid: tokens.openid,
      unionid: tokens.unionid,
      privilege: [],
      sex: 0,
    });
    expect((await site.auth(String(tokens.access_token), String(tokens.openid))).json()).toEqual({
      errcode: 0,
      errmsg: 'ok',
    });
  });

  it('refreshes without a secret and gets the same refresh token and the same live access token', async () => {
    const site = await wechatSite(server.app, server);
    const phone = await person(server.app, server);
    const { code } = await login(server, phone, site.request());
    const tokens = (await site.exchange(code)).json();
    const again = (await site.refresh(String(tokens.refresh_token))).json();
    const { unionid: _, ...expected } = tokens;
    expect(again).toEqual(expected);
    expect((await site.userinfo(String(again.access_token))).json()).toMatchObject({ nickname: '张三😀' });
  });

  it('gets a new access token when the old one has expired', async () => {
    const site = await wechatSite(server.app, server);
    const phone = await person(server.app, server);
    const { code } = await login(server, phone, site.request());
    const tokens = (await site.exchange(code)).json();
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AccessToken'");
    expect((await site.userinfo(String(tokens.access_token))).json()).toMatchObject({ errcode: 42001 });
    const again = (await site.refresh(String(tokens.refresh_token))).json();
    expect(again.access_token).not.toBe(tokens.access_token);
    expect((await site.userinfo(String(again.access_token))).json()).toMatchObject({ nickname: '张三😀' });
  });

  it('sees another openid but the same unionid at a client of the same union, in either dialect', async () => {
    const shop = await wechatSite(server.app, server, { unionName: 'one' });
    const cafe = await oauthSite(server.app, server, { unionName: 'one' });
    const stranger = await wechatSite(server.app, server);
    const phone = await person(server.app, server);
    const first = (await shop.exchange((await login(server, phone, shop.request())).code)).json();
    const third = (await stranger.exchange((await login(server, phone, stranger.request())).code)).json();
    const { query, verifier } = cafe.request();
    const second = (await cafe.exchange((await login(server, phone, query)).code, verifier)).json();
    const profile = (await cafe.userinfo(String(second.access_token))).json();
    expect(profile.unionid).toBe(first.unionid);
    expect(profile.sub).not.toBe(first.openid);
    expect(third.unionid).not.toBe(first.unionid);
    expect(third.openid).not.toBe(first.openid);
  });
});
