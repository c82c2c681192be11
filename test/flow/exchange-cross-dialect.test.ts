import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postToken } from '../support/door.js';
import { send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

describe('a code or token of one dialect at the other door', () => {
  let server: TestApp;
  let shop: WechatSite;
  let cafe: OauthSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    shop = await wechatSite(server.app, server, { unionName: 'both' });
    cafe = await oauthSite(server.app, server, { unionName: 'both' });
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  it('T93: refuses a WeChat code at the token endpoint, whoever asks, and does not consume it', async () => {
    const { code } = await login(server, phone, shop.request());
    for (const as of [cafe, shop]) {
      const answer = await postToken(server, as, { code });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.json().error).toBe(as === shop ? 'invalid_client' : 'invalid_grant');
    }
    expect((await shop.exchange(code)).json()).toHaveProperty('access_token');
  });

  it('T93: refuses the app secret at the token endpoint in every form', async () => {
    const form = {
      grant_type: 'authorization_code',
      code: 'c'.repeat(43),
      redirect_uri: 'http://127.0.0.1:9/callback',
    };
    const post = (more: Record<string, string>, headers: Record<string, string> = {}) =>
      send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({ ...form, ...more }).toString(),
      });
    for (const answer of [
      await post({ client_id: shop.clientId, client_secret: shop.secret }),
      await post({ client_id: shop.clientId }),
      await post({}, { authorization: `Basic ${Buffer.from(`${shop.clientId}:${shop.secret}`).toString('base64')}` }),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.json().error).toBe('invalid_client');
    }
  });

  it('T93: refuses an OAuth code and an OAuth client at /sns, and does not consume the code', async () => {
    const { query, verifier } = cafe.request();
    const { code } = await login(server, phone, query);
    expect((await shop.exchange(code, { code_verifier: verifier })).json()).toMatchObject({ errcode: 40029 });
    const asItself = { appid: cafe.clientId, secret: cafe.secret, code_verifier: verifier };
    expect((await shop.exchange(code, asItself)).json()).toMatchObject({ errcode: 40013 });
    expect((await cafe.exchange(code, verifier)).status).toBe(200);
  });

  it('T93: refuses an OAuth access token at /sns, and leaves it alive', async () => {
    const { query, verifier } = cafe.request();
    const { code } = await login(server, phone, query);
    const { access_token: token } = (await cafe.exchange(code, verifier)).json<{ access_token: string }>();
    expect((await shop.userinfo(token)).json()).toMatchObject({ errcode: 40001 });
    expect((await shop.auth(token, 'x')).json()).toMatchObject({ errcode: 40001 });
    expect((await shop.refresh(token)).json()).toMatchObject({ errcode: 40030 });
    expect((await cafe.userinfo(token)).status).toBe(200);
  });

  it('T93: refuses a WeChat access or refresh token at the engine, and leaves both alive', async () => {
    const { code } = await login(server, phone, shop.request());
    const tokens = (await shop.exchange(code)).json<{ access_token: string; refresh_token: string; openid: string }>();
    const refused = await cafe.userinfo(tokens.access_token);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.body).not.toContain(tokens.openid);
    expect((await cafe.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await shop.userinfo(tokens.access_token)).json()).toHaveProperty('openid', tokens.openid);
    expect((await shop.refresh(tokens.refresh_token)).json()).toHaveProperty('access_token');
  });

  it('T93: shows an OAuth client no WeChat page, and a WeChat client no OAuth page', async () => {
    const asWechat = new URLSearchParams(shop.request({ appid: cafe.clientId }));
    const asOauth = new URLSearchParams(cafe.request({ client_id: shop.clientId }).query);
    for (const query of [asWechat, asOauth]) {
      const answer = await send(`${server.url}/connect/qrconnect?${query}`);
      expect(answer.body).not.toContain('waitSecret');
    }
    expect(await server.database.sql('SELECT 1 FROM ticket WHERE status = $1', ['pending'])).toHaveLength(0);
  });
});
