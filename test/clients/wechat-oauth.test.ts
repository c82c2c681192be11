/** wechat-oauth 1.5.0, unmodified. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly openid: string;
  readonly unionid?: string;
  readonly create_at: number;
}

type Callback<T> = (error: Error | null, result: T) => void;

interface WechatOauth {
  request(url: string, options: object, callback: Callback<unknown>): void;
  getAuthorizeURLForWebsite(redirectUri: string, state?: string, scope?: string): string;
  getAccessToken(code: string, callback: Callback<{ data: Tokens }>): void;
  refreshAccessToken(refreshToken: string, callback: Callback<{ data: Tokens }>): void;
  getUser(options: { openid: string; lang?: string }, callback: Callback<Record<string, unknown>>): void;
  verifyToken(openid: string, accessToken: string, callback: Callback<unknown>): void;
}

type Load = Callback<Tokens | undefined>;
const OAuth = createRequire(import.meta.url)('wechat-oauth') as new (
  appid: string,
  secret: string,
  getToken?: (openid: string, callback: Load) => void,
  saveToken?: (openid: string, tokens: Tokens, callback: (error: null) => void) => void,
) => WechatOauth;

/** The library has no option for its hosts: the instance's `request` and its authorize URL get ours instead. */
function pointAt(oauth: WechatOauth, base: string): WechatOauth {
  const { request, getAuthorizeURLForWebsite } = oauth;
  oauth.request = (url, options, callback) =>
    request.call(oauth, url.replace('https://api.weixin.qq.com', base), options, callback);
  oauth.getAuthorizeURLForWebsite = (...args) =>
    getAuthorizeURLForWebsite.apply(oauth, args).replace('https://open.weixin.qq.com', base);
  return oauth;
}

const result = <T>(call: (callback: Callback<T>) => void) =>
  new Promise<T>((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));

describe('wechat-oauth', () => {
  let house: LibraryHouse;
  let oauth: WechatOauth;
  const store = new Map<string, Tokens>();
  beforeAll(async () => {
    house = await startLibraryHouse();
    const { clientId, secret } = house.site;
    const load = (openid: string, callback: Load) => callback(null, store.get(openid));
    const save = (openid: string, tokens: Tokens, callback: (error: null) => void) => {
      store.set(openid, tokens);
      callback(null);
    };
    oauth = pointAt(new OAuth(clientId, secret, load, save), house.base);
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  const newCode = async () =>
    answerOf(await house.visit(oauth.getAuthorizeURLForWebsite(house.callback, 'a state'))).code;

  it('logs in, reads the profile, refreshes and verifies', async () => {
    const state = 'a state with=every & kind+of%20sign 张三';
    const address = oauth.getAuthorizeURLForWebsite(house.callback, encodeURIComponent(state));
    expect(address).toMatch(/#wechat_redirect$/);
    const answer = answerOf(await house.visit(address));
    expect(decodeURIComponent(answer.state)).toBe(state);

    const { data: tokens } = await result<{ data: Tokens }>((done) => oauth.getAccessToken(answer.code, done));
    expect(tokens).toMatchObject({ expires_in: 7200, scope: 'snsapi_login' });
    const { openid, unionid, access_token, refresh_token } = tokens;
    expect([openid, unionid]).toEqual([expect.stringMatching(IDENTIFIER), expect.stringMatching(IDENTIFIER)]);

    const profile = await result((done) => oauth.getUser({ openid, lang: 'zh_CN' }, done));
    expect(profile).toMatchObject({ ...PERSON, openid, unionid });
    expect(profile).toEqual((await house.site.userinfo(access_token, { openid })).json());

    const { data: again } = await result<{ data: Tokens }>((done) => oauth.refreshAccessToken(refresh_token, done));
    expect(again).toMatchObject({ access_token, refresh_token, openid, expires_in: 7200 });
    expect(again).not.toHaveProperty('unionid');
    const verified = await result((done) => oauth.verifyToken(openid, access_token, done));
    expect(verified).toEqual({ errcode: 0, errmsg: 'ok' });
  });

  it('refreshes by itself when it takes its token for expired', async () => {
    const code = await newCode();
    const { data: tokens } = await result<{ data: Tokens }>((done) => oauth.getAccessToken(code, done));
    store.set(tokens.openid, { ...tokens, create_at: 0 });
    const profile = await result((done) => oauth.getUser({ openid: tokens.openid }, done));
    expect(profile).toMatchObject(PERSON);
    expect(store.get(tokens.openid)).toMatchObject({ access_token: tokens.access_token });
    expect(store.get(tokens.openid)?.create_at).toBeGreaterThan(0);
  });

  it('reports a used code and a wrong secret as a WeChatAPIError with its number', async () => {
    const code = await newCode();
    const stranger = pointAt(new OAuth(house.site.clientId, '0'.repeat(32)), house.base);
    const error = (errcode: number, message: RegExp) =>
      expect.objectContaining({ name: 'WeChatAPIError', code: errcode, message: expect.stringMatching(message) });
    await expect(result((done) => stranger.getAccessToken(code, done))).rejects.toEqual(
      error(40125, /^invalid appsecret, rid: /),
    );
    await result((done) => oauth.getAccessToken(code, done));
    await expect(result((done) => oauth.getAccessToken(code, done))).rejects.toEqual(
      error(40163, /^code been used, rid: /),
    );
  });

  it('asks WeChat itself unless it is pointed here', async () => {
    const untouched = new OAuth(house.site.clientId, house.site.secret);
    expect(untouched.getAuthorizeURLForWebsite(house.callback)).toMatch(/^https:\/\/open\.weixin\.qq\.com\//);
    expect(house.guard.strangers()).toEqual([]);
    await expect(result((done) => untouched.getAccessToken('0', done))).rejects.toThrow('only this machine');
    expect(house.guard.strangers()).toContain('api.weixin.qq.com');
  });
});
