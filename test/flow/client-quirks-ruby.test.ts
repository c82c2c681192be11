/** Ruby's client libraries cannot run here: each one's requests, byte by byte, and the answers read as it reads them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet } from '../support/raw-http.js';

const FARADAY = [
  'User-Agent: Faraday v2.9.0',
  'Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
  'Accept: */*',
];

/** Faraday's query: sorted by name. */
function query(parameters: Record<string, string>): string {
  return new URLSearchParams(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))).toString();
}

function parsed(reply: RawReply): Record<string, unknown> {
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body.toString('utf8')) as Record<string, unknown>;
}

describe('the client libraries of Ruby', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/auth/wechat/callback');
  });
  afterAll(() => house?.stop());

  /** request_phase: `address` ends as the strategy's authorize_url does, and Faraday puts the query before the fragment. */
  const visit = async (authorizeUrl: string, state: string) => {
    const [path, fragment] = authorizeUrl.split('#') as [string, string];
    const asked = { appid: house.site.clientId, redirect_uri: house.callback, response_type: 'code', state };
    const glue = path.endsWith('?') ? '' : '?';
    return answerOf(
      await house.visit(`${house.base}${path}${glue}${query({ ...asked, scope: 'snsapi_login' })}#${fragment}`),
    );
  };

  /** raw_info, whose scope the strategy compares: the openid alone if it is not the one it expects. */
  const rawInfo = async (token: Record<string, unknown>, scopeFits: boolean, more: Record<string, string> = {}) => {
    if (!scopeFits) return { openid: token.openid };
    const asked = { access_token: String(token.access_token), openid: String(token.openid), ...more };
    return parsed(await rawGet(house.base, `/sns/userinfo?${query(asked)}`, FARADAY));
  };

  it('omniauth-wechat-oauth2: reads the profile only if the scope is snsapi_login to the letter', async () => {
    const { base, callback, site } = house;
    const state = randomBytes(24).toString('hex');
    const back = await visit('/connect/qrconnect?#wechat_redirect', state);
    expect(back.state).toBe(state);
    // oauth2 1.x puts its own names for the client beside WeChat's.
    const keys = { appid: site.clientId, secret: site.secret, client_id: site.clientId, client_secret: site.secret };
    const asked = { ...keys, code: back.code, grant_type: 'authorization_code', redirect_uri: callback };
    const token = parsed(await rawGet(base, `/sns/oauth2/access_token?${query(asked)}`, FARADAY));
    expect(token).toMatchObject({ access_token: expect.any(String), expires_in: 7200 });
    const info = await rawInfo(token, token.scope === 'snsapi_login', { lang: 'zh_CN' });
    // uid comes from here.
    expect(info).toMatchObject({ ...PERSON, openid: token.openid, sex: 0, unionid: token.unionid });
    expect(info.openid).toMatch(IDENTIFIER);
  });

  it('omniauth-open-wechat-oauth2: reads the profile if the scope holds snsapi_login, and is known by its unionid', async () => {
    const { base, site } = house;
    const state = randomBytes(24).toString('hex');
    const back = await visit('/connect/qrconnect#wechat_redirect', state);
    expect(back.state).toBe(state);
    // oauth2 2.x authenticates by Basic header beside it all.
    const basic = `Authorization: Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`;
    const asked = { appid: site.clientId, secret: site.secret, code: back.code, grant_type: 'authorization_code' };
    const target = `/sns/oauth2/access_token?${query(asked)}`;
    const token = parsed(await rawGet(base, target, [...FARADAY, basic]));
    const info = await rawInfo(token, String(token.scope).split(',').includes('snsapi_login'));
    expect(info).toMatchObject({ nickname: PERSON.nickname, openid: token.openid });
    expect(info.unionid).toMatch(IDENTIFIER);
    // OAuth2::Error is raised for an answer without an access token.
    expect(parsed(await rawGet(base, target, [...FARADAY, basic]))).not.toHaveProperty('access_token');
  });
});
