/** wechat-jssdk 5.1.0, unmodified. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly openid: string;
  readonly unionid: string;
}

interface WechatJssdk {
  readonly oauth: {
    generateOAuthUrl(redirectUri: string, scope?: string, state?: string): string;
    getAccessToken(code: string | null, key?: string): Promise<Tokens>;
    getUserInfo(code: string, key?: string, withToken?: boolean): Promise<Tokens & Record<string, unknown>>;
    getUserInfoRemotely(tokens: Tokens): Promise<Record<string, unknown>>;
    refreshAccessToken(key: string, tokens: Tokens): Promise<Tokens>;
    isAccessTokenValid(tokens: Tokens): Promise<unknown>;
  };
  readonly store: { destroy(): void; updateOAuthAccessToken(key: string, change: object): Promise<unknown> };
}

type Load = { Wechat: new (options: object) => WechatJssdk };

describe('wechat-jssdk', () => {
  let house: LibraryHouse;
  let folder: string;
  let wechat: WechatJssdk;
  let stranger: WechatJssdk;
  beforeAll(async () => {
    house = await startLibraryHouse();
    folder = mkdtempSync(join(tmpdir(), 'qrconnect-jssdk-'));
    const { Wechat } = createRequire(import.meta.url)('wechat-jssdk') as Load;
    /** The two hosts are options, and the scope an argument of generateOAuthUrl. */
    const options = (appSecret: string) => ({
      appId: house.site.clientId,
      appSecret,
      wechatRedirectUrl: house.callback,
      oAuthUrl: `${house.base}/connect/qrconnect`,
      apiUrl: house.base,
      storeOptions: { fileStorePath: join(folder, `${appSecret}.json`) },
    });
    wechat = new Wechat(options(house.site.secret));
    stranger = new Wechat(options('0'.repeat(32)));
  });
  afterAll(async () => {
    for (const one of [wechat, stranger]) one?.store.destroy();
    rmSync(folder, { recursive: true, force: true });
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  const newCode = async () =>
    answerOf(await house.visit(wechat.oauth.generateOAuthUrl(house.callback, 'snsapi_login'))).code;

  it('logs in, reads the profile, refreshes and verifies', async () => {
    const state = 'a state with=every & kind+of%20sign';
    const address = wechat.oauth.generateOAuthUrl(house.callback, 'snsapi_login', state);
    expect(address).toMatch(/#wechat_redirect$/);
    const answer = answerOf(await house.visit(address));
    expect(answer.state).toBe(state);

    const user = await wechat.oauth.getUserInfo(answer.code, 'a session', true);
    const { access_token, refresh_token, openid, unionid } = user;
    expect(user).toMatchObject({ ...PERSON, expires_in: 7200, scope: 'snsapi_login' });
    expect([openid, unionid]).toEqual([expect.stringMatching(IDENTIFIER), expect.stringMatching(IDENTIFIER)]);
    const profile = await wechat.oauth.getUserInfoRemotely(user);
    expect(profile).toMatchObject({ ...PERSON, openid, unionid });
    expect(profile).toEqual((await house.site.userinfo(access_token, { openid })).json());

    const again = await wechat.oauth.refreshAccessToken('a session', user);
    expect(again).toMatchObject({ access_token, refresh_token, openid, updated: true });
    // It sends no openid along.
    expect(await wechat.oauth.isAccessTokenValid(user)).toEqual({ errcode: 0, errmsg: 'ok' });
  });

  it('says "userAuth" when the site has no state of its own', async () => {
    const redirectTo = await house.visit(wechat.oauth.generateOAuthUrl(house.callback, 'snsapi_login'));
    expect(answerOf(redirectTo).state).toBe('userAuth');
  });

  it('refreshes by itself when it takes its token for expired', async () => {
    const tokens = await wechat.oauth.getAccessToken(await newCode(), 'an old session');
    await wechat.store.updateOAuthAccessToken('an old session', { expirationTime: 1 });
    const again = await wechat.oauth.getAccessToken(null, 'an old session');
    expect(again).toMatchObject({ access_token: tokens.access_token, refresh_token: tokens.refresh_token });
    expect((again as { expirationTime?: number }).expirationTime).toBeGreaterThan(Date.now());
  });

  it('rejects with what the server answered to a used code and to a wrong secret', async () => {
    const code = await newCode();
    const body = (errcode: number, errmsg: RegExp) => ({ errcode, errmsg: expect.stringMatching(errmsg) });
    await expect(stranger.oauth.getAccessToken(code)).rejects.toEqual(body(40125, /^invalid appsecret, rid: /));
    await wechat.oauth.getAccessToken(code);
    await expect(wechat.oauth.getAccessToken(code)).rejects.toEqual(body(40163, /^code been used, rid: /));
  });

  it('looks for no MongoDB, though it loads the driver', () => {
    const ports = house.guard.ports();
    expect(ports).toContain(new URL(house.base).port);
    expect(ports).not.toContain('27017');
  });
});
