import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { type Phone, signIn } from '../support/phone.js';
import { oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

interface Metadata extends Record<string, unknown> {
  issuer: string;
  scopes_supported: string[];
  claims_supported: string[];
}

describe('the discovery document', () => {
  let server: TestApp;
  let metadata: Metadata;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json<Metadata>();
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  it('promises exactly this', () => {
    const { claims_supported: _, ...rest } = metadata;
    expect(rest).toEqual({
      issuer: server.url,
      authorization_endpoint: `${server.url}/oauth/authorize`,
      token_endpoint: `${server.url}/oauth/token`,
      userinfo_endpoint: `${server.url}/oauth/userinfo`,
      jwks_uri: `${server.url}/oauth/jwks`,
      pushed_authorization_request_endpoint: `${server.url}/oauth/par`,
      authorization_response_iss_parameter_supported: true,
      claim_types_supported: ['normal'],
      claims_parameter_supported: false,
      request_uri_parameter_supported: false,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
      response_modes_supported: ['query'],
      response_types_supported: ['code'],
      subject_types_supported: ['pairwise'],
      scopes_supported: ['openid', 'profile', 'offline_access', 'unionid'],
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256', 'ES256']),
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    });
    expect(metadata.grant_types_supported).toHaveLength(2);
    expect(metadata.id_token_signing_alg_values_supported).toHaveLength(2);
  });

  it('names endpoints that are there, and hides none that is', async () => {
    for (const [name, url] of Object.entries(metadata).filter(([key]) => /_endpoint$|_uri$/.test(key))) {
      const { status } = await send(String(url), { method: /^(jwks_uri|authorization)/.test(name) ? 'GET' : 'POST' });
      expect([404, 405, 500, 501], name).not.toContain(status);
    }
    for (const path of [
      'reg',
      'revocation',
      'token/revocation',
      'introspection',
      'token/introspection',
      'device/auth',
      'device',
      'session/end',
      'backchannel',
      'challenge',
    ]) {
      expect((await send(`${server.url}/oauth/${path}`, { method: 'POST' })).status, path).toBe(404);
    }
    expect((await send(`${server.url}/.well-known/oauth-authorization-server`)).status).toBe(404);
  });

  it('lists signing algorithms for which there is a key, and no private part of one', async () => {
    const { keys } = (await send(String(metadata.jwks_uri))).json<{ keys: Record<string, string>[] }>();
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(
      new Set(metadata.id_token_signing_alg_values_supported as string[]),
    );
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
    }
  });

  it('lists claims that arrive, every one of them', async () => {
    const site = await oauthSite(server.app, server);
    const account = await server.app.accounts.create('test', {
      username: 'everything',
      password: 'a long enough one',
      nickname: 'Every Thing',
      sex: 2,
      city: 'Guangzhou',
      province: 'Guangdong',
      country: 'CN',
      locale: 'zh-CN',
    });
    const full = await signIn(server, account.username, 'a long enough one');
    const { query, verifier } = site.request();
    const { code } = await login(server, full, query);
    const tokens = (await site.exchange(code, verifier)).json<{ access_token: string; id_token: string }>();
    const profile = (await site.userinfo(tokens.access_token)).json();
    const idToken = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] as string, 'base64url').toString());
    const arrived = new Set([...Object.keys(profile), ...Object.keys(idToken)]);
    // The engine lists the session id; it comes once there is a browser session.
    for (const claim of metadata.claims_supported.filter((name) => !['sid'].includes(name))) {
      expect([...arrived], claim).toContain(claim);
    }
  });

  it('lists scopes and response types that work, and no others work', async () => {
    const site = await oauthSite(server.app, server);
    const authorize = async (more: Record<string, string>) => {
      const { headers } = await send(`${server.url}/oauth/authorize?${new URLSearchParams(site.request(more).query)}`);
      const location = String(headers.location);
      return location.startsWith('/interaction/') ? 'begun' : URL.parse(location)?.searchParams.get('error');
    };
    for (const scope of metadata.scopes_supported) expect(await authorize({ scope: `openid ${scope}` })).toBe('begun');
    for (const type of ['token', 'id_token', 'code id_token', 'code token', 'none', 'id_token token']) {
      expect(await authorize({ response_type: type }), type).not.toBe('begun');
    }
    for (const mode of ['fragment', 'form_post', 'web_message', 'jwt', 'query.jwt']) {
      expect(await authorize({ response_mode: mode }), mode).not.toBe('begun');
    }
    expect(await authorize({ response_mode: 'query' })).toBe('begun');
    expect(await authorize({ request_uri: 'https://evil.example/request' })).not.toBe('begun');
    expect(await authorize({ scope: 'openid snsapi_login' })).not.toBe('interaction_required');
  });

  it('lists grant types that work, and no others work', async () => {
    const site = await oauthSite(server.app, server);
    const token = (grantType: string) =>
      send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({
          grant_type: grantType,
          code: 'x',
          refresh_token: 'x',
          redirect_uri: REDIRECT_URI,
        }).toString(),
      });
    for (const grantType of metadata.grant_types_supported as string[]) {
      expect((await token(grantType)).json()).toMatchObject({ error: 'invalid_grant' });
    }
    for (const other of [
      'password',
      'client_credentials',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
    ]) {
      expect((await token(other)).json(), other).toMatchObject({ error: 'unsupported_grant_type' });
    }
  });

  it('is the same whatever a proxy claims the host is', async () => {
    const claims: Record<string, string>[] = [
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a, b', 'x-forwarded-for': '1.2.3.4' },
      { forwarded: 'host=evil.example;proto=https' },
      { 'x-forwarded-prefix': '/evil', 'x-original-url': '/evil' },
    ];
    for (const headers of claims) {
      const answer = await send(`${server.url}/.well-known/openid-configuration`, { headers });
      expect(answer.json()).toEqual(metadata);
    }
    expect(phone.cookie).toMatch(/^__Host-phone=/);
  });
});
