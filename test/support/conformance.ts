/** What the plans of the conformance suite use: a person in a browser, ID tokens checked whole, time moved back. */
import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { expect } from 'vitest';
import { type RawAnswer, send } from './http.js';
import type { Phone } from './phone.js';
import { type OauthSite, oauthSite } from './relying-party.js';
import { type Arrival, StandardBrowser, type Ways } from './standard-browser.js';
import { startApp, type TestApp } from './start-app.js';
import { forgetScans, person } from './story.js';

export const PASSWORD = 'a long enough one';

export interface Tokens extends Record<string, unknown> {
  access_token: string;
  id_token: string;
  refresh_token?: string;
}

export interface SignedIn {
  readonly arrived: Arrival;
  readonly query: Record<string, string>;
  readonly verifier: string;
  readonly code: string;
  readonly tokens: Tokens;
  readonly claims: JWTPayload;
}

/** One server, one site, one person with a phone. */
export interface Bench {
  readonly server: TestApp;
  readonly site: OauthSite;
  readonly phone: Phone & { accountId: string; username: string };
  browser(): StandardBrowser;
  metadata(): Promise<Record<string, unknown>>;
  /** From the request to checked tokens. The browser stays signed in: the modules that ask twice need it. */
  signIn(
    more?: Record<string, string>,
    how?: Ways & { browser?: StandardBrowser; site?: OauthSite },
  ): Promise<SignedIn>;
  /** Trades the code of an answer, and checks the ID token as every module does. */
  collect(
    arrived: Arrival,
    request: { query: Record<string, string>; verifier: string },
    site?: OauthSite,
  ): Promise<SignedIn>;
  /** Where a request leads without anybody's help. */
  ask(more: Record<string, string>, browser?: StandardBrowser, site?: OauthSite): Promise<Arrival>;
  /** As if everybody had signed in this much earlier. */
  age(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const server = await startApp();
  const phone = await person(server.app, server);
  const site = await oauthSite(server.app, server);
  const keys = (await send(`${server.url}/oauth/jwks`)).json<JSONWebKeySet>();
  const browser = () => new StandardBrowser(server);
  const collect: Bench['collect'] = async (arrived, { query, verifier }, by = site) => {
    expect(arrived.answer).toEqual({
      code: expect.stringMatching(/^[\w-]{43,}$/),
      iss: server.url,
      ...(query.state === undefined ? {} : { state: query.state }),
    });
    const code = String(arrived.answer.code);
    const answer = await by.exchange(code, verifier);
    const tokens = expectTokens(answer);
    const claims = await checkIdToken(tokens, { keys, issuer: server.url, clientId: by.clientId, nonce: query.nonce });
    return { arrived, query, verifier, code, tokens, claims };
  };
  return {
    server,
    site,
    phone,
    browser,
    collect,
    metadata: async () => (await send(`${server.url}/.well-known/openid-configuration`)).json(),
    async signIn(more = {}, { browser: given = browser(), site: by = site, ...ways } = {}) {
      await forgetScans(server.database);
      const request = by.request(more);
      const address = given.authorizeUrl(request.query);
      return collect(await given.signInByPhone(address, phone, { remember: true, ...ways }), request, by);
    },
    ask: (more, given = browser(), by = site) => given.open(given.authorizeUrl(by.request(more).query)),
    async age(seconds) {
      const back = 'auth_time = auth_time - make_interval(secs => $1)';
      await server.database.sql(`UPDATE phone_session SET ${back}`, [seconds]);
      await server.database.sql(
        `UPDATE engine_record SET payload = payload || jsonb_build_object('loginTs', (payload->>'loginTs')::int - $1::int)
         WHERE kind = 'Session' AND payload ? 'loginTs'`,
        [seconds],
      );
    },
    stop: () => server.stop(),
  };
}

/** A token answer as RFC 6749 5.1 wants it. */
export function expectTokens(answer: RawAnswer): Tokens {
  expect(answer.status, answer.body).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  expect(answer.headers['cache-control']).toBe('no-store');
  const tokens = answer.json<Tokens>();
  expect(tokens).toMatchObject({ access_token: expect.stringMatching(/^[\w-]{43,}$/), expires_in: expect.any(Number) });
  return tokens;
}

/** An error answer of the token endpoint as RFC 6749 5.2 wants it. */
export function expectRefusal(answer: RawAnswer, error: string | readonly string[], status: 400 | 401 = 400): void {
  expect(answer.status, answer.body).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  const body = answer.json<{ error: string; error_description?: string }>();
  expect([error].flat(), answer.body).toContain(body.error);
  expect(body.error_description ?? '').toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
}

/** The checks of Core 3.1.3.7, and what the suite asks beyond them. */
export async function checkIdToken(
  { id_token: idToken, access_token: accessToken }: Tokens,
  expected: { keys: JSONWebKeySet; issuer: string; clientId: string; nonce?: string; algorithms?: string[] },
): Promise<JWTPayload> {
  const { keys, issuer, clientId, nonce, algorithms = ['RS256'] } = expected;
  const { kid } = decodeProtectedHeader(idToken);
  expect(keys.keys.filter((key) => key.kid === kid)).toHaveLength(1);
  const { payload } = await jwtVerify(idToken, createLocalJWKSet(keys), { issuer, algorithms });
  expect(payload).toMatchObject({ aud: clientId, exp: expect.any(Number), iat: expect.any(Number) });
  expect(payload.sub).toMatch(/^[\x21-\x7e]{1,255}$/);
  expect(payload.nonce).toBe(nonce);
  if (payload.at_hash !== undefined) expect(payload.at_hash).toBe(halfHash(accessToken));
  // With a code, the person's data is for userinfo (Core 5.4).
  expect(payload).not.toHaveProperty('name');
  return payload;
}

/** Core 3.1.3.6, for algorithms with SHA-256. */
function halfHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
}
