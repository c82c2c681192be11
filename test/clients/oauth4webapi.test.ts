/** oauth4webapi 3.8.8, unmodified: requests of every kind, and the answers it checks. */
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  begin,
  discover,
  exchange,
  INSECURE,
  push,
  type Site,
  signIn,
  userinfo,
} from '../support/oauth4webapi.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { clientKeyPair, type StandardHouse, startStandardHouse } from '../support/standard-site.js';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

describe('oauth4webapi', () => {
  let house: StandardHouse;
  let site: Site;
  beforeAll(async () => {
    house = await startStandardHouse();
    site = await discover(house);
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  const check = (at: Site, back: URL, state: string) => oauth.validateAuthResponse(at.as, at.client, back, state);
  const checkSigned = (at: Site, answer: URL | URLSearchParams, state: string) =>
    oauth.validateJwtAuthResponse(at.as, at.client, answer, state, INSECURE);

  it('discovers the server by either document', async () => {
    const response = await oauth.discoveryRequest(house.issuer, { ...INSECURE, algorithm: 'oauth2' });
    expect(await oauth.processDiscoveryResponse(house.issuer, response)).toEqual(site.as);
    expect(site.as).toMatchObject({
      issuer: house.server.url,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
    });
  });

  it('signs in with code, PKCE, state, nonce and iss, and reads the profile', async () => {
    const tokens = await signIn(house, site);
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'openid profile' });
    expect(tokens.claims).toMatchObject({ iss: house.server.url, aud: site.client.client_id, amr: ['pwd', 'qr'] });
    expect(await userinfo(site, tokens)).toMatchObject({ sub: tokens.claims.sub, nickname: '张三😀' });
    const other = { ...tokens, claims: { ...tokens.claims, sub: 'somebody else' } };
    await expect(userinfo(site, other)).rejects.toMatchObject({ code: oauth.JSON_ATTRIBUTE_COMPARISON });
  });

  it('refuses an answer with the iss, state or nonce of another one', async () => {
    const begun = await begin(site);
    const back = await house.visit(authorizeUrl(site, begun.parameters));
    for (const [name, value] of [
      ['iss', 'https://other.example'],
      ['iss', ''],
      ['state', 'other'],
    ] as const) {
      const url = new URL(back);
      url.searchParams.set(name, value);
      expect(() => check(site, url, begun.state)).toThrow(expect.objectContaining({ code: oauth.INVALID_RESPONSE }));
    }
    const answer = check(site, back, begun.state);
    await expect(exchange(site, answer, { ...begun, nonce: 'other' })).rejects.toMatchObject({
      code: oauth.JWT_CLAIM_COMPARISON,
    });
  });

  it('hears invalid_grant with the verifier of another sign-in', async () => {
    const begun = await begin(site);
    const answer = check(site, await house.visit(authorizeUrl(site, begun.parameters)), begun.state);
    const verifier = oauth.generateRandomCodeVerifier();
    await expect(exchange(site, answer, { ...begun, verifier })).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('hears access_denied, with iss and state, when the person declines', async () => {
    const { parameters, state } = await begin(site);
    const back = await house.visit(authorizeUrl(site, parameters), { deny: true });
    expect(() => check(site, back, state)).toThrow(expect.objectContaining({ error: 'access_denied' }));
    expect(back.searchParams.get('iss')).toBe(house.server.url);
  });

  it.each(ALGORITHMS)('checks an ID token signed with %s', async (idTokenAlg) => {
    const at = await discover(house, { idTokenAlg }, { metadata: { id_token_signed_response_alg: idTokenAlg } });
    expect((await signIn(house, at)).claims.sub).toBeTypeOf('string');
    const other = idTokenAlg === 'ES256' ? 'RS256' : 'ES256';
    const strict = { ...at, client: { ...at.client, id_token_signed_response_alg: other } };
    await expect(signIn(house, strict)).rejects.toMatchObject({ code: oauth.INVALID_RESPONSE });
  });

  it('authenticates with client_secret_post, and as a public client', async () => {
    const post = await discover(house, { authMethod: 'client_secret_post' }, { auth: oauth.ClientSecretPost });
    expect((await signIn(house, post)).access_token).toBeTypeOf('string');
    const open = await discover(house, { authMethod: 'none' }, { auth: oauth.None });
    expect((await signIn(house, open)).access_token).toBeTypeOf('string');
  });

  it.each(['RS256', 'PS256', 'ES256', 'Ed25519'])('authenticates with private_key_jwt signed with %s', async (alg) => {
    const { key, clientKeys } = await clientKeyPair(alg);
    const auth = () => oauth.PrivateKeyJwt(key);
    const at = await discover(house, { authMethod: 'private_key_jwt', clientKeys }, { auth });
    expect((await signIn(house, at)).access_token).toBeTypeOf('string');
    const stranger = { ...at, auth: oauth.PrivateKeyJwt((await clientKeyPair(alg)).key) };
    await expect(signIn(house, stranger)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('authenticates with an Ed25519 key that was registered as EdDSA, its older name', async () => {
    const { key, clientKeys } = await clientKeyPair('Ed25519', 'EdDSA');
    const auth = () => oauth.PrivateKeyJwt(key);
    const at = await discover(house, { authMethod: 'private_key_jwt', clientKeys }, { auth });
    expect((await signIn(house, at)).access_token).toBeTypeOf('string');
  });

  it('takes the answer as a posted form', async () => {
    const begun = await begin(site, { response_mode: 'form_post' });
    const posted = await house.visitAndPost(authorizeUrl(site, begun.parameters));
    expect(posted.url).toBe(REDIRECT_URI);
    const answer = new URLSearchParams(await posted.text());
    const tokens = await exchange(site, oauth.validateAuthResponse(site.as, site.client, answer, begun.state), begun);
    expect(tokens.claims.nonce).toBe(begun.nonce);
  });

  it('pushes its request (PAR), also as a client that must', async () => {
    const must = await discover(house, { requirePar: true });
    for (const at of [site, must]) {
      const begun = await begin(at);
      const back = await house.visit(await push(at, begun.parameters));
      expect((await exchange(at, check(at, back, begun.state), begun)).claims.nonce).toBe(begun.nonce);
    }
    const { parameters, state } = await begin(must);
    const refused = await house.pass(authorizeUrl(must, parameters), house.browser());
    expect(() => check(must, refused, state)).toThrow(expect.objectContaining({ error: 'invalid_request' }));
  });

  it.each(['RS256', 'PS256', 'ES256', 'Ed25519'])(
    'signs its request with %s (JAR), in the address and pushed',
    async (alg) => {
      const { key, clientKeys } = await clientKeyPair(alg);
      const at = await discover(house, { clientKeys, requireSignedRequest: true });
      const { client_id } = at.client;
      for (const lead of [authorizeUrl, push]) {
        const begun = await begin(at, { max_age: '3600' });
        const request = await oauth.issueRequestObject(at.as, at.client, begun.parameters, key);
        const back = await house.visit(await lead(at, { client_id, request }));
        const tokens = await exchange(at, check(at, back, begun.state), begun, { maxAge: 3600 });
        expect(tokens.claims.nonce).toBe(begun.nonce);
      }
    },
  );

  it('hears that a request must be signed, and signed by the client', async () => {
    const { clientKeys } = await clientKeyPair('ES256');
    const at = await discover(house, { clientKeys, requireSignedRequest: true });
    const { parameters } = await begin(at);
    await expect(push(at, parameters)).rejects.toMatchObject({ error: 'invalid_request' });
    const { key } = await clientKeyPair('ES256');
    const request = await oauth.issueRequestObject(at.as, at.client, parameters, key);
    await expect(push(at, { client_id: at.client.client_id, request })).rejects.toMatchObject({
      error: 'invalid_request_object',
    });
  });

  it.each(ALGORITHMS)('checks an answer signed with %s (JARM: jwt, query.jwt, form_post.jwt)', async (idTokenAlg) => {
    const metadata = { id_token_signed_response_alg: idTokenAlg, authorization_signed_response_alg: idTokenAlg };
    const at = await discover(house, { idTokenAlg }, { metadata });
    for (const response_mode of ['jwt', 'query.jwt', 'form_post.jwt']) {
      const begun = await begin(at, { response_mode });
      const address = authorizeUrl(at, begun.parameters);
      const answer =
        response_mode === 'form_post.jwt'
          ? new URLSearchParams(await (await house.visitAndPost(address)).text())
          : (await house.visit(address)).searchParams;
      expect([...answer.keys()]).toEqual(['response']);
      const tokens = await exchange(at, await checkSigned(at, answer, begun.state), begun);
      expect(tokens.claims.nonce).toBe(begun.nonce);
    }
  });

  it('hears a denial in a signed answer (JARM)', async () => {
    const { parameters, state } = await begin(site, { response_mode: 'jwt' });
    const back = await house.visit(authorizeUrl(site, parameters), { deny: true });
    await expect(checkSigned(site, back, state)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('signs in without a question where the browser is remembered (prompt=none), and hears login_required elsewhere', async () => {
    const browser = house.browser();
    const first = await signIn(house, site, {}, { ways: { browser, remember: true } });
    const begun = await begin(site, { prompt: 'none', id_token_hint: first.id_token as string });
    const address = authorizeUrl(site, begun.parameters);
    const again = await exchange(site, check(site, await house.pass(address, browser), begun.state), begun);
    expect(again.claims).toMatchObject({ sub: first.claims.sub, amr: ['pwd', 'qr', 'remembered'] });
    const elsewhere = await house.pass(address, house.browser());
    expect(() => check(site, elsewhere, begun.state)).toThrow(expect.objectContaining({ error: 'login_required' }));
  });

  it('asks how long ago the person signed in at most (max_age), and checks auth_time', async () => {
    const tokens = await signIn(house, site, { max_age: '600' }, { maxAge: 600 });
    expect(tokens.claims.auth_time).toBeTypeOf('number');
  });
});
