/** openid-client 6.8.9, unmodified: what a site does with its tokens, the device flow, and the sign-out. */
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discover, newRequest, signIn, watch } from '../support/openid-client.js';
import { BYE, clientKeyPair, type StandardHouse, startStandardHouse } from '../support/standard-site.js';

/** Without prompt=consent there is no refresh token (OpenID Connect Core 11). */
const OFFLINE = { scope: 'openid profile offline_access', prompt: 'consent' };

describe('openid-client', () => {
  let house: StandardHouse;
  let config: client.Configuration;
  beforeAll(async () => {
    house = await startStandardHouse();
    config = await discover(house, { postLogoutRedirectUris: [BYE] });
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  it('refreshes, gets another refresh token each time, and nothing for an old one', async () => {
    const first = await signIn(house, config, OFFLINE);
    const second = await client.refreshTokenGrant(config, first.refresh_token as string);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.claims()?.sub).toBe(first.claims()?.sub);
    const third = await client.refreshTokenGrant(config, second.refresh_token as string, { scope: 'openid' });
    expect(third.scope).toBe('openid');
    await expect(client.refreshTokenGrant(config, first.refresh_token as string)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const sub = first.claims()?.sub as string;
    expect(await client.fetchUserInfo(config, third.access_token, sub)).toEqual({ sub });
  });

  it.each(['ES256', 'PS256', 'Ed25519'])('binds tokens to a key (DPoP, %s), with the nonce it is told', async (alg) => {
    const site = await discover(house, { dpopRequired: true });
    const seen = watch(site);
    const DPoP = client.getDPoPHandle(site, await client.randomDPoPKeyPair(alg));
    const first = await signIn(house, site, OFFLINE, { DPoP });
    expect(first.token_type).toBe('dpop');
    // The library hears the nonce, and asks again with it.
    expect(seen.slice(0, 2)).toEqual(['/oauth/token 400', '/oauth/token 200']);
    const sub = first.claims()?.sub as string;
    expect((await client.fetchUserInfo(site, first.access_token, sub, { DPoP })).sub).toBe(sub);
    const second = await client.refreshTokenGrant(site, first.refresh_token as string, undefined, { DPoP });
    expect([second.token_type, second.claims()?.sub]).toEqual(['dpop', sub]);
    expect(seen.filter((line) => line === '/oauth/token 400')).toHaveLength(1);

    await expect(client.fetchUserInfo(site, second.access_token, sub)).rejects.toMatchObject({ status: 401 });
    const thief = client.getDPoPHandle(site, await client.randomDPoPKeyPair(alg));
    await expect(client.fetchUserInfo(site, second.access_token, sub, { DPoP: thief })).rejects.toMatchObject({
      status: 401,
    });
    await expect(signIn(house, site)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('binds a pushed request to the key too (PAR with DPoP)', async () => {
    const site = await discover(house, { requirePar: true, dpopRequired: true });
    const seen = watch(site);
    const DPoP = client.getDPoPHandle(site, await client.randomDPoPKeyPair());
    const { parameters, checks } = await newRequest();
    const address = await client.buildAuthorizationUrlWithPAR(site, parameters, { DPoP });
    expect(seen).toEqual(['/oauth/par 400', '/oauth/par 201']);
    const tokens = await client.authorizationCodeGrant(site, await house.visit(address), checks, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');

    const next = await newRequest();
    const back = await house.visit(await client.buildAuthorizationUrlWithPAR(site, next.parameters, { DPoP }));
    const thief = client.getDPoPHandle(site, await client.randomDPoPKeyPair());
    await expect(
      client.authorizationCodeGrant(site, back, next.checks, undefined, { DPoP: thief }),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('does it all at once: private_key_jwt, a signed request that is pushed, a signed answer, DPoP', async () => {
    const { key, clientKeys } = await clientKeyPair('PS256');
    const strict = { requirePar: true, requireSignedRequest: true, dpopRequired: true, idTokenAlg: 'PS256' as const };
    const settings = { authMethod: 'private_key_jwt' as const, clientKeys, ...strict };
    const metadata = { id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256' };
    const site = await discover(house, settings, { auth: () => client.PrivateKeyJwt(key), metadata });
    client.useJwtResponseMode(site);
    const DPoP = client.getDPoPHandle(site, await client.randomDPoPKeyPair());
    const { parameters, checks } = await newRequest(OFFLINE);
    const { searchParams } = await client.buildAuthorizationUrlWithJAR(site, parameters, key);
    const request = { request: searchParams.get('request') as string };
    const back = await house.visit(await client.buildAuthorizationUrlWithPAR(site, request, { DPoP }));
    const tokens = await client.authorizationCodeGrant(site, back, checks, undefined, { DPoP });
    const sub = tokens.claims()?.sub as string;
    expect((await client.fetchUserInfo(site, tokens.access_token, sub, { DPoP })).nickname).toBe('张三😀');
    const next = await client.refreshTokenGrant(site, tokens.refresh_token as string, undefined, { DPoP });
    expect(next.token_type).toBe('dpop');
  });

  it('introspects its tokens and revokes them', async () => {
    const tokens = await signIn(house, config, OFFLINE);
    const sub = tokens.claims()?.sub as string;
    const refresh = tokens.refresh_token as string;
    const told = await client.tokenIntrospection(config, tokens.access_token);
    const { client_id } = config.clientMetadata();
    expect(told).toMatchObject({ active: true, client_id, sub, iss: house.server.url, scope: OFFLINE.scope });
    expect((await client.tokenIntrospection(config, refresh, { token_type_hint: 'refresh_token' })).active).toBe(true);

    await client.tokenRevocation(config, tokens.access_token);
    expect(await client.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
    await expect(client.fetchUserInfo(config, tokens.access_token, sub)).rejects.toMatchObject({ status: 401 });

    const other = await signIn(house, config, OFFLINE);
    await client.tokenRevocation(config, other.refresh_token as string, { token_type_hint: 'refresh_token' });
    await expect(client.refreshTokenGrant(config, other.refresh_token as string)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(client.fetchUserInfo(config, other.access_token, sub)).rejects.toMatchObject({ status: 401 });
  });

  it('gets a JWT access token for an API (RFC 8707), which the API checks by itself (RFC 9068)', async () => {
    const as = { ...config.serverMetadata() };
    const identifier = await house.serveApi((request, audience) =>
      oauth.validateJwtAccessToken(as, request, audience, { [oauth.allowInsecureRequests]: true }),
    );
    const site = await discover(house, { scope: 'openid profile offline_access orders.read' });
    const api = { resource: identifier };
    const asked = { ...OFFLINE, ...api, scope: 'openid offline_access orders.read' };
    const tokens = await signIn(house, site, asked, { token: api });
    expect(tokens.scope).toContain('orders.read');
    const answer = await client.fetchProtectedResource(site, tokens.access_token, new URL(identifier), 'GET');
    const { client_id } = site.clientMetadata();
    const claims = { aud: identifier, iss: as.issuer, client_id, scope: 'orders.read', sub: tokens.claims()?.sub };
    expect(await answer.json()).toMatchObject(claims);

    // Bound to a key; and a token for userinfo opens nothing there.
    const DPoP = client.getDPoPHandle(site, await client.randomDPoPKeyPair());
    const bound = await signIn(house, site, { ...api, scope: 'openid orders.read' }, { token: api, DPoP });
    const url = new URL(identifier);
    const proved = await client.fetchProtectedResource(site, bound.access_token, url, 'GET', undefined, undefined, {
      DPoP,
    });
    expect(await proved.json()).toMatchObject({ aud: identifier, cnf: { jkt: await DPoP.calculateThumbprint() } });
    const stolen = await client.fetchProtectedResource(site, bound.access_token, url, 'GET');
    expect(stolen.status).toBe(401);
    const profile = await client.refreshTokenGrant(site, tokens.refresh_token as string, { scope: 'openid' });
    expect((await client.fetchProtectedResource(site, profile.access_token, url, 'GET')).status).toBe(401);
    expect(await client.fetchUserInfo(site, profile.access_token, claims.sub as string)).toHaveProperty('sub');
  });

  it('signs in on a device without a browser, polling until the person has scanned and allowed', async () => {
    const site = await discover(house, { deviceFlow: true });
    const shown = await client.initiateDeviceAuthorization(site, { scope: 'openid profile offline_access' });
    const answers: string[] = [];
    site[client.customFetch] = async (url, options) => {
      const answer = await fetch(url, options as RequestInit);
      if (!url.endsWith('/oauth/token')) return answer;
      answers.push(((await answer.clone().json()) as { error?: string }).error ?? 'tokens');
      // The person decides between the first poll and the second.
      if (answers.length === 1) await house.answerDevice(shown.verification_uri_complete as string, 'allow');
      return answer;
    };
    const tokens = await client.pollDeviceAuthorizationGrant(site, { ...shown, interval: 0 });
    expect(answers).toEqual(['authorization_pending', 'tokens']);
    const profile = await client.fetchUserInfo(site, tokens.access_token, tokens.claims()?.sub as string);
    expect(profile.nickname).toBe('张三😀');
    const next = await client.refreshTokenGrant(site, tokens.refresh_token as string);
    expect(next.access_token).not.toBe(tokens.access_token);
  });

  it('hears access_denied on a device when the person declines', async () => {
    const site = await discover(house, { deviceFlow: true });
    const shown = await client.initiateDeviceAuthorization(site, { scope: 'openid' });
    await house.answerDevice(shown.verification_uri_complete as string, 'deny');
    await expect(client.pollDeviceAuthorizationGrant(site, { ...shown, interval: 0 })).rejects.toMatchObject({
      error: 'access_denied',
    });
  });

  it('signs out: the browser comes back with state, and is remembered no more', async () => {
    const browser = house.browser();
    const tokens = await signIn(house, config, {}, { ways: { browser, remember: true } });
    const state = client.randomState();
    const asked = { post_logout_redirect_uri: BYE, id_token_hint: tokens.id_token as string, state };
    const back = await house.signOut(client.buildEndSessionUrl(config, asked), browser);
    expect(back.href).toBe(`${BYE}?state=${state}`);
    const { parameters, checks } = await newRequest({ prompt: 'none' });
    const silent = await house.pass(client.buildAuthorizationUrl(config, parameters), browser);
    await expect(client.authorizationCodeGrant(config, silent, checks)).rejects.toMatchObject({
      error: 'login_required',
    });
  });
});
