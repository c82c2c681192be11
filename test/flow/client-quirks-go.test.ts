/** Go's client libraries cannot run here: each one's requests, byte by byte, and the answers read into its structs. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet } from '../support/raw-http.js';

const NET_HTTP = ['User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'];

type Kind = 'string' | 'int' | '[]string';
type Struct = Record<string, string | number | string[]>;

const TOKEN = { access_token: 'string', expires_in: 'int', refresh_token: 'string', openid: 'string' } as const;
const ERROR = { errcode: 'int', errmsg: 'string' } as const;
const USER = {
  openid: 'string',
  nickname: 'string',
  sex: 'int',
  city: 'string',
  province: 'string',
  country: 'string',
  headimgurl: 'string',
  privilege: '[]string',
  unionid: 'string',
} as const;

/** encoding/json: a member of another kind is an error, an absent one its zero value, an unknown one ignored. */
function unmarshal(text: string, fields: Record<string, Kind>): Struct {
  const body = JSON.parse(text) as Record<string, unknown>;
  const zero = { string: '', int: 0, '[]string': [] };
  const fits = {
    string: (value: unknown) => typeof value === 'string',
    int: (value: unknown) => Number.isInteger(value),
    '[]string': (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  };
  return Object.fromEntries(
    Object.entries(fields).map(([name, kind]) => {
      const value = body[name] ?? zero[kind];
      if (!fits[kind](value)) throw new Error(`json: cannot unmarshal ${JSON.stringify(value)} into ${name}: ${kind}`);
      return [name, value as string];
    }),
  );
}

/** url.Values.Encode: sorted by key. */
function encode(values: Record<string, string>): string {
  return new URLSearchParams(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))).toString();
}

