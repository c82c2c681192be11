import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORS, type DoorSite, newProof } from '../support/door.js';
import type { Phone } from '../support/phone.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

/** One table of abuse, run against both doors: the dialects differ in words, never in what they let through. */
describe.each(DOORS)('exchanging a code at the $dialect door', ({ register, says }) => {
  let server: TestApp;
  let site: DoorSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    site = await register(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const login = async (options?: { pkce?: boolean }) => {
    await forgetScans(server.database);
    return site.login(phone, options);
  };

  it('works once with the right client and verifier', async () => {
    const tokens = await site.exchange(await login());
    expect(tokens).toMatchObject({ ok: true, status: 200 });
    expect(await site.userinfo(String(tokens.body.access_token))).toMatchObject({ ok: true });
  });

  it("refuses another client's code and leaves it to its owner", async () => {
    const stranger = await register(server.app, server);
    const grant = await login();
    expect(await stranger.exchange(grant)).toMatchObject({ ok: false, error: says.invalid });
    expect(await site.exchange(grant)).toMatchObject({ ok: true });
  });

  it('refuses a code older than its sixty seconds', async () => {
    const grant = await login();
    const [row] = await server.database.sql<{ seconds: number }>(
      "SELECT extract(epoch FROM expires_at - now())::float AS seconds FROM engine_record WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL",
    );
    expect(row?.seconds).toBeGreaterThan(50);
    expect(row?.seconds).toBeLessThanOrEqual(60);
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AuthorizationCode'");
    expect(await site.exchange(grant)).toMatchObject({ ok: false, error: says.invalid });
  });

  it('refuses a code that never was', async () => {
    expect(await site.exchange({ code: newProof().verifier, verifier: undefined })).toMatchObject({
      ok: false,
      error: says.invalid,
    });
  });

  it('refuses a second exchange, and ends what the first one gave', async () => {
    const grant = await login();
    const first = await site.exchange(grant);
    expect(await site.exchange(grant)).toMatchObject({ ok: false, error: says.used });
    expect(await site.userinfo(String(first.body.access_token))).toMatchObject({ ok: false, error: says.tokenDead });
    if (first.body.refresh_token) {
      expect(await site.refresh(String(first.body.refresh_token))).toMatchObject({
        ok: false,
        error: says.refreshDead,
      });
    }
    // It stays a replay, it does not become unknown.
    expect(await site.exchange(grant)).toMatchObject({ ok: false, error: says.used });
  });

  it('lets one of ten exchanges at once through, and ends even that one', async () => {
    const grant = await login();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => site.exchange(grant)));
    const winners = outcomes.filter(({ ok }) => ok);
    expect(winners).toHaveLength(1);
    for (const lost of outcomes.filter(({ ok }) => !ok)) expect(lost.error).toBe(says.used);
    const used = await site.userinfo(String(winners[0]?.body.access_token));
    expect(used.ok).toBe(false);
    // Dead with its grant; or, where the grant was ended before the token was written, dead without one.
    expect([says.tokenDead, says.grantGone]).toContain(used.error);
  });

  it.each<[string, 'invalid' | 'malformed', () => string | undefined]>([
    ['a wrong verifier', 'invalid', () => newProof().verifier],
    ['no verifier', 'invalid', () => undefined],
    ['an empty verifier', 'invalid', () => ''],
    ['a verifier of 42 characters', 'malformed', () => newProof().verifier.slice(1)],
    ['a verifier of 129 characters', 'malformed', () => 'v'.repeat(129)],
    ['a verifier of other characters', 'malformed', () => `${newProof().verifier}ü!`],
  ])('refuses %s and leaves the code to its owner', async (_name, why, verifier) => {
    const grant = await login();
    expect(await site.exchange({ code: grant.code, verifier: verifier() })).toMatchObject({
      ok: false,
      error: says[why],
    });
    expect(await site.exchange(grant)).toMatchObject({ ok: true });
  });

  it('refuses the challenge itself in place of the verifier', async () => {
    const { code_challenge: challenge } = newProof();
    const grant = await login();
    await server.database.sql(
      `UPDATE engine_record SET payload = payload || jsonb_build_object('codeChallenge', $1::text)
       WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL`,
      [challenge],
    );
    expect(await site.exchange({ code: grant.code, verifier: challenge })).toMatchObject({ ok: false });
  });

  it('refuses a code whose grant was revoked', async () => {
    const grant = await login();
    await server.database.sql("DELETE FROM engine_record WHERE kind = 'Grant'");
    expect(await site.exchange(grant)).toMatchObject({ ok: false, error: says.invalid });
  });

  it('refuses a code and a token of an account disabled meanwhile', async () => {
    const [before, after] = [await login(), await login()];
    const tokens = await site.exchange(before);
    await server.database.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [phone.accountId]);
    try {
      expect(await site.exchange(after)).toMatchObject({ ok: false, error: says.accountGone });
      expect(await site.userinfo(String(tokens.body.access_token))).toMatchObject({ ok: false });
    } finally {
      await server.database.sql('UPDATE account SET disabled_at = NULL WHERE id = $1', [phone.accountId]);
    }
  });

  it('refuses everything of a client disabled meanwhile, at the next request', async () => {
    const ending = await register(server.app, server);
    const [before, after] = [await ending.login(phone), await ending.login(phone)];
    const tokens = await ending.exchange(before);
    await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [ending.clientId]);
    expect(await ending.exchange(after)).toMatchObject({ ok: false, error: says.clientGone });
    expect(await ending.userinfo(String(tokens.body.access_token))).toMatchObject({ ok: false });
    if (tokens.body.refresh_token) {
      expect(await ending.refresh(String(tokens.body.refresh_token))).toMatchObject({ ok: false });
    }
  });
});
