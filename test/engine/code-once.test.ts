import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineOf, type TestEngine } from '../support/engine.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

describe('the engine and a code that is used more than once', () => {
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

  const newCode = async () => {
    await forgetScans(server.database);
    const { query, verifier } = site.request();
    return { code: (await login(server, phone, query)).code, verifier };
  };
  const rows = async (kind: string) =>
    (await server.database.sql('SELECT 1 FROM engine_record WHERE kind = $1', [kind])).length;

  it('gives one of fifteen exchanges at once its tokens, and the others invalid_grant', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { code, verifier } = await newCode();
      const answers = await Promise.all(Array.from({ length: 15 }, () => site.exchange(code, verifier)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const lost of answers.filter(({ status }) => status !== 200)) {
        expect(lost.status).toBe(400);
        expect(lost.json()).toMatchObject({ error: 'invalid_grant' });
      }
    }
  });

  it('ends the grant and its tokens at a replay (RFC 6749 4.1.2), and keeps the used code to know the next one', async () => {
    await server.database.sql('DELETE FROM engine_record');
    const { code, verifier } = await newCode();
    const { access_token: token } = (await site.exchange(code, verifier)).json<{ access_token: string }>();
    expect([await rows('Grant'), await rows('AccessToken'), await rows('AuthorizationCode')]).toEqual([1, 1, 1]);
    expect((await site.userinfo(token)).status).toBe(200);
    expect((await site.exchange(code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
    expect([await rows('Grant'), await rows('AccessToken'), await rows('AuthorizationCode')]).toEqual([0, 0, 1]);
    expect((await site.userinfo(token)).status).toBe(401);
  });

  it('checks the grant behind a token at each use: without it the token is worth nothing', async () => {
    const { code, verifier } = await newCode();
    const { access_token: token } = (await site.exchange(code, verifier)).json<{ access_token: string }>();
    await server.database.sql("DELETE FROM engine_record WHERE kind = 'Grant'");
    expect((await site.userinfo(token)).status).toBe(401);
  });

  it("tells consume's loser by a throw: its result is what stops the engine from issuing", async () => {
    const { code } = await newCode();
    const first = await engine.provider.AuthorizationCode.find(code);
    const second = await engine.provider.AuthorizationCode.find(code);
    await first?.consume();
    const grant = () => engine.provider.Grant.find(String(first?.grantId));
    expect(await grant()).toBeDefined();
    await expect(second?.consume()).rejects.toMatchObject({ error: 'invalid_grant', statusCode: 400 });
    // Both had read the code unused: it is the lost write that ends the grant, whatever the winner issues under it.
    expect(await grant()).toBeUndefined();
  });

  it('goes by the database clock: a code it calls expired is refused though this clock has not come so far', async () => {
    const { code, verifier } = await newCode();
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AuthorizationCode'");
    expect((await site.exchange(code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
    const found = await engine.provider.AuthorizationCode.find(code, { ignoreExpiration: true });
    expect(found?.isExpired).toBe(true);
  });
});
