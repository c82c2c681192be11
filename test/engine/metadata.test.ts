import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewClient } from '../../src/client/registration.js';
import { send } from '../support/http.js';
import { type Phone, signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const PASSWORD = 'a long enough one';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

describe('the discovery document', () => {
  let server: TestApp;
  let site: OauthSite;
  let metadata: Record<string, unknown>;
  let phone: Phone & { username: string };
  beforeAll(async () => {
    server = await startApp();
    metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    phone = await person(server.app, server);
    site = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const list = (name: string) => metadata[name] as string[];
  const sorted = (values: unknown) => [...(values as string[])].sort();
  /** `begun`, or the error that the site or the page tells. */
  const authorize = async (more: Record<string, string>) => {
    const query = new URLSearchParams(site.request(more).query);
    const { headers, status } = await send(`${server.url}/oauth/authorize?${query}`);
    const location = String(headers.location ?? '');
    return location.startsWith('/interaction/')
      ? 'begun'
      : (URL.parse(location)?.searchParams.get('error') ?? `page ${status}`);
  };
  const register = (settings: object) =>
    server.app.clients.register('test', {
      name: 'Kiosk',
      redirectUris: [REDIRECT_URI],
      ...settings,
    } as NewClient);

  it('promises exactly this', () => {
    const lists = Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, Array.isArray(value) ? sorted(value) : value]),
    );
    expect(lists).toEqual({
      issuer: server.url,
      authorization_endpoint: `${server.url}/oauth/authorize`,
      token_endpoint: `${server.url}/oauth/token`,
      userinfo_endpoint: `${server.url}/oauth/userinfo`,
      jwks_uri: `${server.url}/oauth/jwks`,
      pushed_authorization_request_endpoint: `${server.url}/oauth/par`,
      introspection_endpoint: `${server.url}/oauth/introspect`,
      revocation_endpoint: `${server.url}/oauth/revoke`,
      device_authorization_endpoint: `${server.url}/oauth/device`,
      end_session_endpoint: `${server.url}/oauth/logout`,
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
      claim_types_supported: ['normal'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: sorted(['authorization_code', 'refresh_token', DEVICE_GRANT]),
      response_types_supported: ['code'],
      response_modes_supported: sorted(['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt']),
      prompt_values_supported: sorted(['none', 'login', 'consent', 'select_account']),
      subject_types_supported: ['pairwise'],
      scopes_supported: sorted(['openid', 'profile', 'offline_access', 'unionid']),
      acr_values_supported: ['urn:qrconnect:acr:password', 'urn:qrconnect:acr:phone'],
      ui_locales_supported: ['en', 'zh-CN'],
      token_endpoint_auth_methods_supported: sorted([
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
        'none',
      ]),
      id_token_signing_alg_values_supported: sorted(ALGORITHMS),
      authorization_signing_alg_values_supported: sorted(ALGORITHMS),
      request_object_signing_alg_values_supported: sorted([...ALGORITHMS, 'Ed25519']),
      token_endpoint_auth_signing_alg_values_supported: sorted([...ALGORITHMS, 'Ed25519']),
      dpop_signing_alg_values_supported: sorted(['PS256', 'ES256', 'EdDSA', 'Ed25519']),
      claims_supported: sorted([
        ...['sub', 'sid', 'iss', 'acr', 'amr', 'auth_time', 'unionid'],
        ...['name', 'nickname', 'picture', 'gender', 'locale', 'address', 'updated_at'],
      ]),
    });
  });

  it('promises tokens bound to certificates where a proxy hands those on, and nowhere else (RFC 8705 3.3)', async () => {
    const behind = await startApp({ CLIENT_CERTIFICATE_HEADER: 'x-client-cert', TRUSTED_PROXIES: '127.0.0.1' });
    try {
      const document = (await send(`${behind.url}/.well-known/openid-configuration`)).json();
      expect(Object.keys(document).filter((name) => !(name in metadata))).toEqual([
        'tls_client_certificate_bound_access_tokens',
      ]);
      expect(document.tls_client_certificate_bound_access_tokens).toBe(true);
    } finally {
      await behind.stop();
    }
  });

  it('is the same where RFC 8414 looks for it', async () => {
    const answer = await send(`${server.url}/.well-known/oauth-authorization-server`);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(answer.json()).toEqual(metadata);
  });

  it('names endpoints that are there, and hides none that is', async () => {
    const byGet = /^(jwks_uri|authorization_endpoint|end_session_endpoint)$/;
    const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
    for (const [name, url] of addresses) {
      const { status } = await send(String(url), { method: byGet.test(name) ? 'GET' : 'POST' });
      expect([404, 405, 500, 501], name).not.toContain(status);
    }
    for (const path of [
      'reg',
      'register',
      'revocation',
      'token/revocation',
      'introspection',
      'token/introspection',
      'device/auth',
      'session/end',
      'backchannel',
      'ciba',
      'challenge',
      'credential',
      'me',
    ]) {
      for (const method of ['GET', 'POST']) {
        expect((await send(`${server.url}/oauth/${path}`, { method })).status, path).toBe(404);
      }
    }
    for (const other of ['openid-credential-issuer', 'webfinger', 'oauth-protected-resource']) {
      expect((await send(`${server.url}/.well-known/${other}`)).status, other).toBe(404);
    }
  });

  it('lists signing algorithms for which there is a key, and no private part of one', async () => {
    const { keys } = (await send(String(metadata.jwks_uri))).json<{ keys: Record<string, string>[] }>();
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(new Set(list('id_token_signing_alg_values_supported')));
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
    }
    for (const alg of list('id_token_signing_alg_values_supported')) await register({ idTokenAlg: alg });
    for (const alg of ['none', 'HS256', 'RS512', 'ES384']) {
      await expect(register({ idTokenAlg: alg }), alg).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('lists claims that arrive, every one of them, and the ways people sign in as acr', async () => {
    const browser = new StandardBrowser(server);
    const backchannelLogoutUri = 'http://127.0.0.1:9/backchannel';
    const full = await oauthSite(server.app, server, { backchannelLogoutUri });
    const account = await server.app.accounts.create('test', {
      username: 'everything',
      password: PASSWORD,
      nickname: 'Every Thing',
      sex: 2,
      city: 'Guangzhou',
      province: 'Guangdong',
      country: 'CN',
      locale: 'zh-CN',
    });
    const owner = await signIn(server, account.username, PASSWORD);
    const arrived = new Set<string>();
    const acrs = new Set<unknown>();
    for (const way of ['phone', 'password']) {
      const { query, verifier } = full.request({ max_age: '10000', prompt: 'login' });
      const address = browser.authorizeUrl(query);
      const { answer } = await (way === 'phone'
        ? browser.signInByPhone(address, owner, { remember: true })
        : browser.signInByPassword(address, { username: account.username, password: PASSWORD }));
      const tokens = (await full.exchange(String(answer.code), verifier)).json<Record<string, string>>();
      const claims = decodeJwt(String(tokens.id_token));
      const profile = (await full.userinfo(String(tokens.access_token))).json();
      for (const name of [...Object.keys(claims), ...Object.keys(profile)]) arrived.add(name);
      acrs.add(claims.acr);
    }
    expect(acrs).toEqual(new Set(list('acr_values_supported')));
    for (const claim of list('claims_supported')) expect([...arrived], claim).toContain(claim);
    // What only binds a token to its request is not claimed of anybody.
    const tokenOnly = ['aud', 'exp', 'iat', 'nonce', 'at_hash'];
    expect(sorted([...arrived].filter((name) => !tokenOnly.includes(name)))).toEqual(sorted(list('claims_supported')));
  });

  it('lists scopes, response types and modes that work, and no others work', async () => {
    for (const scope of list('scopes_supported')) expect(await authorize({ scope: `openid ${scope}` })).toBe('begun');
    expect(await authorize({ scope: 'openid snsapi_login' })).not.toBe('begun');
    for (const type of ['token', 'id_token', 'code id_token', 'code token', 'none', 'id_token token']) {
      expect(await authorize({ response_type: type }), type).toBe('page 400');
    }
    for (const mode of list('response_modes_supported')) {
      expect(await authorize({ response_mode: mode }), mode).toBe('begun');
    }
    for (const mode of ['fragment', 'fragment.jwt', 'web_message', 'web_message.jwt', 'dc_api']) {
      expect(await authorize({ response_mode: mode }), mode).toBe('page 400');
    }
    expect(await authorize({ request_uri: 'https://evil.example/request' })).toBe('request_uri_not_supported');
  });

  it('lists prompts and languages that work, and no others work', async () => {
    for (const prompt of list('prompt_values_supported')) {
      expect(await authorize({ prompt }), prompt).toBe(prompt === 'none' ? 'login_required' : 'begun');
    }
    expect(await authorize({ prompt: 'create' })).toBe('invalid_request');
    for (const tag of list('ui_locales_supported')) {
      const browser = new StandardBrowser(server);
      const page = await browser.open(browser.authorizeUrl(site.request({ ui_locales: tag }).query));
      expect(page.body, tag).toMatch(new RegExp(`<html[^>]* lang="${tag}"`));
    }
  });

  it('lists grant types that work, and no others work', async () => {
    const token = (grantType: string) =>
      send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${device.clientId}:${device.secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({
          grant_type: grantType,
          code: 'x',
          refresh_token: 'x',
          device_code: 'x',
          redirect_uri: REDIRECT_URI,
        }).toString(),
      });
    const device = await oauthSite(server.app, server, { deviceFlow: true });
    for (const grantType of list('grant_types_supported')) {
      expect((await token(grantType)).json(), grantType).toMatchObject({ error: 'invalid_grant' });
    }
    for (const other of [
      'password',
      'client_credentials',
      'implicit',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:openid:params:grant-type:ciba',
    ]) {
      expect((await token(other)).json(), other).toMatchObject({ error: 'unsupported_grant_type' });
    }
  });

  it('lists ways to authenticate that a client may be registered for, and no others', async () => {
    const clientKeys = {
      keys: [
        {
          kty: 'OKP',
          crv: 'Ed25519',
          x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
        },
      ],
    };
    for (const authMethod of list('token_endpoint_auth_methods_supported')) await register({ authMethod, clientKeys });
    for (const authMethod of ['client_secret_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']) {
      await expect(register({ authMethod, clientKeys }), authMethod).rejects.toMatchObject({ code: 'invalid_request' });
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
      for (const name of ['openid-configuration', 'oauth-authorization-server']) {
        const answer = await send(`${server.url}/.well-known/${name}`, { headers });
        expect(answer.json()).toEqual(metadata);
      }
    }
    expect(phone.cookie).toMatch(/^__Host-phone=/);
  });
});
