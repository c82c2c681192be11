import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodeIssuer } from '../../src/engine/code-issuer.js';
import { AppError } from '../../src/error.js';
import { engineOf, type TestEngine } from '../support/engine.js';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

describe('a code minted from a stored request', () => {
  let server: TestApp;
  let engine: TestEngine;
  let site: OauthSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
    site = await oauthSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const subject = () => ({ accountId: phone.accountId, authTime: 1_700_000_000, amr: ['pwd', 'qr'] });
  const issuer = () =>
    createCodeIssuer(engine.provider, {
      activeAccount: (id) => server.app.accounts.active(id),
      claimRequest: (uid) => engine.records.claim('Interaction', uid),
      sessionLives: async (id) => id === 'living',
      scopesOfResource: async () => undefined,
      openid: engine.subjects.openid,
    });
  const stored = async (query: Record<string, string>) => {
    await openPage(server, query);
    const [row] = await server.database.sql<{ uid: string }>(
      'SELECT request_uid AS uid FROM ticket ORDER BY created_at DESC LIMIT 1',
    );
    return row?.uid as string;
  };

  it('is exchanged by the token endpoint as if the engine had issued it', async () => {
    const { query, verifier } = site.request();
    const { code, state, clientId, redirectUri } = await issuer().issue(await stored(query), subject(), 'living');
    expect({ state, clientId, redirectUri }).toEqual({
      state: query.state,
      clientId: site.clientId,
      redirectUri: REDIRECT_URI,
    });
    const tokens = (await site.exchange(String(code), verifier)).json<Record<string, string>>();
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: query.scope });
    const jwks = (await send(`${server.url}/oauth/jwks`)).json<Parameters<typeof createLocalJWKSet>[0]>();
    const { payload } = await jwtVerify(tokens.id_token as string, createLocalJWKSet(jwks), {
      issuer: server.url,
      audience: site.clientId,
    });
    expect(payload).toMatchObject({
      nonce: query.nonce,
      auth_time: 1_700_000_000,
      amr: ['pwd', 'qr'],
      sub: engine.subjects.openid(site.clientId, phone.accountId),
    });
    expect((payload.exp as number) - (payload.iat as number)).toBe(300);
  });

  it('belongs to no browser session: there is none to end it', async () => {
    const { query, verifier } = site.request();
    await forgetScans(server.database);
    const { code } = await login(server, phone, query);
    expect(await server.database.sql("SELECT 1 FROM engine_record WHERE kind = 'Session'")).toHaveLength(0);
    const { access_token: token } = (await site.exchange(code, verifier)).json<{ access_token: string }>();
    expect((await site.userinfo(token)).json()).toHaveProperty('sub');
  });

  it('T20 is worth nothing when the phone session ended while it was made, and neither is its grant', async () => {
    const uid = await stored(site.request().query);
    await expect(issuer().issue(uid, subject(), 'ended')).rejects.toMatchObject(new AppError('gone'));
    const left = await server.database.sql(
      "SELECT kind FROM engine_record WHERE kind IN ('Grant', 'AuthorizationCode') AND consumed_at IS NULL AND expires_at > now()",
    );
    await forgetScans(server.database);
    await login(server, phone, site.request().query);
    const more = await server.database.sql(
      "SELECT kind FROM engine_record WHERE kind IN ('Grant', 'AuthorizationCode') AND consumed_at IS NULL AND expires_at > now()",
    );
    expect(more).toHaveLength(left.length + 2);
    await expect(issuer().issue(uid, subject(), 'living')).rejects.toMatchObject(new AppError('gone'));
  });

  it('T37 is not made for a redirect URI that was taken from the client meanwhile', async () => {
    const other = await oauthSite(server.app, server);
    const { query } = other.request();
    const uid = await stored(query);
    await server.database.sql('UPDATE client SET redirect_uris = $2 WHERE id = $1', [
      other.clientId,
      ['http://127.0.0.1:9/new'],
    ]);
    await expect(issuer().issue(uid, subject(), 'living')).rejects.toMatchObject(new AppError('gone'));
  });

  it('is made once from a request: the second time the request is gone', async () => {
    const uid = await stored(site.request().query);
    const issue = () => issuer().issue(uid, subject(), 'living');
    expect(await issue()).toHaveProperty('code');
    await expect(issue()).rejects.toMatchObject(new AppError('gone'));
    await expect(issuer().refuse(uid)).rejects.toMatchObject(new AppError('gone'));
  });

  it('needs the redirect URI of the request, exactly', async () => {
    for (const wrong of ['http://127.0.0.1:9/callback/', 'http://127.0.0.1:9/callback?', 'https://evil.example/', '']) {
      const { query, verifier } = site.request();
      await forgetScans(server.database);
      const { code } = await login(server, phone, query);
      expect((await site.exchange(code, verifier, { redirect_uri: wrong })).status).toBe(400);
      expect((await site.exchange(code, verifier)).status).toBe(200);
    }
  });

  it('carries the scope of the request and no more, whatever the exchange asks for', async () => {
    const { query, verifier } = site.request({ scope: 'openid' });
    await forgetScans(server.database);
    const { code } = await login(server, phone, query);
    const tokens = (await site.exchange(code, verifier, { scope: 'openid profile unionid' })).json<{
      scope: string;
      access_token: string;
    }>();
    expect(tokens.scope).toBe('openid');
    expect(Object.keys((await site.userinfo(tokens.access_token)).json())).toEqual(['sub']);
  });

  it('is not made for an account that was disabled after it confirmed', async () => {
    await forgetScans(server.database);
    const page = await openPage(server, site.request().query);
    await approve(phone, page);
    await server.database.sql('UPDATE account SET disabled_at = now()');
    expect((await page.redeem()).status).toBe(403);
    await server.database.sql('UPDATE account SET disabled_at = NULL');
    expect(
      await server.database.sql(
        "SELECT 1 FROM engine_record WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL AND expires_at > now() AND payload->>'clientId' <> $1",
        [site.clientId],
      ),
    ).toHaveLength(0);
  });
});
