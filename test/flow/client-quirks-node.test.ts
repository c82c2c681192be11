/** Libraries of Node whose hosts are fixed, so that they cannot be pointed here: their requests, byte by byte, and their checks. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet } from '../support/raw-http.js';

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();

function json<T = Record<string, unknown>>(reply: RawReply): T {
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body.toString('utf8')) as T;
}

describe('the client libraries of Node with fixed hosts', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/callback/wechat-web');
  });
  afterAll(() => house?.stop());

  const tokenQuery = (code: string) =>
    query({ appid: house.site.clientId, secret: house.site.secret, code, grant_type: 'authorization_code' });

  it('Logto: lets through only what its types say, where null is not absent', async () => {
    const { base, callback, site } = house;
    const error = { errcode: z.number().optional(), errmsg: z.string().optional() };
    const text = z.string().optional();
    const tokenGuard = z.object({
      access_token: text,
      openid: text,
      expires_in: z.number().optional(),
      refresh_token: text,
      scope: text,
      ...error,
    });
    const userGuard = z.object({ unionid: text, headimgurl: text, nickname: text, ...error });
    expect(userGuard.safeParse({ unionid: null }).success).toBe(false);

    const state = randomBytes(8).toString('base64url');
    const asked = { appid: site.clientId, redirect_uri: encodeURI(callback), response_type: 'code' };
    const address = `${base}/connect/qrconnect?${query({ ...asked, scope: 'snsapi_login', state })}`;
    const back = z.object({ code: z.string(), state: z.literal(state) }).parse(answerOf(await house.visit(address)));
    const got = ['User-Agent: got (https://github.com/sindresorhus/got)', 'Accept-Encoding: gzip, deflate, br'];
    const target = `/sns/oauth2/access_token?${tokenQuery(back.code)}`;
    const tokens = tokenGuard.parse(json(await rawGet(base, target, got)));
    expect([tokens.errcode, tokens.access_token, tokens.openid]).toEqual([
      undefined,
      expect.any(String),
      expect.stringMatching(IDENTIFIER),
    ]);
    const { access_token = '', openid = '' } = tokens;
    const profile = json(await rawGet(base, `/sns/userinfo?${query({ access_token, openid })}`, got));
    expect(userGuard.parse(profile)).toMatchObject({ nickname: PERSON.nickname, unionid: expect.any(String) });
    expect(Object.values(profile)).not.toContain(null);
    // Its own words for a bad code and a bad token hang on these numbers.
    const spent = tokenGuard.parse(json(await rawGet(base, target, got)));
    expect([40029, 40163, 42003]).toContain(spent.errcode);
    const lost = userGuard.parse(json(await rawGet(base, `/sns/userinfo?${query({ access_token, openid })}`, got)));
    expect([40001, 40014]).toContain(lost.errcode);
  });

  it('better-auth: splits the scope at commas, and falls back from unionid to openid', async () => {
    const { base, callback, site } = house;
    const state = randomBytes(24).toString('base64url');
    const address = new URL(`${base}/connect/qrconnect`);
    for (const [name, value] of [
      ['scope', ['snsapi_login', 'snsapi_userinfo'].join(',')],
      ['response_type', 'code'],
      ['appid', site.clientId],
      ['redirect_uri', callback],
      ['state', state],
      ['lang', 'cn'],
    ] as const) {
      address.searchParams.set(name, value);
    }
    address.hash = 'wechat_redirect';
    const back = answerOf(await house.visit(address.href));
    expect(back.state).toBe(state);
    type Tokens = { scope: string; openid: string; expires_in: number } & Record<string, string>;
    const tokens = json<Tokens>(await rawGet(base, `/sns/oauth2/access_token?${tokenQuery(back.code)}`));
    expect(tokens.errcode).toBeFalsy();
    expect(tokens.scope.split(',')).toEqual(['snsapi_login']);
    expect(new Date(Date.now() + tokens.expires_in * 1000).getTime()).toBeGreaterThan(Date.now());
    const { access_token = '', refresh_token = '', openid } = tokens;
    const asking = query({ access_token, openid, lang: 'zh_CN' });
    const profile = json<Record<string, string>>(await rawGet(base, `/sns/userinfo?${asking}`));
    expect(profile.errcode).toBeFalsy();
    expect(profile.unionid || profile.openid || openid).toBe(tokens.unionid);
    // It makes an address up from that id; we never send one.
    expect(profile.email).toBeUndefined();
    const refresh = query({ appid: site.clientId, grant_type: 'refresh_token', refresh_token });
    const again = json<Tokens>(await rawGet(base, `/sns/oauth2/refresh_token?${refresh}`));
    expect([again.access_token, again.refresh_token, again.scope.split(',')]).toEqual([
      access_token,
      refresh_token,
      ['snsapi_login'],
    ]);
  });

  it('node-weixin-oauth: brings a stray access_token to the exchange, and is told of its misspelt appId at refresh', async () => {
    const { base, callback, site } = house;
    // It knows the flow inside the app only; its code comes from our page here.
    const asked = { appid: site.clientId, redirect_uri: callback, response_type: 'code', scope: 'snsapi_login' };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${query({ ...asked, state: 'STATE' })}`));
    expect(back.state).toBe('STATE');
    const tokens = json<Record<string, string>>(
      // The fragment that it writes behind this does not travel by HTTP.
      await rawGet(base, `/sns/oauth2/access_token?${tokenQuery(back.code)}&access_token=undefined`),
    );
    const { access_token = '', refresh_token = '', openid = '' } = tokens;
    expect(openid).toMatch(IDENTIFIER);
    const profile = json(await rawGet(base, `/sns/userinfo?${query({ access_token, openid, lang: 'zh_CN' })}`));
    expect(profile).toMatchObject({ openid, nickname: PERSON.nickname });
    // Parameter names are in lower case (wire format 4.1).
    const refresh = query({ appId: site.clientId, grant_type: 'refresh_token', refresh_token });
    expect(json(await rawGet(base, `/sns/oauth2/refresh_token?${refresh}`))).toMatchObject({ errcode: 41002 });
    // It only looks whether errcode is something: 0 must not be a text.
    const valid = json(await rawGet(base, `/sns/auth?${query({ access_token, openid })}`));
    expect(Boolean(valid.errcode)).toBe(false);
    const dead = json(await rawGet(base, `/sns/auth?${query({ access_token: 'x', openid })}`));
    expect(Boolean(dead.errcode)).toBe(true);
  });
});
