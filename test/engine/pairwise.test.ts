import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineOf, type TestEngine } from '../support/engine.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

describe('pairwise subjects', () => {
  let server: TestApp;
  let engine: TestEngine;
  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
  });
  afterAll(() => server?.stop());

  const subjectsOf = async (site: OauthSite, phone: Phone) => {
    await forgetScans(server.database);
    const { query, verifier } = site.request();
    const { code } = await login(server, phone, query);
    const tokens = (await site.exchange(code, verifier)).json<{ id_token: string; access_token: string }>();
    const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] as string, 'base64url').toString());
    const profile = (await site.userinfo(tokens.access_token)).json<{ sub: string }>();
    return { idToken: claims.sub as string, userinfo: profile.sub };
  };

  it('are the same at one client every time, and in ID token and user info', async () => {
    const site = await oauthSite(server.app, server);
    const phone = await person(server.app, server);
    const [first, second] = [await subjectsOf(site, phone), await subjectsOf(site, phone)];
    expect(first.idToken).toBe(first.userinfo);
    expect(second).toEqual(first);
    expect(first.idToken).toBe(engine.subjects.openid(site.clientId, phone.accountId));
    expect(first.idToken).not.toContain(phone.accountId);
  });

  it('differ between clients, though they share host, name and redirect URI, and between people', async () => {
    const [one, two] = [await oauthSite(server.app, server), await oauthSite(server.app, server)];
    const [ann, bob] = [await person(server.app, server), await person(server.app, server)];
    const seen = [await subjectsOf(one, ann), await subjectsOf(two, ann), await subjectsOf(one, bob)];
    expect(new Set(seen.map(({ userinfo }) => userinfo)).size).toBe(3);
  });

  it('are asked of us by the engine with the client and the account, whatever hosts its redirect URIs have', async () => {
    const site = await oauthSite(server.app, server, {
      redirectUris: ['http://127.0.0.1:9/callback', 'https://a.example/cb', 'https://b.example/cb'],
    });
    const phone = await person(server.app, server);
    expect((await subjectsOf(site, phone)).userinfo).toBe(engine.subjects.openid(site.clientId, phone.accountId));
  });
});
