/** PHP's client libraries cannot run here: each one's requests, byte by byte, and the answers read as it reads them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet } from '../support/raw-http.js';

type Json = Record<string, unknown>;

/** http_build_query. */
const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();

/** json_decode of the body's bytes, which must be UTF-8. */
function decoded(reply: RawReply): Json {
  expect(reply.status).toBe(200);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(reply.body)) as Json;
}

/** `$array['key']` without a guard: absent is a warning, which frameworks turn into an exception. */
function unguarded(body: Json, key: string): unknown {
  expect(Object.keys(body)).toContain(key);
  return body[key];
}

describe('the client libraries of PHP', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/callback/wechat');
  });
  afterAll(() => house?.stop());

  it('Hybridauth: asks for three scopes, and sends appid, secret and a Bearer header to userinfo', async () => {
    const { base, callback, site } = house;
    const state = `HA-${randomBytes(16).toString('hex').toUpperCase()}`;
    const scope = 'snsapi_login,snsapi_userinfo,scope.userInfo';
    const asked = { response_type: 'code', redirect_uri: callback, scope, appid: site.clientId, state };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${query(asked)}`));
    expect(back.state).toBe(state);
    const keys = { appid: site.clientId, secret: site.secret };
    const exchange = { grant_type: 'authorization_code', redirect_uri: callback, ...keys, code: back.code };
    const tokens = decoded(await rawGet(base, `/sns/oauth2/access_token?${query(exchange)}`));
    expect(unguarded(tokens, 'access_token')).toBeTruthy();
    const { access_token, openid } = tokens as Record<string, string>;
    const target = `/sns/userinfo?${query({ ...keys, openid: String(openid), access_token: String(access_token) })}`;
    const profile = decoded(await rawGet(base, target, [`Authorization: Bearer ${access_token}`]));
    expect(unguarded(profile, 'openid')).toBe(openid);
    expect(['', 'male', 'female'][Number(profile.sex)]).toBe('');
    expect(profile.sex).toBe(0);
    const { nickname, city, province, country } = PERSON;
    expect(profile).toMatchObject({ nickname, city, province, country, headimgurl: expect.stringMatching(/^http/) });
    // Its refresh sends no secret.
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token), appid: site.clientId };
    const again = decoded(await rawGet(base, `/sns/oauth2/refresh_token?${query(refresh)}`));
    expect(again).toMatchObject({ access_token, openid });
  });

  it('SocialiteProviders WeixinWeb: reads openid, nickname and headimgurl without looking whether they are there', async () => {
    const { base, callback, site } = house;
    const state = randomBytes(30).toString('base64url');
    const asked = { appid: site.clientId, redirect_uri: callback, response_type: 'code', scope: 'snsapi_login', state };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${query(asked)}#wechat_redirect`));
    expect(back.state).toBe(state);
    const { clientId: appid, secret } = site;
    const fields = { appid, code: back.code, grant_type: 'authorization_code', secret };
    const guzzle = ['User-Agent: GuzzleHttp/7'];
    const tokens = decoded(await rawGet(base, `/sns/oauth2/access_token?${query(fields)}`, guzzle));
    const openid = String(unguarded(tokens, 'openid'));
    const asking = { access_token: String(unguarded(tokens, 'access_token')), openid, lang: 'zh_CN' };
    const user = decoded(await rawGet(base, `/sns/userinfo?${query(asking)}`, guzzle));
    expect(user.openid).toBe(openid);
    expect(unguarded(user, 'nickname')).toBe(PERSON.nickname);
    expect(unguarded(user, 'headimgurl')).toEqual(expect.any(String));
    expect(user.unionid).toMatch(IDENTIFIER);
  });

  it('overtrue/socialite: sends connect_redirect=1, and needs four members of the token answer', async () => {
    const { base, callback, site } = house;
    const state = randomBytes(16).toString('hex');
    const asked = { appid: site.clientId, redirect_uri: callback, response_type: 'code', scope: 'snsapi_login', state };
    const address = `${base}/connect/qrconnect?${query({ ...asked, connect_redirect: '1' })}#wechat_redirect`;
    const back = answerOf(await house.visit(address));
    expect(back.state).toBe(state);
    const { clientId: appid, secret } = site;
    const fields = { appid, secret, code: back.code, grant_type: 'authorization_code' };
    const target = `/sns/oauth2/access_token?${query(fields)}`;
    const tokens = decoded(await rawGet(base, target, ['Accept: application/json']));
    for (const needed of ['access_token', 'refresh_token', 'expires_in', 'openid']) {
      expect(unguarded(tokens, needed)).toBeTruthy();
    }
    expect(Number(tokens.expires_in)).toBe(7200);
    const asking = { access_token: String(tokens.access_token), openid: String(tokens.openid) };
    // withCountryCode() leaves `lang` away.
    for (const lang of [{ lang: 'zh_CN' }, {}] as Array<Record<string, string>>) {
      const user = decoded(await rawGet(base, `/sns/userinfo?${query({ ...asking, ...lang })}`));
      expect(user).toMatchObject({ openid: tokens.openid, nickname: PERSON.nickname });
    }
    // An answer without an access token is its error; the status is not looked at.
    expect(decoded(await rawGet(base, target, ['Accept: application/json']))).not.toHaveProperty('access_token');
  });
});
