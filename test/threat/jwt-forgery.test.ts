/** T48: no JWT is believed for what it says of itself; the same forgeries at every place that takes one. */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Genuine, hostileJwts, signJwt } from '../support/hostile-jwts.js';
import { type RawAnswer, send } from '../support/http.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { ASSERTION_TYPE, dpopProver, postTo, type SigningSite, seconds, signingSite } from '../support/signing-site.js';
import { type Sink, startSink } from '../support/sink.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

type Json = Record<string, unknown>;

let server: TestApp;
let site: SigningSite;
let stranger: Sink;
/** Of the server, as only it has them. */
let serverKeys: Map<string, { key: KeyObject; publicKey: KeyObject; header: { alg: string; kid: string } }>;
/** What the person's sign-in brought. */
let tokens: Record<string, string>;
const ORDERS = 'https://orders.example';

beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  stranger = await startSink();
  await server.app.resources.register('test', { identifier: ORDERS, name: 'Orders', scopes: [{ name: 'read' }] });
  const scope = 'openid profile unionid offline_access read';
  site = await signingSite(server.app, server, { scope, postLogoutRedirectUris: [REDIRECT_URI] });
  serverKeys = new Map(
    server.app.ring.current().signing.map((jwk) => {
      const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
      const header = { alg: String(jwk.alg), kid: String(jwk.kid) };
      return [header.alg, { key, publicKey: createPublicKey(key), header }];
    }),
  );
  const { query, verifier } = site.request({
    scope: 'openid profile offline_access read',
    resource: ORDERS,
    prompt: 'consent',
  });
  const browser = new StandardBrowser(server);
  const phone = await person(server.app, server);
  const { code = '' } = (await browser.signInByPhone(browser.authorizeUrl(query), phone)).answer;
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
  const answer = await postTo(server, '/oauth/token', { ...form, ...(await site.proof()) });
  expect(answer.status, answer.body).toBe(200);
  tokens = answer.json();
});
afterAll(async () => {
  await server?.stop();
  await stranger?.stop();
});

const genuine = (claims: Json, wrong: Json, more: Partial<Genuine> = {}): Genuine => ({
  claims,
  header: site.header,
  key: site.key,
  publicKey: site.publicKey,
  encryptTo: (serverKeys.get('RS256') as { publicKey: KeyObject }).publicKey,
  stranger: `http://127.0.0.1:${stranger.port}`,
  wrong,
  ...more,
});

let callers = 0;
/** Everybody comes from an address of his own, so that no limit stands in for the check. */
const caller = () => {
  callers += 1;
  return { 'x-forwarded-for': `203.0.${callers >> 8}.${callers & 255}` };
};
const count = async (table: 'ticket' | 'engine_record') => (await server.database.sql(`SELECT 1 FROM ${table}`)).length;

/** Each is refused with a plain answer of the caller's mistake; nothing is opened, and no stranger is asked. */
async function refuses(forged: Record<string, string>, present: (jwt: string) => Promise<RawAnswer>) {
  const before = [await count('ticket'), await count('engine_record')];
  for (const [what, jwt] of Object.entries(forged)) {
    const { status, headers, body } = await present(jwt);
    const told = typeof headers.location === 'string' ? new URL(headers.location, server.url).searchParams : undefined;
    expect([what, status], body.slice(0, 300)).toEqual([what, expect.toBeOneOf([303, 400, 401, 413, 431])]);
    if (status === 303) expect([what, told?.get('code'), told?.get('error')]).toEqual([what, null, expect.any(String)]);
    expect(body, what).not.toMatch(/waitSecret|request_uri"|access_token"|"sub"|"active":true|logoutForm/);
  }
  expect([await count('ticket'), await count('engine_record')]).toEqual(before);
  expect(stranger.connections()).toBe(0);
}

describe('T48 a forged client assertion', () => {
  const claims = (more: Json = {}) => site.assertionClaims(more);
  const form = (jwt: string) => ({ client_assertion_type: ASSERTION_TYPE, client_assertion: jwt });
  const endpoints = {
    '/oauth/par': () => site.request().query,
    '/oauth/token': () => ({
      grant_type: 'refresh_token',
      refresh_token: String(tokens.refresh_token),
      scope: 'openid',
    }),
    '/oauth/introspect': () => ({ token: String(tokens.refresh_token) }),
    '/oauth/revoke': () => ({ token: 'x' }),
    '/oauth/device': () => ({ scope: 'openid' }),
  } as Record<string, () => Record<string, string>>;
  /** What a right one is answered with; this client has no device flow. */
  const RIGHT: Record<string, number> = { '/oauth/par': 201, '/oauth/device': 400 };

  it.each(Object.keys(endpoints))('opens nothing at %s', async (path) => {
    const post = async (jwt: string) => postTo(server, path, { ...endpoints[path]?.(), ...form(jwt) }, caller());
    expect((await post(await site.assertion())).status).toBe(RIGHT[path] ?? 200);
    const forged = await hostileJwts(genuine(claims(), { iss: 'somebody' }));
    const now = seconds();
    const wrongs: Json[] = [
      { exp: now - 60 },
      { exp: undefined },
      { exp: '9999999999' },
      { nbf: now + 120 },
      { iss: 'somebody' },
      { iss: undefined },
      { sub: 'somebody' },
      { sub: 7 },
      { sub: [site.clientId] },
      { sub: { includes: 'x' } },
      { sub: undefined },
      { aud: 'https://other.example' },
      { aud: undefined },
      { jti: 7 },
    ];
    for (const wrong of wrongs) forged[JSON.stringify(wrong)] = await site.assertion(wrong);
    for (const typ of ['oauth-authz-req+jwt', 'dpop+jwt', 'at+jwt', 'logout+jwt', 'application/at+jwt'])
      forged[`of the type ${typ}`] = await site.assertion({}, { typ });
    await refuses(forged, post);
  });
});

