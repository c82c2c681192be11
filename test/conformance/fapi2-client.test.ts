/** fapi2-security-profile-final-test-plan: the modules about how clients prove themselves, codes and refresh tokens. */
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectRefusal, expectTokens } from '../support/conformance.js';
import { type Change, type FapiClient, now, proofKey } from '../support/fapi-client.js';
import { type FapiHouse, startFapiHouse } from '../support/fapi-house.js';
import type { RawAnswer } from '../support/http.js';
import { clientKeyPair } from '../support/standard-site.js';
import { forgetScans } from '../support/story.js';

describe('FAPI 2.0 Security Profile, clients', () => {
  let house: FapiHouse;
  let client: FapiClient;
  beforeAll(async () => {
    house = await startFapiHouse();
  });
  afterAll(() => house?.stop());
  // A client of its own each time: failures are counted by client.
  beforeEach(async () => {
    await forgetScans(house.server.database);
    client = await house.client();
  });

  const url = (path: string) => `${house.server.url}${path}`;
  /** 400 or 401, invalid_client or invalid_request. */
  const expectNoClient = (answer: RawAnswer) => {
    expect([400, 401], answer.body).toContain(answer.status);
    expectRefusal(answer, ['invalid_client', 'invalid_request'], answer.status as 400 | 401);
  };
  const push = (assertion?: Change | 'none' | { jwt: string }) => client.push(client.request().query, { assertion });

  it('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted, and 10 (FAPI 2.0 5.3.2.1)', async () => {
    for (const ahead of [8, 10]) {
      const claims = { iat: now() + ahead, nbf: now() + ahead, exp: now() + 60 };
      const answer = await push({ claims });
      expect(answer.status, answer.body).toBe(201);
    }
  });

  it('par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', async () => {
    expectNoClient(await push({ claims: { iat: now() + 65, nbf: now() + 65, exp: now() + 125 } }));
  });

  it('par-test-array-as-audience-fails, par-test-par-endpoint-url-as-audience-fails, par-test-token-endpoint-as-audience-fails', async () => {
    const issuer = house.server.url;
    for (const aud of [
      [issuer, 'https://other.example'],
      [issuer],
      url('/oauth/par'),
      url('/oauth/token'),
      `${issuer}/`,
    ])
      expectNoClient(await push({ claims: { aud } }));
  });

  const WRONG: Record<string, () => Change> = {
    'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails': () => ({
      claims: { iat: now() - 600, exp: now() - 300 },
    }),
    'ensure-client-assertion-with-wrong-aud-fails': () => ({ claims: { aud: 'https://other.example' } }),
    'ensure-client-assertion-with-no-sub-fails': () => ({ claims: { sub: undefined } }),
    'no iss': () => ({ claims: { iss: undefined } }),
    'an iss that is not the sub': () => ({ claims: { iss: 'somebody' } }),
    'no exp': () => ({ claims: { exp: undefined } }),
    'an exp in a year': () => ({ claims: { exp: now() + 31_536_000 } }),
    'no jti': () => ({ claims: { jti: undefined } }),
    'no aud': () => ({ claims: { aud: undefined } }),
    'another signature': () => ({ spoil: (jwt) => jwt.replace(/.{6}$/, 'AAAAAA') }),
    'no signature': () => ({ spoil: (jwt) => jwt.replace(/[^.]*$/, '') }),
    'alg none': () => ({ header: { alg: 'none' } }),
  };
  it('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails, -with-wrong-aud-fails, -with-no-sub-fails, and more', async () => {
    const { code, verifier } = await house.allowed(client);
    for (const [what, change] of Object.entries(WRONG)) {
      const refused = await client.exchange(code, verifier, {}, { assertion: change() });
      expect([what, refused.status, refused.json().error]).toEqual([what, 401, 'invalid_client']);
    }
    expectTokens(await client.exchange(code, verifier));
  });

  it('an assertion signed by somebody else, or by HS256 with the public key: invalid_client', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    expectRefusal(await push({ key: privateKey }), 'invalid_client', 401);
    const { clientKeys } = await clientKeyPair('ES256');
    const secret = Buffer.from(JSON.stringify(clientKeys.keys[0]));
    expectRefusal(await push({ header: { alg: 'HS256' }, key: secret }), 'invalid_client', 401);
  });

  it('an assertion counts once, at whatever endpoint', async () => {
    const jwt = await client.assertion();
    const { code, verifier } = await house.allowed(client);
    expect((await push({ jwt })).status).toBe(201);
    expectRefusal(await push({ jwt }), 'invalid_client', 401);
    expectRefusal(await client.exchange(code, verifier, {}, { assertion: { jwt } }), 'invalid_client', 401);
  });

  it('ensure-client-assertion-in-token-endpoint: none is no client', async () => {
    const { code, verifier } = await house.allowed(client);
    expectNoClient(await client.exchange(code, verifier, {}, { assertion: 'none' }));
    expectNoClient(await client.exchange(code, verifier, { client_id: client.clientId }, { assertion: 'none' }));
    expectTokens(await client.exchange(code, verifier));
  });

  it('ensure-client-id-in-token-endpoint: the id of another client with the key of this one', async () => {
    const other = await house.client();
    const { code, verifier } = await house.allowed(client);
    const claims = { iss: other.clientId, sub: other.clientId };
    const answer = await client.exchange(code, verifier, { client_id: other.clientId }, { assertion: { claims } });
    expectRefusal(answer, 'invalid_client', 401);
    const mixed = await client.exchange(code, verifier, { client_id: other.clientId });
    expectNoClient(mixed);
  });

  it('ensure-signed-client-assertion-with-rs256-fails: for a key that is registered for PS256, as RSA keys must say', async () => {
    const { key, clientKeys } = await clientKeyPair('PS256');
    const silent = clientKeys.keys.map(({ alg: _, ...one }) => one);
    await expect(house.client({ alg: 'PS256', clientKeys: { keys: silent } })).rejects.toThrow(/alg PS256 or RS256/);
    client = await house.client({ alg: 'PS256', clientKeys });
    const ps256 = await client.push(client.request().query, { assertion: { key: key.key } });
    expect(ps256.status, ps256.body).toBe(201);
    const rs256 = (await importJWK((await exportJWK(key.key)) as JWK, 'RS256')) as typeof key.key;
    const assertion = { header: { alg: 'RS256' }, key: rs256 };
    expectRefusal(await client.push(client.request().query, { assertion }), 'invalid_client', 401);
  });

  it('ensure-authorization-code-is-bound-to-client', async () => {
    const other = await house.client();
    const { code, verifier } = await house.allowed(client);
    expectRefusal(await other.exchange(code, verifier), 'invalid_grant');
  });

  it('attempt-reuse-authorization-code-after-one-second: refused, and the tokens are over', async () => {
    const { code, verifier, tokens } = await house.tokens(client);
    expect((await client.userinfo(tokens.access_token)).status).toBe(200);
    await house.server.database.sql(
      "UPDATE engine_record SET consumed_at = consumed_at - interval '1 second' WHERE consumed_at IS NOT NULL",
    );
    expectRefusal(await client.exchange(code, verifier), 'invalid_grant');
    expect((await client.userinfo(tokens.access_token)).status).toBe(401);
  });

  it('attempt-to-use-expired-auth-code', async () => {
    const { code, verifier } = await house.allowed(client);
    await house.server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'AuthorizationCode'");
    expectRefusal(await client.exchange(code, verifier), 'invalid_grant');
  });

  it('a code with another redirect URI: invalid_grant', async () => {
    const { code, verifier } = await house.allowed(client);
    const more = { redirect_uri: 'http://127.0.0.1:9/other' };
    expectRefusal(await client.exchange(code, verifier, more), 'invalid_grant');
  });

  describe('refresh-token', () => {
    const granted = () => house.tokens(client, { scope: 'openid profile offline_access', prompt: 'consent' });

    it('gives new tokens, bound to whatever key the client proves then, and of the same person', async () => {
      const { tokens } = await granted();
      expect(tokens.refresh_token).toMatch(/^[\x20-\x7e]{43,}$/);
      const fresh = await proofKey('EdDSA');
      const refreshed = expectTokens(await client.refresh(String(tokens.refresh_token), { key: fresh }));
      expect(refreshed.token_type).toBe('DPoP');
      expect(refreshed.access_token).not.toBe(tokens.access_token);
      expect((await client.userinfo(refreshed.access_token, { key: fresh })).status).toBe(200);
      expect((await client.userinfo(refreshed.access_token)).status).toBe(401);
    });

    it('still takes the previous one half a minute later, should the answer have been lost (FAPI 2.0 5.3.2.1-9)', async () => {
      const { tokens } = await granted();
      expectTokens(await client.refresh(String(tokens.refresh_token)));
      await house.server.database.sql(
        "UPDATE engine_record SET consumed_at = consumed_at - interval '30 seconds' WHERE consumed_at IS NOT NULL",
      );
      expectTokens(await client.refresh(String(tokens.refresh_token)));
    });

    it('refuses it without a proof, and from another client', async () => {
      const { tokens } = await granted();
      const refused = await client.refresh(String(tokens.refresh_token), { proof: 'none' });
      expectRefusal(refused, ['invalid_client', 'invalid_grant', 'invalid_request']);
      const other = await house.client();
      expectRefusal(await other.refresh(String(tokens.refresh_token)), 'invalid_grant');
      expectTokens(await client.refresh(String(tokens.refresh_token)));
    });
  });
});
