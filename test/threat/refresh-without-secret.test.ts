/** T95: a WeChat refresh token without a secret is worth as little as that can be; T47's race in the same dialect. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

type Tokens = Record<'access_token' | 'refresh_token' | 'openid' | 'scope', string>;

describe('refreshing without a secret', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const tokensOf = async (at = site, who: Phone = phone) =>
    (await at.exchange((await login(server, who, at.request())).code)).json<Tokens>();
  const errcode = (answer: RawAnswer) => answer.json().errcode as number | undefined;
  const ageAccessTokens = () =>
    server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AccessToken'");
  const alive = async (accessToken: string) => errcode(await site.userinfo(accessToken)) === undefined;
  const twenty = (token: string) => Promise.all(Array.from({ length: 20 }, () => site.refresh(token)));

  it('T95 a client registered so refreshes with its secret alone, whatever else comes in its place', async () => {
    const strict = await wechatSite(server.app, server, { refreshRequiresSecret: true });
    const { refresh_token: token } = await tokensOf(strict);
    expect(errcode(await strict.refresh(token))).toBe(41004);
    expect(errcode(await strict.refresh(token, { secret: '' }))).toBe(41004);
    for (const secret of [site.secret, strict.secret.slice(1), strict.secret.toUpperCase(), `${strict.secret} `]) {
      if (secret !== strict.secret) expect(errcode(await strict.refresh(token, { secret }))).toBe(40125);
    }
    const query = new URLSearchParams({ appid: strict.clientId, grant_type: 'refresh_token', refresh_token: token });
    const basic = `Basic ${Buffer.from(`${strict.clientId}:${strict.secret}`).toString('base64')}`;
    const byHeader = await send(`${server.url}/sns/oauth2/refresh_token?${query}&client_secret=${strict.secret}`, {
      headers: { authorization: basic },
    });
    expect(errcode(byHeader)).toBe(41004);
    expect((await strict.refresh(token, { secret: strict.secret })).json()).toMatchObject({ refresh_token: token });
  });

  it('T95 another app, of either dialect, gets an error for it, and its own app goes on', async () => {
    const tokens = await tokensOf();
    const other = await wechatSite(server.app, server);
    const cafe = await oauthSite(server.app, server);
    expect(errcode(await other.refresh(tokens.refresh_token, { secret: other.secret }))).toBe(40030);
    expect(errcode(await site.refresh(tokens.refresh_token, { appid: cafe.clientId }))).toBe(40013);
    expect((await cafe.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
    for (const wrong of [tokens.access_token, `${tokens.refresh_token}x`, tokens.refresh_token.slice(1), 'x']) {
      expect(errcode(await site.refresh(wrong))).toBe(40030);
    }
    expect((await site.refresh(tokens.refresh_token)).json()).toMatchObject({ access_token: tokens.access_token });
    expect(await alive(tokens.access_token)).toBe(true);
  });

  it('T47 twenty refreshes at once while the access token lives: twenty times the same two tokens', async () => {
    for (let round = 0; round < 5; round += 1) {
      await forgetScans(server.database);
      const { access_token, refresh_token, openid, scope } = await tokensOf();
      for (const answer of await twenty(refresh_token)) {
        expect(answer.json()).toEqual({ access_token, refresh_token, openid, scope, expires_in: 7200 });
      }
      expect(await alive(access_token)).toBe(true);
    }
  });

  it('T47 twenty refreshes at once once it is dead: one new token for all of them, and nobody loses', async () => {
    for (let round = 0; round < 10; round += 1) {
      await forgetScans(server.database);
      const old = await tokensOf();
      await ageAccessTokens();
      const answers = (await twenty(old.refresh_token)).map((answer) => answer.json<Tokens>());
      expect(new Set(answers.map(({ refresh_token }) => refresh_token))).toEqual(new Set([old.refresh_token]));
      const handedOut = [...new Set(answers.map(({ access_token }) => access_token))];
      expect(handedOut).toHaveLength(1);
      expect(handedOut).not.toContain(old.access_token);
      expect(await alive(handedOut[0] as string)).toBe(true);
      expect(await alive(old.access_token)).toBe(false);
      // The family lives: the next refresh brings the same.
      const again = (await site.refresh(old.refresh_token)).json();
      expect(again).toMatchObject({ access_token: handedOut[0], refresh_token: old.refresh_token });
    }
  });

  it('T95 the scope cannot grow, and a refresh token tells nothing of the union', async () => {
    const { refresh_token: token } = await tokensOf();
    for (const scope of ['snsapi_login,snsapi_userinfo', 'openid profile', '']) {
      const again = (await site.refresh(token, { scope })).json();
      expect(again).toMatchObject({ scope: 'snsapi_login' });
      expect(again).not.toHaveProperty('unionid');
    }
  });

  it('T95 answers 50002 once the account is disabled, and 48004 once the client is', async () => {
    const ending = await wechatSite(server.app, server);
    const ben = await person(server.app, server);
    const [mine, theirs] = [await tokensOf(site, ben), await tokensOf(ending, phone)];
    await server.database.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [ben.accountId]);
    await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [ending.clientId]);
    for (let again = 0; again < 2; again += 1) {
      expect(errcode(await site.refresh(mine.refresh_token))).toBe(50002);
      expect(errcode(await ending.refresh(theirs.refresh_token))).toBe(48004);
    }
    expect(await alive(mine.access_token)).toBe(false);
  });

  it('T95 ends after thirty days, and no refresh on the way moves that end', async () => {
    const { refresh_token: token } = await tokensOf();
    // The newest one; whatever is written anew is written with what is left of its life, in whole seconds.
    const daysLeft = async () => {
      const [row] = await server.database.sql<{ days: number }>(
        `SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days
         FROM engine_record WHERE kind = 'RefreshToken' ORDER BY expires_at DESC LIMIT 1`,
      );
      return row?.days;
    };
    expect(await daysLeft()).toBe(30);
    await server.database.sql(
      `UPDATE engine_record SET expires_at = expires_at - interval '12 days',
         payload = payload || jsonb_build_object('exp', (payload->>'exp')::int - 12 * 86400,
           'iat', (payload->>'iat')::int - 12 * 86400)
       WHERE kind = 'RefreshToken'`,
    );
    for (const age of [false, true, true]) {
      if (age) await ageAccessTokens();
      expect((await site.refresh(token)).json()).toHaveProperty('access_token');
      expect(await daysLeft()).toBe(18);
    }
    await server.database.sql(
      "UPDATE engine_record SET expires_at = expires_at - interval '18 days 1 second' WHERE kind = 'RefreshToken'",
    );
    for (let again = 0; again < 2; again += 1) expect(errcode(await site.refresh(token))).toBe(42002);
  });
});