describe('T48 a forged request object', () => {
  const claims = (more: Json = {}) => site.requestClaims(more).claims;
  const forgeries = async () => {
    const forged = await hostileJwts(genuine(claims(), { iss: 'somebody' }));
    const now = seconds();
    const wrongs: Json[] = [
      { exp: now - 60 },
      { exp: now + 86_400 },
      { exp: undefined },
      { nbf: now + 120 },
      { iss: 'somebody' },
      { iss: undefined },
      { aud: 'https://other.example' },
      { aud: undefined },
      { client_id: 'somebody' },
      { redirect_uri: 'https://evil.example/' },
      { request: 'x' },
      { request_uri: `http://127.0.0.1:${stranger.port}/` },
    ];
    for (const wrong of wrongs) forged[JSON.stringify(wrong)] = await site.requestObject(wrong);
    for (const typ of ['dpop+jwt', 'at+jwt', 'client-authentication+jwt'])
      forged[`of the type ${typ}`] = await site.requestObject({}, { typ });
    // What the client signs to prove itself asks for nothing.
    forged['a client assertion'] = await site.assertion();
    return forged;
  };

  it('opens nothing in the front channel', async () => {
    const ask = (jwt: string) =>
      send(`${server.url}/oauth/authorize?${new URLSearchParams({ client_id: site.clientId, request: jwt })}`);
    expect((await ask(await site.requestObject())).headers.location).toContain('/interaction/');
    expect((await ask(await site.requestObject({}, { typ: 'oauth-authz-req+jwt' }))).headers.location).toContain(
      '/interaction/',
    );
    await refuses(await forgeries(), ask);
  });

  it('opens nothing when it is pushed', async () => {
    const push = async (jwt: string) =>
      postTo(server, '/oauth/par', { ...(await site.proof()), request: jwt }, caller());
    expect((await push(await site.requestObject())).status).toBe(201);
    const before = await count('engine_record');
    const forged = await forgeries();
    await server.database.sql("DELETE FROM engine_record WHERE kind = 'ReplayDetection'");
    for (const [what, jwt] of Object.entries(forged)) {
      const answer = await push(jwt);
      expect([what, answer.status], answer.body).toEqual([what, 400]);
    }
    await server.database.sql("DELETE FROM engine_record WHERE kind = 'ReplayDetection'");
    expect(await count('engine_record')).toBeLessThanOrEqual(before);
    expect(stranger.connections()).toBe(0);
  });
});

describe('T48 a forged id_token_hint', () => {
  const byServer = (more: Partial<Genuine> = {}) => {
    const claims = decodeJwt(String(tokens.id_token)) as Json;
    const { alg = '' } = decodeProtectedHeader(String(tokens.id_token));
    return genuine(claims, { iss: 'somebody' }, { ...serverKeys.get(alg), ...more });
  };
  const forgeries = async () => {
    const { claims, header, key } = byServer();
    const forged = await hostileJwts(byServer());
    for (const wrong of [
      { iss: 'https://other.example' },
      { aud: 'somebody' },
      { aud: undefined },
      { aud: 7 },
      { aud: { includes: 1 } },
    ] as Json[])
      forged[JSON.stringify(wrong)] = await signJwt({ ...claims, ...wrong }, header, key);
    // Keys of the server all, but not the one this client's tokens are signed with.
    const other = serverKeys.get('ES256');
    if (other) forged['by another key of the server'] = await signJwt(claims, other.header, other.key);
    forged['the access token'] = String(tokens.access_token);
    return forged;
  };

  it('opens nothing at the authorization endpoint', async () => {
    const ask = (jwt: string) =>
      send(`${server.url}/oauth/authorize?${new URLSearchParams({ ...site.request().query, id_token_hint: jwt })}`);
    expect((await ask(String(tokens.id_token))).headers.location).toContain('/interaction/');
    await refuses(await forgeries(), ask);
  });

  it('signs nobody out, and leads nowhere', async () => {
    const ask = (jwt: string) => {
      const query = { id_token_hint: jwt, post_logout_redirect_uri: REDIRECT_URI, client_id: site.clientId };
      return send(`${server.url}/oauth/logout?${new URLSearchParams(query)}`);
    };
    expect((await ask(String(tokens.id_token))).status).toBe(200);
    const sessions = "DELETE FROM engine_record WHERE kind = 'Session'";
    await server.database.sql(sessions);
    for (const [what, jwt] of Object.entries(await forgeries())) {
      const { status, body } = await ask(jwt);
      expect([what, status], body.slice(0, 200)).toEqual([what, expect.toBeOneOf([400, 401, 413])]);
      expect(body, what).not.toMatch(/name="xsrf"|logoutForm/);
    }
    expect(stranger.connections()).toBe(0);
  });
});

