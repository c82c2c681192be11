import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret, newSecret } from '../../src/secret.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

describe('a client secret of which only the hash is stored', () => {
  let server: TestApp;
  let basic: OauthSite;
  let post: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    basic = await oauthSite(server.app, server);
    post = await oauthSite(server.app, server, { authMethod: 'client_secret_post' });
  });
  afterAll(() => server?.stop());

  const form = { grant_type: 'authorization_code', code: 'unknown', redirect_uri: REDIRECT_URI };
  /** `invalid_grant` means: the client is who it says, only the code is not good. */
  const askAs = async (more: Record<string, string>, authorization?: string) =>
    (
      await send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) },
        body: new URLSearchParams({ ...form, ...more }).toString(),
      })
    ).json().error;
  const header = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

  it('authenticates by Basic and by post, each client as it is registered', async () => {
    expect(await askAs({}, header(basic.clientId, basic.secret))).toBe('invalid_grant');
    expect(await askAs({ client_id: post.clientId, client_secret: post.secret })).toBe('invalid_grant');
  });

  it('answers 200 to the revocation of a token that nobody has, and to a client that is who it says alone', async () => {
    // The headless door has nothing else to ask that proves a client without asking for anything (pushed-request.ts).
    const revoke = async (authorization: string) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization };
      return (await send(`${server.url}/oauth/revoke`, { method: 'POST', headers, body: `token=${newSecret()}` }))
        .status;
    };
    expect(await revoke(header(basic.clientId, basic.secret))).toBe(200);
    expect(await revoke(header(basic.clientId, newSecret()))).toBe(401);
    expect(await revoke(header('nobody', newSecret()))).toBe(401);
  });

  it('takes a secret in the query of nobody', async () => {
    const { status } = await send(
      `${server.url}/oauth/token?${new URLSearchParams({ client_id: post.clientId, client_secret: post.secret })}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      },
    );
    expect([400, 401]).toContain(status);
  });

  it('refuses every other secret: none, wrong, empty, the hash, the placeholder, another client’s', async () => {
    for (const wrong of [newSecret(), hashSecret(basic.secret), 'held-as-a-hash', post.secret, `${basic.secret}x`]) {
      expect(await askAs({}, header(basic.clientId, wrong)), wrong).toBe('invalid_client');
      expect(
        await askAs({ client_id: post.clientId, client_secret: wrong === post.secret ? basic.secret : wrong }),
      ).toBe('invalid_client');
    }
    for (const nobody of [{ client_id: basic.clientId }, { client_id: post.clientId }]) {
      expect(await askAs(nobody)).toBe('invalid_client');
    }
    expect(['invalid_client', 'invalid_request']).toContain(await askAs({}, header(basic.clientId, '')));
    expect(await askAs({}, header('qc0000000000000000', basic.secret))).toBe('invalid_client');
  });

  it('takes two live secrets during a rotation, and one of them no longer than it says', async () => {
    const [old, fresh] = [newSecret(), newSecret()];
    const set = (until: string) =>
      server.database.sql('UPDATE client SET secrets = $2 WHERE id = $1', [
        basic.clientId,
        JSON.stringify([
          { hash: hashSecret(fresh), createdAt: new Date().toISOString() },
          { hash: hashSecret(old), createdAt: new Date().toISOString(), expiresAt: until },
        ]),
      ]);
    await set(new Date(Date.now() + 60_000).toISOString());
    for (const secret of [old, fresh]) expect(await askAs({}, header(basic.clientId, secret))).toBe('invalid_grant');
    await set(new Date(Date.now() - 1_000).toISOString());
    expect(await askAs({}, header(basic.clientId, old))).toBe('invalid_client');
    expect(await askAs({}, header(basic.clientId, fresh))).toBe('invalid_grant');
  });

  it('is not asked of a public client, and not taken from one', async () => {
    const open = await oauthSite(server.app, server, { authMethod: 'none' });
    expect(open.secret).toBe('');
    expect(await askAs({ client_id: open.clientId })).toBe('invalid_grant');
    expect(await askAs({ client_id: open.clientId, client_secret: 'held-as-a-hash' })).toBe('invalid_client');
  });
});
