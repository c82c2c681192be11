/** oidcc-config-certification-test-plan (Config OP): the module oidcc-discovery-endpoint-verification, check by check. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { startApp, type TestApp } from '../support/start-app.js';

const MODULE = 'oidcc-discovery-endpoint-verification';

describe(`Config OP, ${MODULE}`, () => {
  let server: TestApp;
  let answer: RawAnswer;
  let metadata: Record<string, unknown>;
  beforeAll(async () => {
    server = await startApp();
    answer = await send(`${server.url}/.well-known/openid-configuration`);
    metadata = answer.json();
  });
  afterAll(() => server?.stop());

  const list = (name: string) => metadata[name] as string[];

  it('the document is JSON, with status 200', () => {
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  });

  it('the issuer is a URL without query and fragment, and the one whose document this is', () => {
    const issuer = new URL(String(metadata.issuer));
    expect([issuer.search, issuer.hash]).toEqual(['', '']);
    expect(`${metadata.issuer}/.well-known/openid-configuration`).toBe(
      `${server.url}/.well-known/openid-configuration`,
    );
  });

  it('response types, subject types, grant types and scopes are those of a Basic OP', () => {
    expect(list('response_types_supported')).toContain('code');
    expect(list('subject_types_supported').every((type) => ['public', 'pairwise'].includes(type))).toBe(true);
    expect(list('subject_types_supported')).not.toHaveLength(0);
    expect(list('grant_types_supported')).toContain('authorization_code');
    expect(list('scopes_supported')).toContain('openid');
    for (const scope of list('scopes_supported')) expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(list('claims_supported')).toEqual(expect.arrayContaining(['sub', 'name']));
  });

  it('ID tokens can be had with RS256', () => {
    expect(list('id_token_signing_alg_values_supported')).toContain('RS256');
    expect(list('request_object_signing_alg_values_supported')).toContain('RS256');
  });

  it('the endpoints a relying party needs are there, all of them on the issuer', () => {
    for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
      expect(metadata).toHaveProperty(name);
    }
    // Over https wherever the issuer is; http is for localhost alone.
    const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
    for (const [name, url] of addresses) expect(String(url).startsWith(`${server.url}/`), name).toBe(true);
    expect(metadata).not.toHaveProperty('registration_endpoint');
  });

  it('what is said of request, request_uri and claims parameters is a boolean, in so many words', () => {
    const names = ['request_parameter_supported', 'request_uri_parameter_supported', 'claims_parameter_supported'];
    expect(names.map((name) => metadata[name])).toEqual([true, false, false]);
  });

  it('languages are BCP 47 tags in their usual case, challenge methods a list', () => {
    for (const tag of list('ui_locales_supported')) expect(Intl.getCanonicalLocales(tag)).toEqual([tag]);
    expect(list('code_challenge_methods_supported')).toEqual(['S256']);
  });

  it('the keys are valid, each with a kid of its own, and public', async () => {
    const published = await send(String(metadata.jwks_uri));
    expect([published.status, String(published.headers['content-type'])]).toEqual([
      200,
      expect.stringMatching(/^application\/(json|jwk-set\+json)\b/),
    ]);
    const { keys } = published.json<{ keys: Record<string, string>[] }>();
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({ kty: expect.stringMatching(/^(RSA|EC|OKP)$/), kid: expect.any(String), use: 'sig' });
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
      if (key.kty === 'RSA') expect(Buffer.from(String(key.n), 'base64url').length).toBeGreaterThanOrEqual(256);
    }
  });
});

describe(`Config OP of a server with an https address, ${MODULE}`, () => {
  it('every endpoint is https', async () => {
    const server = await startApp({ PUBLIC_URL: 'https://id.example.com', DEMO: 'off' });
    try {
      const url = `http://127.0.0.1:${server.config.port}/.well-known/openid-configuration`;
      const answer = await send(url, { headers: { host: 'id.example.com' } });
      expect(answer.status, answer.body).toBe(200);
      const metadata = answer.json();
      expect(metadata.issuer).toBe('https://id.example.com');
      const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
      expect(addresses.length).toBeGreaterThan(5);
      for (const [name, address] of addresses) expect(String(address), name).toMatch(/^https:\/\/id\.example\.com\//);
    } finally {
      await server.stop();
    }
  });
});
