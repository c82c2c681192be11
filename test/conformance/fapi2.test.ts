/** fapi2-security-profile-final-test-plan: the modules about requests, pushed ones and the answers to them. */
import { createHash } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkIdToken, expectRefusal, expectTokens } from '../support/conformance.js';
import type { FapiClient } from '../support/fapi-client.js';
import { type FapiHouse, startFapiHouse } from '../support/fapi-house.js';
import { send } from '../support/http.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import type { Arrival } from '../support/standard-browser.js';
import { forgetScans, person } from '../support/story.js';

const INVALID_REQUEST = ['invalid_request', 'invalid_request_object'];

describe('FAPI 2.0 Security Profile', () => {
  let house: FapiHouse;
  let client: FapiClient;
  let other: FapiClient;
  let phone: Awaited<ReturnType<typeof person>>;
  beforeAll(async () => {
    house = await startFapiHouse();
    client = await house.client();
    other = await house.client();
    phone = await person(house.server.app, house.server);
  });
  afterAll(() => house?.stop());
  beforeEach(() => forgetScans(house.server.database));

  /** An error page of ours, or an error at the site; never a code. */
  const expectRefused = (arrived: Arrival, error: RegExp) => {
    if (arrived.address.startsWith(REDIRECT_URI)) expect(arrived.answer.error).toMatch(error);
    else expect([arrived.status, arrived.body.includes('waitSecret')], arrived.body).toEqual([400, false]);
    expect(arrived.answer).not.toHaveProperty('code');
  };
  const finish = async (address: string) => house.browser().signInByPhone(address, phone);
  const address = (query: Record<string, string>) => house.browser().authorizeUrl(query);
  const without = (query: Record<string, string>, ...names: string[]) =>
    Object.fromEntries(Object.entries(query).filter(([name]) => !names.includes(name)));

  it('discovery-end-point-verification', async () => {
    const answer = await send(`${house.server.url}/.well-known/openid-configuration`);
    const metadata = answer.json<Record<string, string[]>>();
    expect(metadata.token_endpoint_auth_methods_supported).toContain('private_key_jwt');
    expect(metadata.code_challenge_methods_supported).toContain('S256');
    for (const use of ['token_endpoint_auth', 'dpop', 'id_token']) {
      const algorithms = metadata[`${use}_signing_alg_values_supported`];
      expect(algorithms, use).toEqual(expect.arrayContaining(['PS256', 'ES256', 'EdDSA']));
    }
    expect(metadata).toMatchObject({
      authorization_response_iss_parameter_supported: true,
      pushed_authorization_request_endpoint: `${house.server.url}/oauth/par`,
    });
    const oauth = await send(`${house.server.url}/.well-known/oauth-authorization-server`);
    expect(oauth.json()).toEqual(metadata);
  });

  it.each(['ES256', 'PS256', 'EdDSA'] as const)('happy-flow: keys and ID tokens by %s', async (alg) => {
    const by = await house.client({ alg });
    const { code, verifier, query } = await house.allowed(by);
    const tokens = expectTokens(await by.exchange(code, verifier));
    expect(tokens.token_type).toBe('DPoP');
    const keys = (await send(`${house.server.url}/oauth/jwks`)).json<JSONWebKeySet>();
    const expected = { keys, issuer: house.server.url, clientId: by.clientId, nonce: query.nonce, algorithms: [alg] };
    const { sub } = await checkIdToken(tokens, expected);
    const profile = await by.userinfo(tokens.access_token);
    expect(profile.status, profile.body).toBe(200);
    expect(profile.json()).toMatchObject({ sub, nickname: '张三😀' });
    expect(Date.parse(String(profile.headers.date))).not.toBeNaN();
  });

  it('par: the answer is 201 with a request_uri that nobody guesses, for less than 600 seconds', async () => {
    const answer = await client.push(client.request().query);
    expect([answer.status, answer.headers['cache-control']]).toEqual([201, 'no-store']);
    const { request_uri: uri, expires_in: seconds } = answer.json<{ request_uri: string; expires_in: number }>();
    expect(uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{43,}$/);
    expect(seconds > 0 && seconds < 600).toBe(true);
  });

  it('user-rejects-authentication: access_denied with state and iss', async () => {
    const { address: at, query } = await house.pushed(client);
    const { answer } = await house.browser().signInByPhone(at, phone, { deny: true });
    expect(answer).toMatchObject({ error: 'access_denied', state: query.state, iss: house.server.url });
  });

  it('ensure-authorization-request-without-state-success: and none comes back', async () => {
    const { query, verifier } = client.request();
    const uri = String((await client.push(without(query, 'state'))).json().request_uri);
    const { answer } = await finish(address({ client_id: client.clientId, request_uri: uri }));
    expect(answer).toEqual({ code: expect.any(String), iss: house.server.url });
    expectTokens(await client.exchange(String(answer.code), verifier));
  });

  it('ensure-authorization-request-without-nonce-success', async () => {
    const { query, verifier } = client.request();
    const uri = String((await client.push(without(query, 'nonce'))).json().request_uri);
    const { answer } = await finish(address({ client_id: client.clientId, request_uri: uri }));
    expectTokens(await client.exchange(String(answer.code), verifier));
  });

  it.each([
    ['ensure-authorization-request-with-64-char-nonce-success', { nonce: 'n'.repeat(64) }],
    ['ensure-authorization-request-with-long-nonce', { nonce: 'n'.repeat(384) }],
    ['ensure-authorization-request-with-long-state', { state: 's'.repeat(1000) }],
    ['ensure-other-scope-order-succeeds', { scope: 'profile openid' }],
  ] as const)('%s', async (_module, more) => {
    const { code, verifier, query } = await house.allowed(client, more);
    const tokens = expectTokens(await client.exchange(code, verifier));
    const claims = JSON.parse(Buffer.from(String(tokens.id_token.split('.')[1]), 'base64url').toString());
    expect(claims.nonce).toBe(query.nonce);
  });

  it('ensure-different-nonce-inside-and-outside-request-object, -different-state-: what was pushed counts', async () => {
    const { address: at, query, verifier } = await house.pushed(client);
    const arrived = await finish(`${at}&${new URLSearchParams({ nonce: 'another', state: 'another' })}`);
    expect(arrived.answer.state).toBe(query.state);
    const tokens = expectTokens(await client.exchange(String(arrived.answer.code), verifier));
    expect(Buffer.from(String(tokens.id_token.split('.')[1]), 'base64url').toString()).toContain(`"${query.nonce}"`);
  });

  it('state-only-outside-request-object-not-used', async () => {
    const { query } = client.request();
    const uri = String((await client.push(without(query, 'state'))).json().request_uri);
    const arrived = await finish(address({ client_id: client.clientId, request_uri: uri, state: 'outside' }));
    expect(arrived.answer).not.toHaveProperty('state');
  });

  it('par-without-duplicate-parameters: client_id and request_uri alone are enough, and all else beside them is no harm', async () => {
    const { address: at, query, uri } = await house.pushed(client);
    expect((await finish(at)).answer).toHaveProperty('code');
    expect(uri).toBeDefined();
    const { uri: second, query: same } = await house.pushed(client);
    expect((await finish(address({ ...same, request_uri: second }))).answer).toHaveProperty('code');
    expect(query.state).not.toBe(same.state);
  });

  it('ensure-unsigned-authorization-request-without-using-par-fails', async () => {
    const { query } = client.request();
    expectRefused(await house.browser().open(address(query)), /^invalid_request$/);
  });

  it('ensure-registered-redirect-uri, plain-fapi-tolerate-unregistered-redirect-uri: refused when it is pushed', async () => {
    const { query } = client.request({ redirect_uri: `${REDIRECT_URI}/other` });
    expectRefusal(await client.push(query), INVALID_REQUEST);
  });

  it('ensure-redirect-uri-in-authorization-request, ensure-request-object-without-redirect-uri-fails', async () => {
    expectRefusal(await client.push(without(client.request().query, 'redirect_uri')), INVALID_REQUEST);
  });

  it.each([
    ['ensure-response-type-code-idtoken-fails', 'code id_token'],
    ['ensure-response-type-token-fails', 'token'],
  ])('%s', async (_module, type) => {
    const { query } = client.request({ response_type: type });
    const answer = await client.push(query);
    expectRefusal(answer, ['unsupported_response_type', 'unauthorized_client', ...INVALID_REQUEST]);
  });

  it('par-ensure-reused-request-uri-prior-to-auth-completion-succeeds', async () => {
    const { address: at } = await house.pushed(client);
    expect((await house.browser().open(at)).address).toContain('/interaction/');
    expect((await finish(at)).answer).toHaveProperty('code');
  });

  it('par-attempt-reuse-request_uri: once a code was given, no more', async () => {
    const { address: at } = await house.pushed(client);
    expect((await finish(at)).answer).toHaveProperty('code');
    expectRefused(await house.browser().open(at), /^invalid_request(_uri)?$/);
  });

  it('par-attempt-to-use-expired-request_uri', async () => {
    const { address: at } = await house.pushed(client);
    await house.server.database.sql(
      "UPDATE engine_record SET expires_at = now() WHERE kind = 'PushedAuthorizationRequest'",
    );
    expectRefused(await house.browser().open(at), /^invalid_request(_uri)?$/);
  });

  it('par-attempt-to-use-request_uri-for-different-client: a request_uri is bound to the client that pushed', async () => {
    const { uri } = await house.pushed(client);
    const at = address({ client_id: other.clientId, request_uri: uri });
    expectRefused(await house.browser().open(at), /^invalid_request(_uri|_object)?$/);
  });

  it('par-authorization-request-containing-request_uri-form-param, -request_uri: refused', async () => {
    const { query } = client.request();
    for (const uri of ['urn:ietf:params:oauth:request_uri:x', 'https://site.example/request']) {
      const answer = await client.push({ ...query, request_uri: uri });
      expectRefusal(answer, ['request_uri_not_supported', ...INVALID_REQUEST]);
    }
  });

  it('par-attempt-invalid-http-method: 405', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await send(`${house.server.url}/oauth/par`, { method });
      expect([answer.status, answer.headers.allow], method).toEqual([405, 'POST']);
    }
  });

  describe('PKCE', () => {
    it('par-ensure-pkce-required', async () => {
      const { query } = client.request();
      expectRefusal(await client.push(without(query, 'code_challenge', 'code_challenge_method')), INVALID_REQUEST);
    });

    it('par-ensure-plain-pkce-rejected', async () => {
      const { query, verifier } = client.request({ code_challenge_method: 'plain' });
      expectRefusal(await client.push({ ...query, code_challenge: verifier }), INVALID_REQUEST);
      // Without a method it would be plain (RFC 7636 4.3).
      expectRefusal(await client.push(without(query, 'code_challenge_method')), INVALID_REQUEST);
    });

    it('par-pkce-code-verifier-required, par-incorrect-pkce-code-verifier-rejected', async () => {
      const { code, verifier } = await house.allowed(client);
      const wrong = createHash('sha256').update(verifier).digest('base64url');
      expectRefusal(await client.exchange(code, '', {}), ['invalid_grant', 'invalid_request']);
      expectRefusal(await client.exchange(code, wrong), 'invalid_grant');
      expectTokens(await client.exchange(code, verifier));
    });
  });
});
