import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProof } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const RID = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/;
const UNKNOWN_APPID = 'wx0123456789abcdef';

interface WechatTokens {
  access_token: string;
  refresh_token: string;
  openid: string;
}

describe('the error table of the WeChat dialect (wire format 5.2)', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const call = (path: string, query: Record<string, string | undefined>) => {
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return send(`${server.url}/sns/${path}?${new URLSearchParams(given)}`);
  };
  const exchange = (query: Record<string, string | undefined>) =>
    call('oauth2/access_token', {
      appid: site.clientId,
      secret: site.secret,
      code: 'c'.repeat(43),
      grant_type: 'authorization_code',
      ...query,
    });
  const refresh = (query: Record<string, string | undefined>) =>
    call('oauth2/refresh_token', {
      appid: site.clientId,
      grant_type: 'refresh_token',
      refresh_token: 'r'.repeat(43),
      ...query,
    });
  const newCode = async () => {
    await forgetScans(server.database);
    return (await login(server, phone, site.request())).code;
  };
  const newTokens = async () => (await site.exchange(await newCode())).json<WechatTokens>();

  /** HTTP 200, text/plain without a charset, exactly errcode and errmsg, the message with its request id. */
  const expectError = (answer: RawAnswer, errcode: number, errmsg: string) => {
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain');
    const body = answer.json<{ errcode: number; errmsg: string }>();
    expect(Object.keys(body)).toEqual(['errcode', 'errmsg']);
    expect(body.errcode).toBe(errcode);
    const [message, rid] = body.errmsg.split(', rid: ');
    expect(message).toBe(errmsg);
    expect(rid).toMatch(RID);
  };

  it.each<[number, string, string, Record<string, string | undefined>]>([
    [41002, 'appid missing', 'without appid', { appid: undefined }],
    [41002, 'appid missing', 'with appid in another case', { appid: undefined, appId: UNKNOWN_APPID }],
    [41002, 'appid missing', 'with an empty appid', { appid: '' }],
    [40013, 'invalid appid', 'with an unknown appid', { appid: UNKNOWN_APPID }],
    [41004, 'appsecret missing', 'without secret', { secret: undefined }],
    [40125, 'invalid appsecret', 'with a wrong secret', { secret: '0'.repeat(32) }],
    [40002, 'invalid grant_type', 'without grant_type', { grant_type: undefined }],
    [40002, 'invalid grant_type', 'with another grant_type', { grant_type: 'client_credentials' }],
    [41008, 'missing code', 'without code', { code: undefined }],
    [40029, 'invalid code', 'with an unknown code', {}],
  ])('answers %i %s to access_token %s', async (errcode, errmsg, _how, query) => {
    expectError(await exchange(query), errcode, errmsg);
  });

  it('checks in the order appid, secret, grant_type, code', async () => {
    const nothing = { appid: undefined, secret: undefined, grant_type: undefined, code: undefined };
    expectError(await exchange(nothing), 41002, 'appid missing');
    expectError(await exchange({ ...nothing, appid: UNKNOWN_APPID }), 40013, 'invalid appid');
    expectError(await exchange({ ...nothing, appid: site.clientId }), 41004, 'appsecret missing');
    expectError(await exchange({ ...nothing, appid: site.clientId, secret: 'no' }), 40125, 'invalid appsecret');
    const known = { appid: site.clientId, secret: site.secret };
    expectError(await exchange({ ...nothing, ...known }), 40002, 'invalid grant_type');
    expectError(await exchange({ ...nothing, ...known, grant_type: 'authorization_code' }), 41008, 'missing code');
  });

  it('answers 40163 code been used to a second presentation', async () => {
    const code = await newCode();
    expect((await site.exchange(code)).json()).not.toHaveProperty('errcode');
    expectError(await site.exchange(code), 40163, 'code been used');
  });

  it('does not consume a code over a wrong secret', async () => {
    const code = await newCode();
    expectError(await exchange({ code, secret: 'f'.repeat(32) }), 40125, 'invalid appsecret');
    expect((await site.exchange(code)).json()).toHaveProperty('openid');
  });

  it('answers 40029 to a verifier for a code without a challenge', async () => {
    const code = await newCode();
    expectError(await exchange({ code, code_verifier: newProof().verifier }), 40029, 'invalid code');
  });

  it.each<[number, string, string, Record<string, string | undefined>]>([
    [41002, 'appid missing', 'without appid', { appid: undefined }],
    [40013, 'invalid appid', 'with an unknown appid', { appid: UNKNOWN_APPID }],
    [40002, 'invalid grant_type', 'with another grant_type', { grant_type: 'authorization_code' }],
    [41003, 'refresh_token missing', 'without refresh_token', { refresh_token: undefined }],
    [40030, 'invalid refresh_token', 'with an unknown refresh_token', {}],
  ])('answers %i %s to refresh_token %s', async (errcode, errmsg, _how, query) => {
    expectError(await refresh(query), errcode, errmsg);
  });

  it("answers 40030 to another app's refresh token, and leaves it alive", async () => {
    const other = await wechatSite(server.app, server);
    const tokens = await newTokens();
    expectError(await other.refresh(tokens.refresh_token), 40030, 'invalid refresh_token');
    expectError(await refresh({ refresh_token: tokens.access_token }), 40030, 'invalid refresh_token');
    expect((await site.refresh(tokens.refresh_token)).json()).toHaveProperty('access_token');
  });

  it('answers 42002 to a refresh token past its thirty days', async () => {
    const tokens = await newTokens();
    const [row] = await server.database.sql<{ days: number }>(
      "SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM engine_record WHERE kind = 'RefreshToken' ORDER BY expires_at DESC",
    );
    expect(row?.days).toBe(30);
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'RefreshToken'");
    expectError(await site.refresh(tokens.refresh_token), 42002, 'refresh_token expired');
  });

  it('asks for the secret at refresh when the registration says so (T95)', async () => {
    const strict = await wechatSite(server.app, server, { refreshRequiresSecret: true });
    await forgetScans(server.database);
    const { code } = await login(server, phone, strict.request());
    const { refresh_token: token } = (await strict.exchange(code)).json<WechatTokens>();
    expectError(await strict.refresh(token), 41004, 'appsecret missing');
    expectError(await strict.refresh(token, { secret: site.secret }), 40125, 'invalid appsecret');
    expect((await strict.refresh(token, { secret: strict.secret })).json()).toHaveProperty('access_token');
  });

  describe.each(['userinfo', 'auth'])('at %s', (path) => {
    it('answers 41001 without an access token', async () => {
      expectError(await call(path, { openid: 'x' }), 41001, 'access_token missing');
    });

    it('answers 40001 to an unknown token, a code and a refresh token', async () => {
      const invalid = 'invalid credential, access_token is invalid or not latest';
      const tokens = await newTokens();
      for (const wrong of ['t'.repeat(43), 'x', await newCode(), tokens.refresh_token]) {
        expectError(await call(path, { access_token: wrong, openid: tokens.openid }), 40001, invalid);
      }
    });

    it('answers 40003 to a well-formed openid of somebody else', async () => {
      const tokens = await newTokens();
      const other = `o${'A'.repeat(27)}`;
      expectError(await call(path, { access_token: tokens.access_token, openid: other }), 40003, 'invalid openid');
    });

    it('answers 42001 to an expired token', async () => {
      const tokens = await newTokens();
      await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AccessToken'");
      const query = { access_token: tokens.access_token, openid: tokens.openid };
      expectError(await call(path, query), 42001, 'access_token expired');
    });
  });

  it('answers 48004 at every address to a disabled app, and 40013 still to one that never was', async () => {
    const ended = await wechatSite(server.app, server);
    const code = await newCode();
    await forgetScans(server.database);
    const tokens = (await ended.exchange((await login(server, phone, ended.request())).code)).json<WechatTokens>();
    await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [ended.clientId]);
    const forbidden = 'api forbidden for irregularities';
    expectError(await ended.exchange(code), 48004, forbidden);
    expectError(await ended.exchange(code, { secret: 'wrong' }), 48004, forbidden);
    expectError(await ended.refresh(tokens.refresh_token), 48004, forbidden);
    expectError(await ended.userinfo(tokens.access_token), 48004, forbidden);
    expectError(await ended.auth(tokens.access_token, tokens.openid), 48004, forbidden);
  });

  it('answers 42007 to every token once the person has a new password, and 40029 to a code', async () => {
    const other = await person(server.app, server);
    const [spent, unspent] = [await login(server, other, site.request()), await login(server, other, site.request())];
    const tokens = (await site.exchange(spent.code)).json<WechatTokens>();
    const untouched = await newTokens();
    await server.app.accounts.resetPassword('test', other.username, 'another long one');
    const changed = 'user changed password, access_token and refresh_token invalid';
    expectError(await site.userinfo(tokens.access_token), 42007, changed);
    expectError(await site.auth(tokens.access_token, tokens.openid), 42007, changed);
    expectError(await site.refresh(tokens.refresh_token), 42007, changed);
    expectError(await site.exchange(unspent.code), 40029, 'invalid code');
    expect((await site.userinfo(untouched.access_token)).json()).toHaveProperty('openid');
  });

  it('answers 50002 at every address once the account is disabled', async () => {
    const other = await person(server.app, server);
    const [spent, unspent] = [await login(server, other, site.request()), await login(server, other, site.request())];
    const tokens = (await site.exchange(spent.code)).json<WechatTokens>();
    await server.database.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [other.accountId]);
    expectError(await site.exchange(unspent.code), 50002, 'user limited');
    expectError(await site.refresh(tokens.refresh_token), 50002, 'user limited');
    expectError(await site.userinfo(tokens.access_token), 50002, 'user limited');
    expectError(await site.auth(tokens.access_token, tokens.openid), 50002, 'user limited');
  });

  it('answers 48001 to a token of another scope, if there ever were one', async () => {
    const tokens = await newTokens();
    await server.database.sql(
      `UPDATE engine_record SET payload = payload || '{"scope":"snsapi_base"}' WHERE kind = 'AccessToken'`,
    );
    expectError(await site.userinfo(tokens.access_token), 48001, 'api unauthorized');
  });

  it('asks for a well-formed openid when the registration says so: 41009 and 40003', async () => {
    const strict = await wechatSite(server.app, server, { openidRequired: true });
    await forgetScans(server.database);
    const tokens = (await strict.exchange((await login(server, phone, strict.request())).code)).json<WechatTokens>();
    const token = { access_token: tokens.access_token };
    for (const path of ['userinfo', 'auth']) {
      expectError(await call(path, token), 41009, 'missing openid');
      expectError(await call(path, { ...token, openid: '' }), 41009, 'missing openid');
      expectError(await call(path, { ...token, openid: '%!s(<nil>)' }), 40003, 'invalid openid');
      const answer = (await call(path, { ...token, openid: tokens.openid })).json();
      expect(answer.errcode ?? 0).toBe(0);
    }
  });

  it('T56 answers 45011 once a secret has been guessed twenty times, even to the right one', async () => {
    const guessed = await wechatSite(server.app, server, { refreshRequiresSecret: true });
    await forgetScans(server.database);
    const { code } = await login(server, phone, guessed.request());
    for (let i = 0; i < 10; i += 1) {
      expectError(await guessed.exchange(code, { secret: `${i}`.repeat(32) }), 40125, 'invalid appsecret');
      expectError(await guessed.refresh('r', { secret: `${i}`.repeat(32) }), 40125, 'invalid appsecret');
    }
    const slower = 'api minute-quota reach limit must slower retry next minute';
    expectError(await guessed.exchange(code), 45011, slower);
    expectError(await guessed.refresh('r', { secret: guessed.secret }), 45011, slower);
    // Another app is not held up by it.
    expect((await site.exchange(await newCode())).json()).toHaveProperty('openid');
  });

  it('names the request as our log does: the rid leads to its line', async () => {
    const { errmsg } = (await exchange({})).json<{ errmsg: string }>();
    const rid = errmsg.split(', rid: ')[1] as string;
    const lines = server
      .log()
      .split('\n')
      .filter((line) => line.includes(rid));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ rid, route: '/sns/oauth2/access_token' }]);
  });

  it('answers 40035 to a parameter given twice or too many parameters', async () => {
    const twice = `${server.url}/sns/userinfo?access_token=a&access_token=b`;
    expectError(await send(twice), 40035, 'invalid parameter');
    const many = Array.from({ length: 101 }, (_, i) => `p${i}=1`).join('&');
    expectError(await send(`${server.url}/sns/userinfo?${many}`), 40035, 'invalid parameter');
  });
});
