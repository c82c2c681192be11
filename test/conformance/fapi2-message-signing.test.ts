/** fapi2-message-signing-final-test-plan: what it has beyond the Security Profile, signed requests (JAR) and answers (JARM). */
import {
  createLocalJWKSet,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
} from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectRefusal, expectTokens } from '../support/conformance.js';
import { type Change, type FapiClient, now } from '../support/fapi-client.js';
import { type FapiHouse, startFapiHouse } from '../support/fapi-house.js';
import { send } from '../support/http.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { clientKeyPair } from '../support/standard-site.js';
import { forgetScans, person } from '../support/story.js';

describe('FAPI 2.0 Message Signing', () => {
  let house: FapiHouse;
  let client: FapiClient;
  let phone: Awaited<ReturnType<typeof person>>;
  beforeAll(async () => {
    house = await startFapiHouse();
    client = await house.client({ requireSignedRequest: true });
    phone = await person(house.server.app, house.server);
  });
  afterAll(() => house?.stop());
  beforeEach(() => forgetScans(house.server.database));

  const objectOf = (query: Record<string, string>, change: Change = {}, by = client) => {
    const claims = { iss: by.clientId, aud: house.server.url, iat: now(), nbf: now(), exp: now() + 300, ...query };
    return by.sign(claims, { ...change, header: { typ: 'oauth-authz-req+jwt', ...change.header } });
  };
  const push = async (change: Change = {}, by = client) => {
    const { query, verifier } = by.request();
    const request = await objectOf(query, change, by);
    return { answer: await by.push({ client_id: by.clientId, request }), query, verifier };
  };
  /** The suite takes invalid_request_object of the PAR endpoint. */
  const expectRefused = async (change: Change) =>
    expectRefusal((await push(change)).answer, ['invalid_request_object', 'invalid_request']);
  const arrive = (uri: unknown, more: Record<string, string> = {}) => {
    const browser = house.browser();
    const query = { client_id: client.clientId, request_uri: String(uri), ...more };
    return browser.signInByPhone(browser.authorizeUrl(query), phone);
  };

  describe('requests', () => {
    it('happy-flow: a signed request, pushed', async () => {
      for (const typ of ['oauth-authz-req+jwt', undefined]) {
        const { answer, query, verifier } = await push({ header: { typ } });
        expect(answer.status, answer.body).toBe(201);
        const { answer: back } = await arrive(answer.json().request_uri);
        expect(back).toEqual({ code: expect.any(String), state: query.state, iss: house.server.url });
        expectTokens(await client.exchange(String(back.code), verifier));
        await forgetScans(house.server.database);
      }
    });

    it('ensure-server-accepts-request-object-with-multiple-aud', async () => {
      const { answer } = await push({ claims: { aud: ['https://other.example', house.server.url] } });
      expect(answer.status, answer.body).toBe(201);
    });

    it('ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted', async () => {
      const { answer } = await push({ claims: { nbf: now() + 8, iat: now() + 8 } });
      expect(answer.status, answer.body).toBe(201);
    });

    const WRONG: Record<string, () => Change> = {
      'ensure-request-object-without-exp-fails': () => ({ claims: { exp: undefined } }),
      'ensure-request-object-without-nbf-fails': () => ({ claims: { nbf: undefined } }),
      'ensure-expired-request-object-fails': () => ({
        claims: { nbf: now() - 600, iat: now() - 600, exp: now() - 300 },
      }),
      'ensure-request-object-with-bad-aud-fails': () => ({ claims: { aud: 'https://other.example' } }),
      'ensure-request-object-with-exp-over-60-fails': () => ({ claims: { exp: now() + 70 * 60 } }),
      'ensure-request-object-with-nbf-over-60-fails': () => ({
        claims: { nbf: now() - 70 * 60, iat: now() - 70 * 60 },
      }),
      'ensure-request-object-signature-algorithm-is-not-none': () => ({ header: { alg: 'none' } }),
      'ensure-request-object-with-invalid-signature-fails': () => ({ spoil: (jwt) => jwt.replace(/.{6}$/, 'AAAAAA') }),
      'ensure-request-object-without-redirect-uri-fails': () => ({ claims: { redirect_uri: undefined } }),
      'par-authorization-request-containing-request_uri': () => ({
        claims: { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      }),
      'no iss': () => ({ claims: { iss: undefined } }),
      'another client_id': () => ({ claims: { client_id: 'somebody' } }),
    };
    it.each(Object.entries(WRONG))('%s', (_module, change) => expectRefused(change()));

    it('ensure-matching-key-in-authorization-request: signed by the key of another client', async () => {
      const { privateKey } = await generateKeyPair('ES256');
      await expectRefused({ key: privateKey });
    });

    it('ensure-signed-request-object-with-RS256-fails, for a key that is registered for PS256', async () => {
      const { key, clientKeys } = await clientKeyPair('PS256');
      const keys = clientKeys.keys.map((one) => ({ ...one, alg: 'PS256' }));
      const ps256 = await house.client({ alg: 'PS256', clientKeys: { keys }, requireSignedRequest: true });
      const own = {
        ...ps256,
        sign: (claims: object, change: Change = {}) => ps256.sign({ ...claims }, { key: key.key, ...change }),
      };
      const rs256 = (await importJWK((await exportJWK(key.key)) as JWK, 'RS256')) as typeof key.key;
      const pushed = async (change: Change) => {
        const { query } = ps256.request();
        const request = await objectOf(query, change, own);
        return ps256.push({ client_id: ps256.clientId, request }, { assertion: { key: key.key } });
      };
      const right = await pushed({});
      expect(right.status, right.body).toBe(201);
      expectRefusal(await pushed({ header: { alg: 'RS256' }, key: rs256 }), [
        'invalid_request_object',
        'invalid_request',
      ]);
    });

    it('ensure-unsigned-request-at-par-endpoint-fails', async () => {
      expectRefusal(await client.push(client.request().query), ['invalid_request', 'invalid_request_object']);
    });

    it('ensure-different-state-inside-and-outside-request-object, ensure-different-nonce-: what is signed counts', async () => {
      const { answer, query } = await push();
      const back = await arrive(answer.json().request_uri, { state: 'another', nonce: 'another' });
      expect(back.answer.state).toBe(query.state);
    });
  });

  describe('answers', () => {
    const KEYS = async () => (await send(`${house.server.url}/oauth/jwks`)).json<JSONWebKeySet>();
    const verify = async (response: unknown, alg: string, audience: string) =>
      jwtVerify(String(response), createLocalJWKSet(await KEYS()), {
        issuer: house.server.url,
        audience,
        algorithms: [alg],
      });

    it.each(['ES256', 'PS256', 'EdDSA'] as const)('happy-flow: response_mode=jwt, signed by %s', async (alg) => {
      const by = await house.client({ alg });
      const { address, query, verifier } = await house.pushed(by, { response_mode: 'jwt' });
      const arrived = await house.browser().signInByPhone(address, phone);
      expect(arrived.address.startsWith(`${REDIRECT_URI}?`)).toBe(true);
      // Nothing of the answer beside the JWT (JARM 2.1).
      expect(Object.keys(arrived.answer)).toEqual(['response']);
      const { payload, protectedHeader } = await verify(arrived.answer.response, alg, by.clientId);
      expect(protectedHeader.kid).toEqual(expect.any(String));
      expect(payload).toMatchObject({ code: expect.any(String), state: query.state, iss: house.server.url });
      expect(Number(payload.exp) - now()).toBeLessThanOrEqual(600);
      expectTokens(await by.exchange(String(payload.code), verifier));
    });

    it('user-rejects-authentication: the error is signed as well', async () => {
      const { address, query } = await house.pushed(await house.client(), { response_mode: 'jwt' });
      const { answer } = await house.browser().signInByPhone(address, phone, { deny: true });
      expect(Object.keys(answer)).toEqual(['response']);
      const { aud } = decodeJwt(String(answer.response));
      const { payload } = await verify(answer.response, 'ES256', String(aud));
      expect(payload).toMatchObject({ error: 'access_denied', state: query.state });
    });
  });
});
