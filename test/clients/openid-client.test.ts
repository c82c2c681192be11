/** openid-client 6.8.9, unmodified: requests of every kind, and the answers it checks. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discover, newRequest, signIn } from '../support/openid-client.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { clientKeyPair, type StandardHouse, startStandardHouse } from '../support/standard-site.js';

describe('openid-client', () => {
  let house: StandardHouse;
  let config: client.Configuration;
  beforeAll(async () => {
    house = await startStandardHouse();
    config = await discover(house);
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  it('discovers the server by either document', async () => {
    const metadata = config.serverMetadata();
    expect(metadata.issuer).toBe(house.server.url);
    expect(metadata.supportsPKCE()).toBe(true);
    const oauth2 = await client.discovery(house.issuer, 'anybody', undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });
    expect({ ...oauth2.serverMetadata() }).toEqual({ ...metadata });
  });

  it('signs in with code, PKCE, state, nonce and iss, and reads the profile', async () => {
    const tokens = await signIn(house, config);
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'openid profile' });
    expect(tokens.expiresIn()).toBeGreaterThan(890);
    const claims = tokens.claims() as client.IDToken;
    expect(claims).toMatchObject({ iss: house.server.url, aud: config.clientMetadata().client_id, amr: ['pwd', 'qr'] });
    const profile = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    expect(profile).toMatchObject({ sub: claims.sub, nickname: '张三😀' });
    await expect(client.fetchUserInfo(config, tokens.access_token, 'somebody else')).rejects.toMatchObject({
      code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
    });
  });

  it('refuses an answer with the iss, state or nonce of another one', async () => {
    const { parameters, checks } = await newRequest();
    const back = await house.visit(client.buildAuthorizationUrl(config, parameters));
    const changed = (name: string, value?: string) => {
      const url = new URL(back);
      url.searchParams.delete(name);
      if (value) url.searchParams.set(name, value);
      return client.authorizationCodeGrant(config, url, checks);
    };
    for (const iss of ['https://other.example', undefined])
      await expect(changed('iss', iss)).rejects.toMatchObject({ code: 'OAUTH_INVALID_RESPONSE' });
    await expect(changed('state', 'other')).rejects.toMatchObject({ code: 'OAUTH_INVALID_RESPONSE' });
    await expect(
      client.authorizationCodeGrant(config, back, { ...checks, expectedNonce: 'other' }),
    ).rejects.toMatchObject({ code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' });
  });

  it('hears invalid_grant with the verifier of another sign-in', async () => {
    const { parameters, checks } = await newRequest();
    const back = await house.visit(client.buildAuthorizationUrl(config, parameters));
    const other = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
    await expect(client.authorizationCodeGrant(config, back, other)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('hears access_denied, with iss and state, when the person declines', async () => {
    const { parameters, checks } = await newRequest();
    const back = await house.visit(client.buildAuthorizationUrl(config, parameters), { deny: true });
    await expect(client.authorizationCodeGrant(config, back, checks)).rejects.toMatchObject({
      name: 'AuthorizationResponseError',
      error: 'access_denied',
    });
    expect(back.searchParams.get('iss')).toBe(house.server.url);
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('checks an ID token signed with %s', async (idTokenAlg) => {
    const metadata = { id_token_signed_response_alg: idTokenAlg };
    const site = await discover(house, { idTokenAlg }, { metadata });
    expect((await signIn(house, site)).claims()?.sub).toBeTypeOf('string');
    const other = { id_token_signed_response_alg: idTokenAlg === 'ES256' ? 'RS256' : 'ES256' };
    const { clientId, secret } = await house.register({ idTokenAlg });
    const strict = new client.Configuration(site.serverMetadata(), clientId, other, client.ClientSecretBasic(secret));
    client.allowInsecureRequests(strict);
    await expect(signIn(house, strict)).rejects.toMatchObject({ code: 'OAUTH_INVALID_RESPONSE' });
  });

  it('authenticates with client_secret_post, its default, and as a public client', async () => {
    const post = await discover(house, { authMethod: 'client_secret_post' }, { auth: client.ClientSecretPost });
    expect((await signIn(house, post)).access_token).toBeTypeOf('string');
    const open = await discover(house, { authMethod: 'none' }, { auth: client.None });
    expect((await signIn(house, open)).access_token).toBeTypeOf('string');
  });

  it.each(['RS256', 'PS256', 'ES256', 'Ed25519'])('authenticates with private_key_jwt signed with %s', async (alg) => {
    const { key, clientKeys } = await clientKeyPair(alg);
    const auth = () => client.PrivateKeyJwt(key);
    const site = await discover(house, { authMethod: 'private_key_jwt', clientKeys }, { auth });
    expect((await signIn(house, site)).access_token).toBeTypeOf('string');
    const stranger = client.PrivateKeyJwt((await clientKeyPair(alg)).key);
    const { client_id: id } = site.clientMetadata();
    const wrong = new client.Configuration(site.serverMetadata(), id, {}, stranger);
    client.allowInsecureRequests(wrong);
    await expect(signIn(house, wrong)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('takes the answer as a posted form', async () => {
    const { parameters, checks } = await newRequest({ response_mode: 'form_post' });
    const posted = await house.visitAndPost(client.buildAuthorizationUrl(config, parameters));
    expect(posted.url).toBe(REDIRECT_URI);
    const tokens = await client.authorizationCodeGrant(config, posted, checks);
    expect(tokens.claims()?.nonce).toBe(checks.expectedNonce);
  });

  it('pushes its request (PAR), also as a client that must', async () => {
    const must = await discover(house, { requirePar: true });
    for (const site of [config, must]) {
      const { parameters, checks } = await newRequest();
      const address = await client.buildAuthorizationUrlWithPAR(site, parameters);
      expect([...address.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
      const tokens = await client.authorizationCodeGrant(site, await house.visit(address), checks);
      expect(tokens.claims()?.nonce).toBe(checks.expectedNonce);
    }
    const { parameters, checks } = await newRequest();
    const refused = await house.pass(client.buildAuthorizationUrl(must, parameters), house.browser());
    await expect(client.authorizationCodeGrant(must, refused, checks)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'Ed25519'])(
    'signs its request with %s (JAR), in the address and pushed',
    async (alg) => {
      const { key, clientKeys } = await clientKeyPair(alg);
      const site = await discover(house, { clientKeys, requireSignedRequest: true });
      const { parameters, checks } = await newRequest({ max_age: '3600', response_mode: 'query' });
      const signed = await client.buildAuthorizationUrlWithJAR(site, parameters, key);
      expect([...signed.searchParams.keys()].sort()).toEqual(['client_id', 'request']);
      const direct = await client.authorizationCodeGrant(site, await house.visit(signed), { ...checks, maxAge: 3600 });
      expect(direct.claims()?.nonce).toBe(checks.expectedNonce);

      const next = await newRequest();
      const { searchParams } = await client.buildAuthorizationUrlWithJAR(site, next.parameters, key);
      const pushed = await client.buildAuthorizationUrlWithPAR(site, {
        request: searchParams.get('request') as string,
      });
      const tokens = await client.authorizationCodeGrant(site, await house.visit(pushed), next.checks);
      expect(tokens.claims()?.nonce).toBe(next.checks.expectedNonce);
    },
  );

  it('as a client that must sign its requests hears it when it does not', async () => {
    const { clientKeys } = await clientKeyPair('ES256');
    const site = await discover(house, { clientKeys, requireSignedRequest: true });
    const { parameters } = await newRequest();
    await expect(client.buildAuthorizationUrlWithPAR(site, parameters)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'checks a signed answer (JARM, jwt) with %s',
    async (idTokenAlg) => {
      const metadata = { id_token_signed_response_alg: idTokenAlg, authorization_signed_response_alg: idTokenAlg };
      const site = await discover(house, { idTokenAlg }, { metadata });
      client.useJwtResponseMode(site);
      const { parameters, checks } = await newRequest();
      const back = await house.visit(client.buildAuthorizationUrl(site, parameters));
      expect([...back.searchParams.keys()]).toEqual(['response']);
      const tokens = await client.authorizationCodeGrant(site, back, checks);
      expect(tokens.claims()?.nonce).toBe(checks.expectedNonce);
    },
  );

  it('checks a signed answer in the query and as a posted form (JARM, query.jwt and form_post.jwt)', async () => {
    const site = await discover(house);
    client.useJwtResponseMode(site);
    // The library writes response_mode=jwt; a site that wants another one writes it into the address.
    const { parameters, checks } = await newRequest();
    const query = client.buildAuthorizationUrl(site, parameters);
    query.searchParams.set('response_mode', 'query.jwt');
    const tokens = await client.authorizationCodeGrant(site, await house.visit(query), checks);
    expect(tokens.claims()?.nonce).toBe(checks.expectedNonce);

    const next = await newRequest();
    const form = client.buildAuthorizationUrl(site, next.parameters);
    form.searchParams.set('response_mode', 'form_post.jwt');
    const posted = await house.visitAndPost(form);
    expect((await client.authorizationCodeGrant(site, posted, next.checks)).claims()?.nonce).toBe(
      next.checks.expectedNonce,
    );
  });

  it('hears a denial in a signed answer (JARM)', async () => {
    const site = await discover(house);
    client.useJwtResponseMode(site);
    const { parameters, checks } = await newRequest();
    const back = await house.visit(client.buildAuthorizationUrl(site, parameters), { deny: true });
    await expect(client.authorizationCodeGrant(site, back, checks)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('signs in without a question where the browser is remembered (prompt=none), and hears login_required elsewhere', async () => {
    const browser = house.browser();
    const first = await signIn(house, config, {}, { ways: { browser, remember: true } });
    const { parameters, checks } = await newRequest({ prompt: 'none', id_token_hint: first.id_token as string });
    const address = client.buildAuthorizationUrl(config, parameters);
    const again = await client.authorizationCodeGrant(config, await house.pass(address, browser), checks);
    expect(again.claims()).toMatchObject({ sub: first.claims()?.sub, amr: ['pwd', 'qr', 'remembered'] });
    const elsewhere = await house.pass(address, house.browser());
    await expect(client.authorizationCodeGrant(config, elsewhere, checks)).rejects.toMatchObject({
      error: 'login_required',
    });
  });

  it('asks how long ago the person signed in at most (max_age), and checks auth_time', async () => {
    const { parameters, checks } = await newRequest({ max_age: '600' });
    const back = await house.visit(client.buildAuthorizationUrl(config, parameters));
    const tokens = await client.authorizationCodeGrant(config, back, { ...checks, maxAge: 600 });
    expect(tokens.claims()?.auth_time).toBeTypeOf('number');
  });
});
