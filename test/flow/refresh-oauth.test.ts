import { afterAll, beforeAll, expect, it } from 'vitest';
import { oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server?.stop());

/** A login that asked for lasting access. */
async function lastingLogin() {
  const site = await oauthSite(server.app, server);
  const phone = await person(server.app, server);
  const { query, verifier } = site.request({ scope: 'openid profile offline_access' });
  const { code } = await login(server, phone, query);
  return { site, tokens: (await site.exchange(code, verifier)).json<Record<string, string>>(), code, verifier };
}

it('gives an OAuth site that asks for offline_access a refresh token that rotates', async () => {
  const { site, tokens } = await lastingLogin();
  expect(tokens.scope?.split(' ')).toContain('offline_access');
  const next = (await site.refresh(tokens.refresh_token as string)).json<Record<string, string>>();
  expect(next.refresh_token).not.toBe(tokens.refresh_token);
  expect((await site.userinfo(next.access_token as string)).json()).toMatchObject({ nickname: '张三😀' });
});

it('ends the whole family when a refresh token is used again (RFC 9700 4.14)', async () => {
  const { site, tokens } = await lastingLogin();
  const next = (await site.refresh(tokens.refresh_token as string)).json<Record<string, string>>();
  expect((await site.refresh(tokens.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.refresh(next.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.userinfo(next.access_token as string)).status).toBe(401);
});

it('T40 leaves no refresh token alive after the code was replayed', async () => {
  const { site, tokens, code, verifier } = await lastingLogin();
  expect((await site.exchange(code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.refresh(tokens.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
});
