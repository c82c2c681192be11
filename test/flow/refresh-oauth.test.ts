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

/** As if the refreshes so far had been `seconds` earlier. */
const wait = (seconds: number) =>
  server.database.sql(
    "UPDATE engine_record SET consumed_at = consumed_at - make_interval(secs => $1) WHERE kind = 'RefreshToken'",
    [seconds],
  );

it('T47 gives one of twenty refreshes at once new tokens, the others nothing, and the family lives', async () => {
  const { site, tokens } = await lastingLogin();
  let current = tokens.refresh_token as string;
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => site.refresh(current)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => !winners.includes(answer))) {
      expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_grant']);
      expect(body).not.toContain('_token"');
    }
    // One more that was late on its way.
    await wait(9);
    expect((await site.refresh(current)).json()).toMatchObject({ error: 'invalid_grant' });
    const won = winners[0]?.json<Record<string, string>>() as Record<string, string>;
    expect((await site.userinfo(won.access_token as string)).status).toBe(200);
    current = won.refresh_token as string;
  }
});

it('T47 ends the whole family when a refresh token is used again after ten seconds (RFC 9700 4.14)', async () => {
  const { site, tokens } = await lastingLogin();
  const next = (await site.refresh(tokens.refresh_token as string)).json<Record<string, string>>();
  await wait(11);
  expect((await site.refresh(tokens.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.refresh(next.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.userinfo(next.access_token as string)).status).toBe(401);
});

it('T40 leaves no refresh token alive after the code was replayed', async () => {
  const { site, tokens, code, verifier } = await lastingLogin();
  expect((await site.exchange(code, verifier)).json()).toMatchObject({ error: 'invalid_grant' });
  expect((await site.refresh(tokens.refresh_token as string)).json()).toMatchObject({ error: 'invalid_grant' });
});