describe('T48 a forged DPoP proof', () => {
  it('binds nothing', async () => {
    const prover = dpopProver();
    const url = `${server.url}/oauth/par`;
    const push = async (proof: string) =>
      prover.hear(
        await postTo(
          server,
          '/oauth/par',
          { ...site.request().query, ...(await site.proof()) },
          { ...caller(), dpop: proof },
        ),
      );
    await push(await prover.proof('POST', url));
    const right = await prover.proof('POST', url);
    expect((await push(right)).status).toBe(201);
    const header = await prover.header();
    const claims = decodeJwt(await prover.proof('POST', url)) as Json;
    const { key, publicKey } = prover;
    const forged = await hostileJwts(genuine(claims, { htm: 'GET' }, { header, key, publicKey }));
    // A proof carries its key by design (RFC 9449 4.2), and what else stands in its header is nothing to us.
    for (const what of Object.keys(forged)) if (/^the (key|certificate)|kid that/.test(what)) delete forged[what];
    const { d } = key.export({ format: 'jwk' });
    const headers: Json[] = [
      { typ: 'JWT' },
      { typ: undefined },
      { jwk: undefined },
      { jwk: { ...(header.jwk as Json), d } },
      { jwk: { kty: 'oct', k: 'AAAA' } },
      { jwk: `http://127.0.0.1:${stranger.port}/jwk` },
      { jwk: undefined, jku: `http://127.0.0.1:${stranger.port}/jwk`, kid: 'x' },
    ];
    for (const wrong of headers) forged[JSON.stringify(wrong)] = await prover.proof('POST', url, {}, wrong);
    const wrongs: Json[] = [{ jti: undefined }, { jti: 7 }, { iat: undefined }, { iat: 'now' }, { htm: 'post' }];
    for (const wrong of wrongs) forged[JSON.stringify(wrong)] = await prover.proof('POST', url, wrong);
    const pushed = () => server.database.sql("SELECT 1 FROM engine_record WHERE kind = 'PushedAuthorizationRequest'");
    const before = (await pushed()).length;
    for (const [what, jwt] of Object.entries(forged)) {
      const answer = await push(jwt);
      expect([what, answer.status, answer.json().error], answer.body).toEqual([what, 400, 'invalid_dpop_proof']);
    }
    expect((await pushed()).length).toBe(before);
    expect(stranger.connections()).toBe(0);
  });
});

describe('T48 a forged access token', () => {
  it('reads nothing at userinfo, nor does a right one for somebody else, and is active nowhere', async () => {
    const claims = decodeJwt(String(tokens.access_token)) as Json;
    expect(claims.aud).toBe(ORDERS);
    const signer = serverKeys.get(String(decodeProtectedHeader(String(tokens.access_token)).alg));
    const header = { ...decodeProtectedHeader(String(tokens.access_token)), alg: 'RS256' };
    const forged = await hostileJwts(genuine(claims, { aud: 'x' }, { ...signer, header }));
    forged['as the server made it'] = String(tokens.access_token);
    forged['for userinfo, by the key of the server'] = await signJwt(
      { ...claims, aud: server.url, scope: 'openid profile' },
      header,
      (signer as { key: KeyObject }).key,
    );
    await refuses(forged, (jwt) =>
      send(`${server.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${jwt}` } }),
    );
    for (const [what, token] of Object.entries(forged)) {
      const told = await postTo(server, '/oauth/introspect', { token, ...(await site.proof()) }, caller());
      expect([what, told.json().active ?? told.json().error], told.body).toEqual([
        what,
        expect.toBeOneOf([false, 'unsupported_token_type']),
      ]);
    }
  });

  it('cannot be made with what the server publishes', async () => {
    const { keys } = (await send(`${server.url}/oauth/jwks`)).json<{ keys: Json[] }>();
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(
        Object.keys(key).filter((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(member)),
      ).toEqual([]);
      expect(key.kty).not.toBe('oct');
    }
  });
});
