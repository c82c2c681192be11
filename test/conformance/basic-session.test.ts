/** The modules of oidcc-basic-certification-test-plan (Basic OP) that ask twice, or by a request object. */
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, PASSWORD, startBench } from '../support/conformance.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import type { StandardBrowser } from '../support/standard-browser.js';
import { clientKeyPair } from '../support/standard-site.js';
import { forgetScans } from '../support/story.js';

describe('Basic OP, asked twice', () => {
  let bench: Bench;
  let site: OauthSite;
  beforeAll(async () => {
    bench = await startBench();
    ({ site } = bench);
  });
  afterAll(() => bench?.stop());
  beforeEach(() => forgetScans(bench.server.database));

  /** The second request: nobody is asked. */
  const silently = async (more: Record<string, string>, browser: StandardBrowser) => {
    const request = site.request(more);
    return bench.collect(await browser.open(browser.authorizeUrl(request.query)), request);
  };
  /** The second request: the sign-in page is shown, and the person types the password. */
  const anew = async (more: Record<string, string>, browser: StandardBrowser) => {
    const request = site.request(more);
    const address = browser.authorizeUrl(request.query);
    expect((await browser.open(address)).address).toContain('/interaction/');
    const who = { username: bench.phone.username, password: PASSWORD };
    return bench.collect(await browser.signInByPassword(address, who), request);
  };

  it('oidcc-prompt-login: asks again though somebody is signed in, and auth_time is later', async () => {
    const browser = bench.browser();
    const first = await bench.signIn({}, { browser });
    await bench.age(60);
    const second = await anew({ prompt: 'login' }, browser);
    expect(second.claims.sub).toBe(first.claims.sub);
    // By now the first one is 60 seconds older than its token says.
    expect(Number(second.claims.auth_time)).toBeGreaterThanOrEqual(Number(first.claims.auth_time));
  });

  it('oidcc-prompt-none-not-logged-in: an error that says a page is needed, with state, and no code', async () => {
    const browser = bench.browser();
    const { query } = site.request({ prompt: 'none' });
    const { answer } = await browser.open(browser.authorizeUrl(query));
    expect(answer).toEqual({
      error: expect.stringMatching(/^(login|interaction|consent|account_selection)_required$/),
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
      state: query.state,
      iss: bench.server.url,
    });
  });

  it('oidcc-prompt-none-logged-in: a code at once, the same sub and auth_time', async () => {
    const browser = bench.browser();
    const first = await bench.signIn({}, { browser });
    const second = await silently({ prompt: 'none' }, browser);
    expect(second.claims).toMatchObject({ sub: first.claims.sub, auth_time: first.claims.auth_time });
    expect(second.tokens.id_token).not.toBe(first.tokens.id_token);
  });

  it('oidcc-max-age-1: asks again once the sign-in is older, and auth_time is there and later', async () => {
    const browser = bench.browser();
    const first = await bench.signIn({}, { browser });
    await bench.age(60);
    const second = await anew({ max_age: '1' }, browser);
    expect(second.claims.auth_time).toEqual(expect.any(Number));
    // By now the first one is 60 seconds older than its token says.
    expect(Number(second.claims.auth_time)).toBeGreaterThanOrEqual(Number(first.claims.auth_time));
  });

  it('oidcc-max-age-1: a phone that signed in long ago does not do either', async () => {
    await bench.signIn();
    await bench.age(60);
    const browser = bench.browser();
    const page = await bench.ask({ max_age: '1' }, browser);
    await expect(browser.answerByPhone(page, bench.phone)).rejects.toThrow(/step_up_required/);
    await bench.age(-60);
  });

  it('oidcc-max-age-10000: a sign-in that is younger is enough, with the same auth_time', async () => {
    const browser = bench.browser();
    const first = await bench.signIn({}, { browser });
    const second = await silently({ max_age: '10000' }, browser);
    expect(second.claims).toMatchObject({ sub: first.claims.sub, auth_time: first.claims.auth_time });
  });

  it('oidcc-id-token-hint: with prompt=none a code for the person the token names, the same sub', async () => {
    const browser = bench.browser();
    const first = await bench.signIn({}, { browser });
    const second = await silently({ prompt: 'none', id_token_hint: first.tokens.id_token }, browser);
    expect(second.claims.sub).toBe(first.claims.sub);
  });

  describe('by request object', () => {
    let signing: OauthSite;
    let sign: (claims: Record<string, unknown>) => Promise<string>;
    beforeAll(async () => {
      const { key, clientKeys } = await clientKeyPair('RS256');
      signing = await oauthSite(bench.server.app, bench.server, { clientKeys });
      sign = (claims) =>
        new SignJWT({ iss: signing.clientId, aud: bench.server.url, ...claims })
          .setProtectedHeader({ alg: 'RS256', kid: key.kid })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(key.key);
    });

    it('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported: request_uri_not_supported', async () => {
      const metadata = await bench.metadata();
      expect(metadata.request_uri_parameter_supported).toBe(false);
      const { answer } = await bench.ask({ request_uri: 'https://site.example/request.jwt' });
      expect(answer).toMatchObject({ error: 'request_uri_not_supported' });
    });

    it('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported: is skipped, none is not offered, and refused', async () => {
      const metadata = await bench.metadata();
      expect(metadata.request_parameter_supported).toBe(true);
      expect(metadata.request_object_signing_alg_values_supported).not.toContain('none');
      const { query } = site.request();
      const unsigned = new UnsecuredJWT({ ...query, iss: site.clientId, aud: bench.server.url })
        .setExpirationTime('5m')
        .encode();
      const { answer } = await bench.ask({ request: unsigned });
      expect(answer.error).toMatch(/^(request_not_supported|invalid_request_object)$/);
      expect(answer).not.toHaveProperty('code');
    });

    it('oidcc-ensure-request-object-with-redirect-uri: the one in the object counts, not the one beside it', async () => {
      const browser = bench.browser();
      const { query, verifier } = signing.request();
      const request = await sign(query);
      const { client_id: clientId = '', response_type: type = '', scope = '' } = query;
      const beside = {
        client_id: clientId,
        response_type: type,
        scope,
        redirect_uri: `${REDIRECT_URI}/other`,
        request,
      };
      const arrived = await browser.signInByPhone(browser.authorizeUrl(beside), bench.phone);
      expect(arrived.address.startsWith(`${REDIRECT_URI}?`)).toBe(true);
      await bench.collect(arrived, { query, verifier }, signing);
    });

    it('oidcc-ensure-request-object-with-redirect-uri: of an object with a redirect URI that is not registered, nothing is sent anywhere', async () => {
      const browser = bench.browser();
      const { query } = signing.request();
      const request = await sign({ ...query, redirect_uri: 'https://evil.example/' });
      const arrived = await browser.open(browser.authorizeUrl({ ...query, request }));
      expect(new URL(arrived.address).host).not.toBe('evil.example');
      expect(arrived.answer).not.toHaveProperty('code');
      expect(decodeJwt(request).redirect_uri).toBe('https://evil.example/');
    });
  });
});
