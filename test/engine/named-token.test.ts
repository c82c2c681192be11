import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/secret.js';
import { engineOf, type TestEngine } from '../support/engine.js';
import type { Phone } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

interface WechatTokens {
  access_token: string;
  refresh_token: string;
}

/** engine/exchange.ts chooses an access token's value itself: the engine settles the format first, then keeps the name. */
describe('an access token whose value we choose', () => {
  let server: TestApp;
  let engine: TestEngine;
  let site: WechatSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const exchanged = async () => {
    await forgetScans(server.database);
    const { code } = await login(server, phone, site.request());
    return (await site.exchange(code)).json<WechatTokens>();
  };

  it('is saved by the engine under that value, opaque, and found again by it', async () => {
    const { provider } = engine;
    const value = 'v'.repeat(43);
    const client = await provider.Client.find(site.clientId);
    const token = new provider.AccessToken({ client, accountId: phone.accountId, scope: 'snsapi_login' } as never);
    (token as unknown as { generateTokenId(): string }).generateTokenId();
    token.jti = value;
    expect(await token.save()).toBe(value);
    const found = await provider.AccessToken.find(value);
    expect(found).toMatchObject({ jti: value, clientId: site.clientId, scope: 'snsapi_login' });
    const [row] = await server.database.sql(
      "SELECT payload FROM engine_record WHERE kind = 'AccessToken' AND key = $1",
      [hashSecret(value)],
    );
    expect(JSON.stringify(row)).not.toContain(value);
    // A structured token would carry its claims to whoever reads it.
    expect(row?.payload).not.toHaveProperty('jwt');
  });

  it('has 256 bits, differs for each refresh token, and cannot be told from the refresh token or back', async () => {
    const [one, two] = [await exchanged(), await exchanged()];
    for (const { access_token: access, refresh_token: refresh } of [one, two]) {
      expect(access).toMatch(/^[\w-]{43}$/);
      expect(access).not.toBe(refresh);
      expect(hashSecret(refresh)).not.toBe(access);
    }
    expect(one.access_token).not.toBe(two.access_token);
  });

  it('comes back the same while it lives, with its life renewed, and another one after it died', async () => {
    const tokens = await exchanged();
    await server.database.sql(
      "UPDATE engine_record SET expires_at = now() + interval '5 seconds' WHERE kind = 'AccessToken' AND key = $1",
      [hashSecret(tokens.access_token)],
    );
    const same = (await site.refresh(tokens.refresh_token)).json<WechatTokens>();
    expect(same.access_token).toBe(tokens.access_token);
    const [row] = await server.database.sql<{ seconds: number }>(
      "SELECT extract(epoch FROM expires_at - now())::int AS seconds FROM engine_record WHERE kind = 'AccessToken' AND key = $1",
      [hashSecret(tokens.access_token)],
    );
    expect(row?.seconds).toBeGreaterThan(7000);
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AccessToken'");
    const next = (await site.refresh(tokens.refresh_token)).json<WechatTokens>();
    expect(next.access_token).not.toBe(tokens.access_token);
    expect((await site.userinfo(tokens.access_token)).json()).toMatchObject({ errcode: 42001 });
    expect((await site.userinfo(next.access_token)).json()).toHaveProperty('openid');
    expect((await site.refresh(tokens.refresh_token)).json()).toMatchObject({ access_token: next.access_token });
  });

  it('does not lengthen the refresh token: thirty days from the exchange are thirty days', async () => {
    const tokens = await exchanged();
    const life = async () =>
      (
        await server.database.sql<{ at: Date }>(
          "SELECT expires_at AS at FROM engine_record WHERE kind = 'RefreshToken' AND key = $1",
          [hashSecret(tokens.refresh_token)],
        )
      )[0]?.at.getTime() as number;
    await server.database.sql(
      "UPDATE engine_record SET expires_at = now() + interval '1 hour', payload = payload || jsonb_build_object('exp', extract(epoch FROM now() + interval '1 hour')::int) WHERE kind = 'RefreshToken' AND key = $1",
      [hashSecret(tokens.refresh_token)],
    );
    const before = await life();
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AccessToken'");
    expect((await site.refresh(tokens.refresh_token)).json()).toHaveProperty('access_token');
    expect(Math.abs((await life()) - before)).toBeLessThan(5_000);
  });

  it('ends with its grant', async () => {
    const tokens = await exchanged();
    const token = await engine.provider.AccessToken.find(tokens.access_token);
    await engine.records.removeByGrant(String(token?.grantId));
    expect((await site.userinfo(tokens.access_token)).json()).toMatchObject({ errcode: 40001 });
    expect((await site.refresh(tokens.refresh_token)).json()).toMatchObject({ errcode: 40030 });
  });
});
