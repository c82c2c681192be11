/** The modules of oidcc-basic-certification-test-plan (Basic OP), each under its name: the request and its variants. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, expectRefusal, expectTokens, type SignedIn, startBench } from '../support/conformance.js';
import { postToken } from '../support/door.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { forgetScans } from '../support/story.js';

describe('Basic OP', () => {
  let bench: Bench;
  let site: OauthSite;
  /** One sign-in that the modules share which only look at it. */
  let usual: SignedIn;
  beforeAll(async () => {
    bench = await startBench();
    ({ site } = bench);
    usual = await bench.signIn({ scope: 'openid profile' });
  });
  afterAll(() => bench?.stop());
  beforeEach(() => forgetScans(bench.server.database));

  const userinfoUrl = () => `${bench.server.url}/oauth/userinfo`;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const bearer = () => ({ authorization: `Bearer ${usual.tokens.access_token}` });
  const expectProfile = (answer: Awaited<ReturnType<typeof send>>) => {
    expect(answer.status, answer.body).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    expect(answer.json()).toMatchObject({ sub: usual.claims.sub, name: '张三😀', updated_at: expect.any(Number) });
  };

  it('oidcc-server: a code by query, and an ID token with signature, iss, aud, exp, iat, sub and nonce', async () => {
    const { claims, tokens } = await bench.signIn({ scope: 'openid' });
    expect(String(tokens.token_type).toLowerCase()).toBe('bearer');
    expect((await site.userinfo(tokens.access_token)).json()).toEqual({ sub: claims.sub });
  });

  it('oidcc-response-type-missing: an error page or invalid_request, never a code', async () => {
    const browser = bench.browser();
    const { response_type: _, ...query } = site.request().query;
    const arrived = await browser.open(browser.authorizeUrl(query));
    expect(arrived.answer).toMatchObject({ error: 'invalid_request', state: query.state, iss: bench.server.url });
    expect(arrived.answer).not.toHaveProperty('code');
  });

  it('oidcc-idtoken-signature: by RS256, with the kid of a published key', async () => {
    const [head = ''] = usual.tokens.id_token.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    expect(header).toEqual({ alg: 'RS256', kid: expect.any(String) });
  });

  it('oidcc-idtoken-unsigned: is skipped, none is not offered', async () => {
    const metadata = await bench.metadata();
    expect(metadata.id_token_signing_alg_values_supported).toContain('RS256');
    expect(metadata.id_token_signing_alg_values_supported).not.toContain('none');
  });

  it('oidcc-userinfo-get', async () => {
    expectProfile(await send(userinfoUrl(), { headers: bearer() }));
  });

  it('oidcc-userinfo-post-header', async () => {
    expectProfile(await send(userinfoUrl(), { method: 'POST', headers: bearer() }));
    expectProfile(await send(userinfoUrl(), { method: 'POST', headers: { ...form, ...bearer() }, body: '' }));
  });

  it('oidcc-userinfo-post-body', async () => {
    const body = new URLSearchParams({ access_token: usual.tokens.access_token }).toString();
    expectProfile(await send(userinfoUrl(), { method: 'POST', headers: form, body }));
  });

  it('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const browser = bench.browser();
    const { query, verifier } = site.request();
    const { nonce: _, ...without } = query;
    const arrived = await browser.signInByPhone(browser.authorizeUrl(without), bench.phone);
    const { claims } = await bench.collect(arrived, { query: without, verifier });
    expect(claims).not.toHaveProperty('nonce');
  });

  it('oidcc-scope-profile: its claims come from userinfo, not in the ID token', async () => {
    expect((await site.userinfo(usual.tokens.access_token)).json()).toEqual({
      sub: usual.claims.sub,
      name: '张三😀',
      nickname: '张三😀',
      picture: expect.stringMatching(/^http/),
      updated_at: expect.any(Number),
    });
    for (const claim of ['name', 'nickname', 'picture']) expect(usual.claims).not.toHaveProperty(claim);
  });

  it.each(['email', 'address', 'phone', 'email address phone'])(
    'oidcc-scope-%s: is skipped, the scope is not offered; asked all the same it is left out, and the sign-in succeeds',
    async (scope) => {
      for (const one of scope.split(' ')) expect((await bench.metadata()).scopes_supported).not.toContain(one);
      const { tokens, claims } = await bench.signIn({ scope: `openid ${scope}` });
      expect(tokens.scope).toBe('openid');
      expect((await site.userinfo(tokens.access_token)).json()).toEqual({ sub: claims.sub });
    },
  );

  it('oidcc-scope-all: what is offered is given, the rest left out', async () => {
    const { tokens } = await bench.signIn({ scope: 'openid profile email address phone' });
    expect(tokens.scope).toBe('openid profile');
  });

  it('oidcc-ensure-other-scope-order-succeeds', async () => {
    const { tokens, claims } = await bench.signIn({ scope: 'profile openid' });
    expect((await site.userinfo(tokens.access_token)).json()).toMatchObject({ sub: claims.sub, nickname: '张三😀' });
  });

  it.each([
    ['oidcc-display-page', { display: 'page' }],
    ['oidcc-display-popup', { display: 'popup' }],
    ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
    ['oidcc-login-hint', { login_hint: 'buffy@localhost' }],
    ['oidcc-ui-locales', { ui_locales: 'se' }],
    ['oidcc-claims-locales', { claims_locales: 'se' }],
    ['oidcc-ensure-request-with-acr-values-succeeds', { acr_values: '1 2' }],
    ['oidcc-claims-essential', { claims: '{"userinfo":{"name":{"essential":true}}}' }],
    ['oidcc-max-age-10000', { max_age: '10000' }],
  ] as const)('%s: is no reason to refuse', async (_module, more) => {
    const { claims } = await bench.signIn(more);
    expect(claims.auth_time).toEqual('max_age' in more ? expect.any(Number) : claims.auth_time);
  });

  it('oidcc-ensure-registered-redirect-uri: an error page, and nobody is sent to the address that is not registered', async () => {
    for (const redirectUri of [`${REDIRECT_URI}/other`, `${REDIRECT_URI}?foo=bar`, 'https://evil.example/callback']) {
      const arrived = await bench.ask({ redirect_uri: redirectUri });
      expect([arrived.status, arrived.answer], redirectUri).toEqual([400, {}]);
      expect(new URL(arrived.address).origin).toBe(bench.server.url);
      expect(arrived.headers['content-type']).toMatch(/^text\/html\b/);
    }
  });

  it('oidcc-ensure-post-request-succeeds: the authorization request as a form from another site', async () => {
    const browser = bench.browser();
    const request = site.request();
    const endpoint = `${bench.server.url}/oauth/authorize`;
    const posted = await browser.postForm(endpoint, request.query, { origin: 'http://127.0.0.1:9' });
    expect(posted.status).toBe(303);
    const page = await browser.open(new URL(String(posted.headers.location), endpoint).href);
    await bench.collect(await browser.answerByPhone(page, bench.phone), request);
  });

  it('oidcc-server-client-secret-post: the secret in the body, for a client registered so', async () => {
    const { client, secret } = await bench.server.app.clients.register('test', {
      name: 'Post office',
      redirectUris: [REDIRECT_URI],
      authMethod: 'client_secret_post',
    });
    const post: OauthSite = {
      ...(await oauthSite(bench.server.app, bench.server)),
      clientId: client.id,
      request: (more) => site.request({ ...more, client_id: client.id }),
      exchange: (code, verifier) =>
        send(`${bench.server.url}/oauth/token`, {
          method: 'POST',
          headers: form,
          body: new URLSearchParams({
            grant_type: 'authorization_code',
            code,
            redirect_uri: REDIRECT_URI,
            code_verifier: verifier,
            client_id: client.id,
            client_secret: String(secret),
          }).toString(),
        }),
    };
    await bench.signIn({}, { site: post });
  });

  it('oidcc-codereuse: a second exchange is invalid_grant', async () => {
    const { code, verifier } = await bench.signIn();
    expectRefusal(await site.exchange(code, verifier), 'invalid_grant');
  });

  it('oidcc-codereuse-30seconds: late as well, and the tokens of the first are over', async () => {
    const { code, verifier, tokens } = await bench.signIn({ scope: 'openid profile offline_access' });
    expect((await site.userinfo(tokens.access_token)).status).toBe(200);
    await bench.server.database.sql(
      "UPDATE engine_record SET consumed_at = consumed_at - interval '30 seconds' WHERE consumed_at IS NOT NULL",
    );
    expectRefusal(await site.exchange(code, verifier), 'invalid_grant');
    expect((await site.userinfo(tokens.access_token)).status).toBe(401);
    expectRefusal(await site.refresh(String(tokens.refresh_token)), 'invalid_grant');
  });

  it('oidcc-refresh-token: new tokens for the same person, and none for another client', async () => {
    const { tokens, claims } = await bench.signIn({ scope: 'openid profile offline_access', prompt: 'consent' });
    expect(tokens.refresh_token).toMatch(/^[\x20-\x7e]{43,}$/);
    const other = await oauthSite(bench.server.app, bench.server);
    expectRefusal(await other.refresh(String(tokens.refresh_token)), 'invalid_grant');
    const refreshed = expectTokens(await site.refresh(String(tokens.refresh_token)));
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    const { iss, sub, aud, auth_time: authTime } = claims;
    expect(decodeJwt(refreshed.id_token)).toMatchObject({ iss, sub, aud });
    expect([authTime, undefined]).toContain(decodeJwt(refreshed.id_token).auth_time);
    expect((await site.userinfo(refreshed.access_token)).json()).toMatchObject({ sub });
  });

  it('oidcc-ensure-request-with-valid-pkce-succeeds: with S256, and not with another verifier', async () => {
    expect((await bench.metadata()).code_challenge_methods_supported).toEqual(['S256']);
    const browser = bench.browser();
    const { query, verifier } = site.request();
    const { answer } = await browser.signInByPhone(browser.authorizeUrl(query), bench.phone);
    expectRefusal(await site.exchange(String(answer.code), verifier.toUpperCase()), 'invalid_grant');
    expectTokens(await site.exchange(String(answer.code), verifier));
  });

  it('oidcc-basic-certification-test-plan: other modules send no challenge; a client may be exempt, with a nonce or a long state (T42)', async () => {
    const bare = (of: OauthSite, more: Record<string, string> = {}) => {
      const { code_challenge: _, code_challenge_method: __, ...query } = of.request(more).query;
      return query;
    };
    const ask = async (query: Record<string, string>) => {
      const browser = bench.browser();
      return browser.signInByPhone(browser.authorizeUrl(query), bench.phone);
    };
    const refused = bench.browser();
    expect((await refused.open(refused.authorizeUrl(bare(site)))).answer.error).toBe('invalid_request');
    const exempt = await oauthSite(bench.server.app, bench.server, { pkceOptional: true });
    const { nonce: _, ...noNonce } = bare(exempt);
    for (const query of [
      { ...bare(exempt), state: 'short' },
      { ...noNonce, state: 'a'.repeat(16) },
    ]) {
      const { answer } = await ask(query);
      const tokens = await postToken(bench.server, exempt, { code: String(answer.code) });
      expect(tokens.status, tokens.body).toBe(200);
    }
    const short = bench.browser();
    expect((await short.open(short.authorizeUrl({ ...noNonce, state: 'a'.repeat(15) }))).answer.error).toBe(
      'invalid_request',
    );
  });
});
