/** oauth4webapi 3.8.8, unmodified: what a site does with its tokens, the device flow, and the sign-out; and the API's side. */
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  begin,
  discover,
  exchange,
  INSECURE,
  push,
  refresh,
  type Signed,
  type Site,
  signIn,
  userinfo,
} from '../support/oauth4webapi.js';
import { BYE, clientKeyPair, type StandardHouse, startStandardHouse } from '../support/standard-site.js';

/** Without prompt=consent there is no refresh token (OpenID Connect Core 11). */
const OFFLINE = { scope: 'openid profile offline_access', prompt: 'consent' };

describe('oauth4webapi', () => {
  let house: StandardHouse;
  let site: Site;
  beforeAll(async () => {
    house = await startStandardHouse();
    site = await discover(house, { postLogoutRedirectUris: [BYE] });
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  const newKey = async (at: Site, alg = 'ES256') => oauth.DPoP(at.client, await oauth.generateKeyPair(alg));

  const introspect = async (token: string) => {
    const response = await oauth.introspectionRequest(site.as, site.client, site.auth, token, INSECURE);
    return oauth.processIntrospectionResponse(site.as, site.client, response);
  };
  const revoke = async (token: string) =>
    oauth.processRevocationResponse(await oauth.revocationRequest(site.as, site.client, site.auth, token, INSECURE));

  it('refreshes, gets another refresh token each time, and nothing for an old one', async () => {
    const first = await signIn(house, site, OFFLINE);
    const second = await refresh(site, first.refresh_token as string);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.claims.sub).toBe(first.claims.sub);
    await expect(refresh(site, first.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await userinfo(site, second)).toMatchObject({ nickname: '张三😀' });
  });

  it.each(['ES256', 'PS256', 'Ed25519'])('binds tokens to a key (DPoP, %s), with the nonce it is told', async (alg) => {
    const at = await discover(house, { dpopRequired: true });
    const DPoP = await newKey(at, alg);
    const first = await signIn(house, at, OFFLINE, { DPoP });
    expect(first.token_type).toBe('dpop');
    expect((await userinfo(at, first, { DPoP })).sub).toBe(first.claims.sub);
    const second = await refresh(at, first.refresh_token as string, { DPoP });
    expect([second.token_type, second.claims.sub]).toEqual(['dpop', first.claims.sub]);

    for (const wrong of [undefined, await newKey(at, alg)])
      await expect(userinfo(at, second, { DPoP: wrong })).rejects.toMatchObject({
        status: 401,
        code: oauth.WWW_AUTHENTICATE_CHALLENGE,
      });
    await expect(signIn(house, at)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('is told the nonce of a proof (DPoP) at each endpoint', async () => {
    const DPoP = async () => ({ ...INSECURE, DPoP: await newKey(site) });
    const { parameters, verifier } = await begin(site);
    const { as, client, auth } = site;
    const pushed = await oauth.pushedAuthorizationRequest(as, client, auth, parameters, await DPoP());
    const answer = oauth.validateAuthResponse(as, client, new URLSearchParams({ code: 'x', iss: as.issuer }));
    const options = await DPoP();
    const token = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, BYE, verifier, options);
    for (const response of [pushed, token]) {
      expect(response.status).toBe(400);
      expect(response.headers.get('dpop-nonce')).toBeTypeOf('string');
      expect(await response.json()).toMatchObject({ error: 'use_dpop_nonce' });
    }
    const signed = await signIn(house, site, {}, { DPoP: await newKey(site) });
    const profile = await oauth.userInfoRequest(as, client, signed.access_token, await DPoP());
    const error = await oauth.processUserInfoResponse(as, client, signed.claims.sub, profile).catch((e) => e);
    expect(oauth.isDPoPNonceError(error)).toBe(true);
  });

  it('binds a pushed request to the key too (PAR with DPoP)', async () => {
    const at = await discover(house, { requirePar: true, dpopRequired: true });
    const DPoP = await newKey(at);
    const come = async (key: oauth.DPoPHandle) => {
      const begun = await begin(at);
      const back = await house.visit(await push(at, begun.parameters, { DPoP }));
      const answer = oauth.validateAuthResponse(at.as, at.client, back, begun.state);
      return exchange(at, answer, begun, { DPoP: key });
    };
    expect((await come(DPoP)).token_type).toBe('dpop');
    await expect(come(await newKey(at))).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('does it all at once: private_key_jwt, a signed request that is pushed, a signed answer, DPoP', async () => {
    const { key, clientKeys } = await clientKeyPair('ES256');
    const strict = { requirePar: true, requireSignedRequest: true, dpopRequired: true, idTokenAlg: 'ES256' as const };
    const settings = { authMethod: 'private_key_jwt' as const, clientKeys, ...strict };
    const metadata = { id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256' };
    const at = await discover(house, settings, { auth: () => oauth.PrivateKeyJwt(key), metadata });
    const DPoP = await newKey(at);
    const begun = await begin(at, { ...OFFLINE, response_mode: 'jwt' });
    const request = await oauth.issueRequestObject(at.as, at.client, begun.parameters, key);
    const back = await house.visit(await push(at, { client_id: at.client.client_id, request }, { DPoP }));
    const answer = await oauth.validateJwtAuthResponse(at.as, at.client, back, begun.state, INSECURE);
    const tokens = await exchange(at, answer, begun, { DPoP });
    expect((await userinfo(at, tokens, { DPoP })).nickname).toBe('张三😀');
    expect((await refresh(at, tokens.refresh_token as string, { DPoP })).token_type).toBe('dpop');
  });

  it('introspects its tokens and revokes them', async () => {
    const tokens = await signIn(house, site, OFFLINE);
    const { client_id } = site.client;
    const { sub } = tokens.claims;
    const told = await introspect(tokens.access_token);
    expect(told).toMatchObject({ active: true, client_id, sub, iss: house.server.url, scope: OFFLINE.scope });
    await revoke(tokens.access_token);
    expect(await introspect(tokens.access_token)).toEqual({ active: false });
    await expect(userinfo(site, tokens)).rejects.toMatchObject({ status: 401 });

    const other = await signIn(house, site, OFFLINE);
    await revoke(other.refresh_token as string);
    await expect(refresh(site, other.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(userinfo(site, other)).rejects.toMatchObject({ status: 401 });
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'gets an access token for an API (RFC 8707), which the API checks by itself (RFC 9068), with %s',
    async (signingAlg) => {
      const { as } = site;
      // The list is for its DPoP proofs too.
      const identifier = await house.serveApi(
        (request, audience) =>
          oauth.validateJwtAccessToken(as, request, audience, {
            ...INSECURE,
            signingAlgorithms: [signingAlg, 'ES256'],
          }),
        { signingAlg },
      );
      const at = await discover(house, { scope: 'openid profile orders.read' });
      const resource = { resource: identifier };
      const ask = (token: string, DPoP?: oauth.DPoPHandle) =>
        oauth.protectedResourceRequest(token, 'GET', new URL(identifier), undefined, null, { ...INSECURE, DPoP });
      const asked = { ...resource, scope: 'openid orders.read' };
      const tokens = await signIn(house, at, asked, { additionalParameters: resource });
      const { client_id } = at.client;
      const claims = { aud: identifier, iss: as.issuer, client_id, scope: 'orders.read', sub: tokens.claims.sub };
      expect(await (await ask(tokens.access_token)).json()).toMatchObject(claims);

      const DPoP = await newKey(at);
      const bound = await signIn(house, at, asked, { additionalParameters: resource, DPoP });
      const cnf = { jkt: await DPoP.calculateThumbprint() };
      expect(await (await ask(bound.access_token, DPoP)).json()).toMatchObject({ ...claims, cnf });
      const refused = [bound.access_token, (await signIn(house, at)).access_token].map((token) => ask(token));
      for (const outcome of await Promise.allSettled(refused))
        expect(outcome).toMatchObject({ status: 'fulfilled', value: { status: 401 } });
    },
  );

  it('signs in on a device without a browser once the person has scanned and allowed', async () => {
    const at = await discover(house, { deviceFlow: true });
    const shown = await askForDevice(at, 'openid profile offline_access');
    await expect(poll(at, shown)).rejects.toMatchObject({ error: 'authorization_pending' });
    await house.answerDevice(shown.verification_uri_complete as string, 'allow');
    const tokens = await poll(at, shown);
    expect(await userinfo(at, tokens)).toMatchObject({ sub: tokens.claims.sub, nickname: '张三😀' });
    expect((await refresh(at, tokens.refresh_token as string)).access_token).not.toBe(tokens.access_token);
  });

  it('hears access_denied on a device when the person declines', async () => {
    const at = await discover(house, { deviceFlow: true });
    const shown = await askForDevice(at, 'openid');
    await house.answerDevice(shown.verification_uri_complete as string, 'deny');
    await expect(poll(at, shown)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('signs out: the browser comes back with state, and is remembered no more', async () => {
    const browser = house.browser();
    const tokens = await signIn(house, site, {}, { ways: { browser, remember: true } });
    // The library has no call for it: the address is in the metadata.
    const address = new URL(site.as.end_session_endpoint as string);
    const state = oauth.generateRandomState();
    const asked = { post_logout_redirect_uri: BYE, id_token_hint: tokens.id_token as string, state };
    address.search = new URLSearchParams(asked).toString();
    expect((await house.signOut(address, browser)).href).toBe(`${BYE}?state=${state}`);
    const silent = await begin(site, { prompt: 'none' });
    const back = await house.pass(authorizeUrl(site, silent.parameters), browser);
    expect(() => oauth.validateAuthResponse(site.as, site.client, back, silent.state)).toThrow(
      expect.objectContaining({ error: 'login_required' }),
    );
  });
});

async function askForDevice({ as, client, auth }: Site, scope: string): Promise<oauth.DeviceAuthorizationResponse> {
  const response = await oauth.deviceAuthorizationRequest(as, client, auth, { scope }, INSECURE);
  return oauth.processDeviceAuthorizationResponse(as, client, response);
}

async function poll({ as, client, auth }: Site, shown: oauth.DeviceAuthorizationResponse): Promise<Signed> {
  const response = await oauth.deviceCodeGrantRequest(as, client, auth, shown.device_code, INSECURE);
  const tokens = await oauth.processDeviceCodeResponse(as, client, response);
  await oauth.validateApplicationLevelSignature(as, response, INSECURE);
  return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) as oauth.IDToken };
}
