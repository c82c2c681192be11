/** Java's client libraries cannot run here: each one's requests, byte by byte, and the answers read as it reads them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet, rawPost } from '../support/raw-http.js';

type Json = Record<string, unknown>;

/** Bytes without a charset are UTF-8 to all three. */
function json(reply: RawReply): Json {
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body.toString('utf8')) as Json;
}

describe('the client libraries of Java', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/oauth/callback/wechat_open');
  });
  afterAll(() => house?.stop());

  it('JustAuth: writes its addresses without encoding them, and takes the mere key errcode for an error', async () => {
    const { base, callback, site } = house;
    const hutool = ['Accept: text/html,application/json,*/*;q=0.8', 'Accept-Encoding: gzip, deflate'];
    const state = randomUUID();
    const back = answerOf(
      await house.visit(
        `${base}/connect/qrconnect?response_type=code&appid=${site.clientId}&redirect_uri=${callback}&scope=snsapi_login&state=${state}`,
      ),
    );
    expect(back.state).toBe(state);
    const token = `/sns/oauth2/access_token?code=${back.code}&appid=${site.clientId}&secret=${site.secret}&grant_type=authorization_code`;
    const tokens = json(await rawGet(base, token, hutool));
    expect(Object.hasOwn(tokens, 'errcode')).toBe(false);
    const { access_token, refresh_token, openid } = tokens;
    const profile = json(
      await rawGet(base, `/sns/userinfo?access_token=${access_token}&openid=${openid}&lang=zh_CN`, hutool),
    );
    expect(Object.hasOwn(profile, 'errcode')).toBe(false);
    // fastjson's getString of a number is its digits; "1" and "2" have a meaning, all else is unknown.
    expect(['0', '1', '2']).toContain(JSON.stringify(profile.sex));
    expect(`${profile.country}-${profile.province}-${profile.city}`).toBe('中国-浙江-杭州');
    expect(profile).toMatchObject({ nickname: PERSON.nickname, unionid: tokens.unionid });

    const refresh = `/sns/oauth2/refresh_token?appid=${site.clientId}&refresh_token=${refresh_token}&grant_type=refresh_token`;
    const again = json(await rawGet(base, refresh, hutool));
    expect(Object.hasOwn(again, 'errcode')).toBe(false);
    expect(again).toMatchObject({ access_token, refresh_token, openid });
    expect(json(await rawGet(base, token, hutool))).toHaveProperty('errcode', 40163);
  });

  /** Gson, into a class with these members: absent is the default, another kind is an exception. */
  const gson = (body: Json, members: Record<string, 'string' | 'number' | 'array'>) => {
    for (const [name, kind] of Object.entries(members)) {
      const value = body[name];
      if (value === undefined) continue;
      expect([name, Array.isArray(value) ? 'array' : typeof value]).toEqual([name, kind]);
    }
  };
  const succeeded = (body: Json) => ((body.errcode as number | undefined) ?? 0) === 0;

  it('WxJava: formats its addresses, sends an empty state, and tolerates errcode 0', async () => {
    const { base, callback, site } = house;
    const back = new URL(
      await house.visit(
        `${base}/connect/qrconnect?appid=${site.clientId}&redirect_uri=${encodeURIComponent(callback)}&response_type=code&scope=snsapi_login&state=#wechat_redirect`,
      ),
    );
    expect([...back.searchParams.keys()]).toEqual(['code', 'state']);
    expect(back.searchParams.get('state')).toBe('');
    const token = `/sns/oauth2/access_token?appid=${site.clientId}&secret=${site.secret}&code=${back.searchParams.get('code')}&grant_type=authorization_code`;
    const tokens = json(await rawGet(base, token));
    expect(succeeded(tokens)).toBe(true);
    const text = { access_token: 'string', refresh_token: 'string', openid: 'string', scope: 'string' } as const;
    gson(tokens, { ...text, expires_in: 'number', unionid: 'string', is_snapshotuser: 'number' });
    expect(tokens).not.toHaveProperty('is_snapshotuser');
    const { access_token, refresh_token, openid } = tokens;

    const profile = json(await rawGet(base, `/sns/userinfo?access_token=${access_token}&openid=${openid}&lang=zh_CN`));
    expect(succeeded(profile)).toBe(true);
    const place = { city: 'string', province: 'string', country: 'string', headimgurl: 'string' } as const;
    gson(profile, { openid: 'string', nickname: 'string', sex: 'number', ...place, privilege: 'array' });
    expect(profile).toMatchObject({ ...PERSON, openid, unionid: tokens.unionid });

    const valid = (candidate: unknown) =>
      rawGet(base, `/sns/auth?access_token=${candidate}&openid=${openid}`).then((reply) => succeeded(json(reply)));
    expect([await valid(access_token), await valid('nonsense')]).toEqual([true, false]);
    const refresh = `/sns/oauth2/refresh_token?appid=${site.clientId}&grant_type=refresh_token&refresh_token=${refresh_token}`;
    const again = json(await rawGet(base, refresh));
    expect(succeeded(again)).toBe(true);
    gson(again, { ...text, expires_in: 'number' });
    expect(succeeded(json(await rawGet(base, token)))).toBe(false);
  });

  it('keycloak-services-social-weixin: asks without response_type, posts the exchange, and is known by its unionid', async () => {
    const { base, callback, site } = house;
    // Keycloak's state holds a client id and dots; the nonce is its own.
    const state = `${randomUUID()}.abc_DEF-123.YWNjb3VudC1jb25zb2xl`;
    const asked = { scope: 'snsapi_login', state, appid: site.clientId, redirect_uri: callback, nonce: randomUUID() };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${new URLSearchParams(asked)}`));
    expect(back.state).toBe(state);
    const reply = await rawPost(base, '/sns/oauth2/access_token', {
      code: back.code,
      appid: site.clientId,
      secret: site.secret,
      redirect_uri: callback,
      grant_type: 'authorization_code',
    });
    // It reads a body as JSON only if that is how it begins.
    expect(reply.body.toString().startsWith('{')).toBe(true);
    const tokens = json(reply);
    const identity = (profile: Json) => String(profile.unionid || profile.openid);
    const { access_token, openid } = tokens;
    const query = 'access_token=ACCESS_TOKEN&openid=OPENID&lang=zh_CN'
      .replace('ACCESS_TOKEN', String(access_token))
      .replace('OPENID', String(openid));
    const profile = json(await rawGet(base, `/sns/userinfo?${query}`));
    expect(profile).toMatchObject({ ...PERSON, openid });
    // One version of it takes the identity from the token answer, the others from userinfo.
    expect([identity(tokens), identity(profile)]).toEqual([tokens.unionid, tokens.unionid]);
    expect(tokens.unionid).toMatch(IDENTIFIER);
  });
});
