import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

describe('a pushed authorization request (RFC 9126) at the waiting page', () => {
  let server: TestApp;
  let site: OauthSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const push = async (as: OauthSite, form: Record<string, string>, secret = as.secret) =>
    send(`${server.url}/oauth/par`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${as.clientId}:${secret}`).toString('base64')}`,
      },
      body: new URLSearchParams(form).toString(),
    });
  const pushed = async () => {
    await forgetScans(server.database);
    const { query, verifier } = site.request();
    const answer = await push(site, query);
    expect(answer.status).toBe(201);
    const { request_uri: uri, expires_in: seconds } = answer.json<{ request_uri: string; expires_in: number }>();
    expect(seconds).toBeLessThanOrEqual(60);
    return { query, verifier, byReference: { client_id: site.clientId, request_uri: uri } };
  };

  it('is shown by its request_uri, and its code is exchangeable with what was pushed', async () => {
    const { query, verifier, byReference } = await pushed();
    const { code, redirectTo } = await login(server, phone, byReference);
    const answered = new URL(redirectTo);
    expect(answered.origin + answered.pathname).toBe(query.redirect_uri);
    expect(answered.searchParams.get('state')).toBe(query.state);
    const tokens = (await site.exchange(code, verifier)).json<{ id_token: string }>();
    const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] as string, 'base64url').toString());
    expect(claims.nonce).toBe(query.nonce);
  });

  it('is not changed by what stands beside the request_uri', async () => {
    const { query, verifier, byReference } = await pushed();
    const page = await openPage(server, {
      ...byReference,
      state: 'another',
      nonce: 'another',
      scope: 'openid profile offline_access',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }).catch((refused: Error) => refused);
    if (page instanceof Error) return;
    await approve(phone, page);
    const { state, code } = (await page.redeem()).json<{ state: string; code: string }>();
    expect(state).toBe(query.state);
    expect((await site.exchange(code, verifier)).status).toBe(200);
  });

  it('ends in one code, however many pages were opened with it', async () => {
    const { verifier, byReference } = await pushed();
    const [one, two] = [await openPage(server, byReference), await openPage(server, byReference)];
    await approve(phone, one);
    await approve(phone, two);
    const answers = await Promise.all([one.redeem(), two.redeem()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    const { code } = answers.find(({ status }) => status === 200)?.json<{ code: string }>() ?? { code: '' };
    expect((await site.exchange(code, verifier)).status).toBe(200);
    await expect(openPage(server, byReference)).rejects.toThrow(/refused: 400/);
  });

  it("shows nothing for another client's, an expired or an invented request_uri", async () => {
    const other = await oauthSite(server.app, server);
    const { byReference } = await pushed();
    const urn = 'urn:ietf:params:oauth:request_uri:';
    for (const wrong of [
      { ...byReference, client_id: other.clientId },
      { ...byReference, request_uri: `${urn}${'x'.repeat(43)}` },
      { ...byReference, request_uri: urn },
      { ...byReference, request_uri: 'https://evil.example/request.jwt' },
    ]) {
      await expect(openPage(server, wrong)).rejects.toThrow(/refused: 400/);
    }
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'PushedAuthorizationRequest'");
    await expect(openPage(server, byReference)).rejects.toThrow(/refused: 400/);
  });

  it('is only taken from the client itself, with a registered redirect URI and a challenge', async () => {
    const { query } = site.request();
    expect((await push(site, query, 'wrong')).status).toBe(401);
    const wrongs: Record<string, string>[] = [
      { redirect_uri: 'https://evil.example/' },
      { code_challenge_method: 'plain' },
      { scope: 'x"y' },
    ];
    for (const wrong of wrongs) {
      const answer = await push(site, { ...query, ...wrong });
      expect(answer.status).toBe(400);
      expect(answer.json()).not.toHaveProperty('request_uri');
    }
    const { code_challenge: _, code_challenge_method: __, ...bare } = query;
    expect((await push(site, bare)).status).toBe(400);
  });
});
