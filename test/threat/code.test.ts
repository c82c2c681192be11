import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORS, type DoorSite, newProof } from '../support/door.js';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

describe('a code and those who should not have it', () => {
  let server: TestApp;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const loginTo = async (site: DoorSite, options?: { pkce?: boolean }) => {
    await forgetScans(server.database);
    return site.login(phone, options);
  };

  it("T41: client B gets nothing for A's code however it says who it is, and A still exchanges it", async () => {
    const [a, b] = [await oauthSite(server.app, server), await oauthSite(server.app, server)];
    const byPost = await oauthSite(server.app, server, { authMethod: 'client_secret_post' });
    const open = await oauthSite(server.app, server, { authMethod: 'none' });
    await forgetScans(server.database);
    const { query, verifier } = a.request();
    const { code } = await login(server, phone, query);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const post = (more: Record<string, string>, authorization?: string) =>
      send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) },
        body: new URLSearchParams({ ...form, ...more }).toString(),
      });
    const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const tries = {
      'B by Basic': await post({}, basic(b.clientId, b.secret)),
      'B by post': await post({ client_id: byPost.clientId, client_secret: byPost.secret }),
      'B without a secret': await post({ client_id: open.clientId }),
      'A in the body with the header of B': await post({ client_id: a.clientId }, basic(b.clientId, b.secret)),
      'A with the secret of B': await post({}, basic(a.clientId, b.secret)),
      'A without its secret': await post({ client_id: a.clientId }),
      'A with an empty secret': await post({ client_id: a.clientId, client_secret: '' }),
      'A with the placeholder the engine knows': await post({}, basic(a.clientId, 'held-as-a-hash')),
      'A with the hash of its secret': await post({}, basic(a.clientId, await storedHash(a.clientId))),
    };
    for (const [how, answer] of Object.entries(tries)) {
      expect([400, 401], how).toContain(answer.status);
      expect(answer.body, how).not.toContain('access_token');
    }
    expect((await a.exchange(code, verifier)).status).toBe(200);
    expect((await a.exchange(code, verifier)).status).toBe(400);
  });

  const storedHash = async (clientId: string) => {
    const [row] = await server.database.sql<{ hash: string }>(
      "SELECT secrets->0->>'hash' AS hash FROM client WHERE id = $1",
      [clientId],
    );
    return row?.hash as string;
  };

  it.each(DOORS)('T42: $dialect: a code survives two wrong verifiers and dies of the third', async (door) => {
    const site = await door.register(server.app, server);
    const wrong = (code: string) => site.exchange({ code, verifier: newProof().verifier });
    const kept = await loginTo(site);
    for (let i = 0; i < 2; i += 1) expect((await wrong(kept.code)).error).toBe(door.says.invalid);
    expect((await site.exchange(kept)).ok).toBe(true);
    const burnt = await loginTo(site);
    for (let i = 0; i < 3; i += 1) expect((await wrong(burnt.code)).error).toBe(door.says.invalid);
    expect(await site.exchange(burnt)).toMatchObject({ ok: false, error: door.says.invalid });
  });

  it.each(DOORS)('T42: $dialect: ten wrong verifiers at once cannot get past the third either', async (door) => {
    const site = await door.register(server.app, server);
    const grant = await loginTo(site);
    await Promise.all(
      Array.from({ length: 10 }, () => site.exchange({ code: grant.code, verifier: newProof().verifier })),
    );
    expect((await site.exchange(grant)).ok).toBe(false);
  });

  it.each(DOORS)("T42: $dialect: another client's wrong verifiers do not count", async (door) => {
    const [site, stranger] = [await door.register(server.app, server), await door.register(server.app, server)];
    const grant = await loginTo(site);
    for (let i = 0; i < 5; i += 1) await stranger.exchange({ code: grant.code, verifier: newProof().verifier });
    expect((await site.exchange(grant)).ok).toBe(true);
  });

  it('T42: an OAuth client without a challenge gets no ticket and no login page', async () => {
    const site = await oauthSite(server.app, server);
    const { code_challenge: _, code_challenge_method: __, ...query } = site.request().query;
    for (const path of ['/connect/qrconnect', '/oauth/authorize']) {
      const answer = await send(`${server.url}${path}?${new URLSearchParams(query)}`);
      expect(refusalOf(answer), path).toContain('invalid_request');
      expect(answer.body).not.toContain('waitSecret');
    }
  });

  it('T42: a nonce is echoed in the ID token, and only the one that was sent', async () => {
    const site = await oauthSite(server.app, server);
    const { query, verifier } = site.request();
    await forgetScans(server.database);
    const { code } = await login(server, phone, query);
    const { id_token: token } = (await site.exchange(code, verifier)).json<{ id_token: string }>();
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());
    expect(claims).toMatchObject({ nonce: query.nonce, aud: site.clientId, iss: server.url });
    expect(claims.amr).toContain('qr');
  });

  it.each(['plain', '', 's256', 'S512', 'S256 '])(
    'T43: the challenge method %j is refused at both doors',
    async (method) => {
      const site = await oauthSite(server.app, server);
      const shop = await wechatSite(server.app, server);
      const oauth = new URLSearchParams(site.request({ code_challenge_method: method }).query);
      const proof = { code_challenge: newProof().code_challenge, code_challenge_method: method };
      for (const url of [
        `/connect/qrconnect?${oauth}`,
        `/oauth/authorize?${oauth}`,
        `/connect/qrconnect?${new URLSearchParams(shop.request(proof))}`,
      ]) {
        const answer = await send(server.url + url);
        expect(answer.body, url).not.toContain('waitSecret');
        expect(refusalOf(answer), url).toContain('invalid_request');
      }
    },
  );

  it('T43: a challenge without a method is refused at both doors, in both dialects', async () => {
    const site = await oauthSite(server.app, server);
    const shop = await wechatSite(server.app, server);
    const { code_challenge_method: _, ...query } = site.request().query;
    for (const url of [
      `/connect/qrconnect?${new URLSearchParams(query)}`,
      `/oauth/authorize?${new URLSearchParams(query)}`,
      `/connect/qrconnect?${new URLSearchParams(shop.request({ code_challenge: newProof().code_challenge }))}`,
    ]) {
      const answer = await send(server.url + url);
      expect(answer.body, url).not.toContain('waitSecret');
      expect(refusalOf(answer), url).toContain('invalid_request');
    }
  });

  it('T43: a verifier for a code without a challenge is an error, at the WeChat door as in the engine', async () => {
    const shop = await wechatSite(server.app, server);
    await forgetScans(server.database);
    const { code } = await login(server, phone, shop.request());
    expect((await shop.exchange(code, { code_verifier: newProof().verifier })).json()).toMatchObject({
      errcode: 40029,
    });
    const cafe = await oauthSite(server.app, server);
    const { query, verifier } = cafe.request();
    const granted = await login(server, phone, query);
    await server.database.sql(
      "UPDATE engine_record SET payload = payload - 'codeChallenge' - 'codeChallengeMethod' WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL",
    );
    expect((await cafe.exchange(granted.code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('T43: the metadata lists S256 alone', async () => {
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata.code_challenge_methods_supported).toEqual(['S256']);
  });

  it('T44: every answer at the redirect URI of an OAuth client names the issuer of the metadata', async () => {
    const site = await oauthSite(server.app, server);
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
    expect(metadata.issuer).toBe(server.url);
    await forgetScans(server.database);

    const success = await login(server, phone, site.request().query);
    const denied = await openPage(server, site.request().query);
    const scanned = await phone.scan(denied.qr);
    expect((await phone.deny(scanned)).status).toBe(200);
    const continued = await openPage(server, site.request().query);
    await approve(phone, continued);
    const { continue: handle } = (await continued.continue()).json<{ continue: string }>();
    const silent = site.request({ prompt: 'none' }).query;
    const answers = {
      success: success.redirectTo,
      denied: (await denied.redeem()).json<{ redirect_to: string }>().redirect_to,
      continued: String((await send(handle)).headers.location),
      error: String((await send(`${server.url}/oauth/authorize?${new URLSearchParams(silent)}`)).headers.location),
    };
    for (const [which, url] of Object.entries(answers)) {
      expect(url.startsWith(REDIRECT_URI), which).toBe(true);
      expect(new URL(url).searchParams.getAll('iss'), which).toEqual([metadata.issuer]);
      expect(new URL(url).searchParams.get('state'), which).not.toBeNull();
    }
    expect(new URL(answers.denied).searchParams.get('error')).toBe('access_denied');
    expect(new URL(answers.error).searchParams.get('error')).toBe('login_required');
  });
});

/** What the engine or the page said: in the redirect, in the page's error code, or in JSON. */
function refusalOf({ headers, body }: { headers: Record<string, unknown>; body: string }): string {
  return headers.location ? String(new URL(String(headers.location)).searchParams.get('error')) : body;
}