describe('the client libraries of Go', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/callback');
  });
  afterAll(() => house?.stop());

  const get = (target: string) => rawGet(house.base, target, NET_HTTP);
  /** The body, from a library that takes every status but 200 for a failed transport. */
  const text = (reply: RawReply) => {
    expect(reply.status).toBe(200);
    return reply.body.toString('utf8');
  };

  it('Casdoor: searches the token answer for "errcode", and asks for the profile of openid=%!s(<nil>)', async () => {
    const { base, callback, site } = house;
    // btoa of a query, written into the address as it is: slashes and equals signs.
    const state = Buffer.from('?client_id=cas&to=/home?a=1&application=app-built-in').toString('base64');
    expect(state).toMatch(/\/.*=/);
    const back = answerOf(
      await house.visit(
        `${base}/connect/qrconnect?appid=${site.clientId}&redirect_uri=${callback}&scope=snsapi_login&response_type=code&state=${state}#wechat_redirect`,
      ),
    );
    expect(back.state).toBe(state);
    const keys = { grant_type: 'authorization_code', appid: site.clientId, secret: site.secret, code: back.code };
    const target = `/sns/oauth2/access_token?${encode(keys)}`;
    const answer = text(await get(target));
    expect(answer.includes('errcode')).toBe(false);
    const token = unmarshal(answer, { ...TOKEN, scope: 'string', unionid: 'string' });
    // Its openid was lost on the way; Go writes what is left into the address, and sends it so.
    const profile = text(await get(`/sns/userinfo?access_token=${token.access_token}&openid=%!s(<nil>)`));
    const user = unmarshal(profile, { ...USER, language: 'string' });
    expect([user.unionid || user.openid, user.nickname]).toEqual([token.unionid, PERSON.nickname]);
    expect(user).toMatchObject({ openid: token.openid, headimgurl: expect.stringMatching(/\/132$/) });
    expect(text(await get(target)).includes('errcode')).toBe(true);
  });

  it('goth: sorts every query, asks in the language cn, and fails on an errmsg in the profile', async () => {
    const { base, callback, site } = house;
    const state = Buffer.from(randomUUID()).toString('base64');
    const asked = { appid: site.clientId, response_type: 'code', state, scope: 'snsapi_login', redirect_uri: callback };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${encode(asked)}`));
    expect(back.state).toBe(state);
    const keys = { appid: site.clientId, secret: site.secret, grant_type: 'authorization_code', code: back.code };
    const fields = { access_token: 'string', expires_in: 'int', openid: 'string', ...ERROR } as const;
    const token = unmarshal(text(await get(`/sns/oauth2/access_token?${encode(keys)}`)), fields);
    expect(token.errcode).toBe(0);
    const query = { access_token: String(token.access_token), openid: String(token.openid), lang: 'cn' };
    const user = unmarshal(text(await get(`/sns/userinfo?${encode(query)}`)), { ...USER, ...ERROR });
    expect(user).toMatchObject({ errmsg: '', openid: token.openid, nickname: PERSON.nickname, city: PERSON.city });
    expect(user.unionid).toMatch(IDENTIFIER);
    const lost = unmarshal(text(await get(`/sns/userinfo?${encode({ ...query, access_token: 'x' })}`)), ERROR);
    expect(lost.errmsg).not.toBe('');
  });

  it('silenceper/wechat: formats raw addresses, and takes errcode 0 or none for success', async () => {
    const { base, callback, site } = house;
    // Nothing but the redirect URI is escaped: what the browser makes of the rest is what arrives.
    const state = 'from=/deep/link?tab=1;x:y@z!$(1)*~{2}|[3]';
    const back = answerOf(
      await house.visit(
        `${base}/connect/qrconnect?appid=${site.clientId}&redirect_uri=${encodeURIComponent(callback)}&response_type=code&scope=snsapi_login&state=${state}#wechat_redirect`,
      ),
    );
    expect(back.state).toBe(state);
    const target = `/sns/oauth2/access_token?appid=${site.clientId}&secret=${site.secret}&code=${back.code}&grant_type=authorization_code`;
    const fields = { ...TOKEN, scope: 'string', unionid: 'string', ...ERROR } as const;
    const token = unmarshal(text(await get(target)), fields);
    expect(token).toMatchObject({ errcode: 0, expires_in: 7200, unionid: expect.stringMatching(IDENTIFIER) });
    const { access_token, refresh_token, openid } = token;
    const userinfo = `/sns/userinfo?access_token=${access_token}&openid=${openid}&lang=zh_CN`;
    const user = unmarshal(text(await get(userinfo)), { ...USER, ...ERROR });
    expect(user).toMatchObject({ errcode: 0, ...PERSON, openid });
    const check = async (candidate: unknown) =>
      unmarshal(text(await get(`/sns/auth?access_token=${candidate}&openid=${openid}`)), ERROR).errcode === 0;
    expect([await check(access_token), await check('x')]).toEqual([true, false]);
    const refresh = `/sns/oauth2/refresh_token?appid=${site.clientId}&grant_type=refresh_token&refresh_token=${refresh_token}`;
    const again = unmarshal(text(await get(refresh)), fields);
    expect(again).toMatchObject({ errcode: 0, access_token, refresh_token, openid, unionid: '' });
    expect(unmarshal(text(await get(target)), fields).errcode).toBe(40163);
  });

  it('chanxuehong/wechat: keeps to its bounds of a lifetime, and knows the codes of a dead token', async () => {
    const { base, callback, site } = house;
    const state = randomUUID().replaceAll('-', '');
    const back = answerOf(
      await house.visit(
        `${base}/connect/qrconnect?appid=${site.clientId}&redirect_uri=${encodeURIComponent(callback)}&response_type=code&scope=snsapi_login&state=${state}#wechat_redirect`,
      ),
    );
    expect(back.state).toBe(state);
    const fields = { ...TOKEN, scope: 'string', unionid: 'string', ...ERROR } as const;
    const exchanged = `/sns/oauth2/access_token?appid=${site.clientId}&secret=${site.secret}&code=${back.code}&grant_type=authorization_code`;
    const token = unmarshal(text(await get(exchanged)), fields);
    const refresh = `/sns/oauth2/refresh_token?appid=${site.clientId}&grant_type=refresh_token&refresh_token=${token.refresh_token}`;
    const again = unmarshal(text(await get(refresh)), fields);
    for (const { errcode, expires_in } of [token, again]) {
      expect(errcode).toBe(0);
      expect(expires_in).toBeGreaterThan(60);
      expect(expires_in).toBeLessThanOrEqual(31_556_952);
    }
    const userinfo = `/sns/userinfo?access_token=${token.access_token}&openid=${token.openid}&lang=zh_CN`;
    const user = unmarshal(text(await get(userinfo)), { ...USER, ...ERROR });
    expect(user).toMatchObject({ errcode: 0, openid: token.openid, unionid: token.unionid });
    // HeadImageSize: the last segment, as an unsigned number of eight bits.
    expect(Number(String(user.headimgurl).split('/').at(-1))).toBeLessThan(256);
    // Any other code is an error to it instead of "not valid".
    const dead = `/sns/auth?access_token=x&openid=${token.openid}`;
    expect([42001, 40001, 40014, 40003]).toContain(unmarshal(text(await get(dead)), ERROR).errcode);
    expect(unmarshal(text(await get(dead.replace('=x', `=${token.access_token}`))), ERROR).errcode).toBe(0);
  });
});
