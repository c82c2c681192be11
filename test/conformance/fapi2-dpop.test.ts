/** fapi2-security-profile-final-test-plan: the modules about DPoP (RFC 9449), at the token endpoint and with a token. */
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectRefusal, expectTokens } from '../support/conformance.js';
import { type Change, encode, type FapiClient, hash, now, proofKey } from '../support/fapi-client.js';
import { type FapiHouse, startFapiHouse } from '../support/fapi-house.js';
import { send } from '../support/http.js';
import { forgetScans } from '../support/story.js';

describe('FAPI 2.0 Security Profile, DPoP', () => {
  let house: FapiHouse;
  let client: FapiClient;
  /** Of the client, bound to its key. */
  let token: string;
  let userinfo: string;
  beforeAll(async () => {
    house = await startFapiHouse();
    client = await house.client();
    token = (await house.tokens(client)).tokens.access_token;
    userinfo = `${house.server.url}/oauth/userinfo`;
  });
  afterAll(() => house?.stop());
  beforeEach(() => forgetScans(house.server.database));

  /** Calls userinfo with these proofs, as they are. */
  const call = (proofs: Record<string, string | string[]>, scheme = 'DPoP') =>
    send(userinfo, { headers: { authorization: `${scheme} ${token}`, ...proofs } });
  const nonceOf = async () => {
    const answer = await call({ dpop: await client.key.prove('GET', userinfo, { ath: hash(token) }) });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('use_dpop_nonce');
    return String(answer.headers['dpop-nonce']);
  };
  /** A right proof but for the change. */
  const proof = async (change: Change = {}, key = client.key) =>
    key.prove('GET', userinfo, { ath: hash(token), nonce: await nonceOf() }, change);
  const status = async (change: Change) => (await call({ dpop: await proof(change) })).status;

  describe('dpop-negative-tests', () => {
    // The last word: what failed before failed for its proof, not for the token.
    afterAll(async () => expect(await status({})).toBe(200));

    it('a proof is needed, and a nonce of the server in it', async () => {
      expect([400, 401]).toContain((await call({})).status);
      const nonce = await nonceOf();
      expect((await call({ dpop: await client.key.prove('GET', userinfo, { ath: hash(token), nonce }) })).status).toBe(
        200,
      );
      expect(await status({ claims: { nonce: 'invented' } })).toBe(401);
    });

    it('the header may be written in capitals', async () => {
      expect((await call({ DPOP: await proof() })).status).toBe(200);
    });

    it('there may be one proof only', async () => {
      expect([400, 401]).toContain((await call({ dpop: [await proof(), await proof()] })).status);
    });

    const unsigned = (jwt: string) => jwt.split('.').slice(0, 2).join('.');
    const renamed = (jwt: string) => {
      const [head = '', ...rest] = jwt.split('.');
      const { alg, ...others } = JSON.parse(Buffer.from(head, 'base64url').toString());
      return [encode({ alg2: alg, ...others }), ...rest].join('.');
    };
    const WRONG: Record<string, Change> = {
      'no well-formed JWT': { spoil: unsigned },
      'no typ': { header: { typ: undefined } },
      'another typ': { header: { typ: 'dpop+jwt+wrongyousee' } },
      'typ JWT': { header: { typ: 'JWT' } },
      'no alg': { spoil: renamed },
      'no jwk': { header: { jwk: undefined } },
      'no jti': { claims: { jti: undefined } },
      'no htm': { claims: { htm: undefined } },
      'no htu': { claims: { htu: undefined } },
      'no iat': { claims: { iat: undefined } },
      'no ath': { claims: { ath: undefined } },
      'an ath of another token': { claims: { ath: hash('another') } },
      'another htm': { claims: { htm: 'PUT' } },
      'alg none': { header: { alg: 'none' } },
      'alg HS256': { header: { alg: 'HS256' }, key: Buffer.from('x'.repeat(32)) },
      'another signature': { spoil: (jwt) => jwt.replace(/.{6}$/, 'AAAAAA') },
      'a numeric jti': { claims: { jti: 1 } },
    };
    it.each(Object.entries(WRONG))('%s is refused', async (_what, change) => {
      expect([400, 401]).toContain(await status(change));
    });

    it('another htu is refused', async () => {
      for (const htu of [
        `${userinfo}ohnonotagain`,
        'https://other.example/oauth/userinfo',
        `${house.server.url}/oauth/token`,
      ])
        expect([400, 401], htu).toContain(await status({ claims: { htu } }));
    });

    it('query and fragment of htu are ignored (RFC 9449 4.3-9)', async () => {
      expect(await status({ claims: { htu: `${userinfo}?allthedoors#onthisspaceship` } })).toBe(200);
    });

    it('scheme and host of htu are compared without case (a warning only)', async () => {
      const htu = userinfo.replace(/^http:\/\/localhost/, 'HTTP://LOCALHOST');
      expect(await status({ claims: { htu } })).toBe(200);
    });

    it('an iat of an hour ago or ahead is refused, with and without a nonce', async () => {
      for (const iat of [now() - 3600, now() + 3600]) {
        expect([400, 401]).toContain(await status({ claims: { iat } }));
        expect([400, 401]).toContain(await status({ claims: { iat, nonce: undefined } }));
      }
    });

    it('a private key in the header, or RS256, is refused', async () => {
      expect([400, 401]).toContain(await status({ header: { jwk: client.key.privateJwk } }));
      const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
      const rs256 = { header: { alg: 'RS256', jwk: await exportJWK(publicKey) }, key: privateKey };
      expect([400, 401]).toContain(await status(rs256));
    });

    it('a jti counts once', async () => {
      const once = await proof();
      expect((await call({ dpop: once })).status).toBe(200);
      expect([400, 401]).toContain((await call({ dpop: once })).status);
      const jti = 'the same';
      expect(await status({ claims: { jti } })).toBe(200);
      expect([400, 401]).toContain(await status({ claims: { jti } }));
    });

    it('another key than that of the token is refused', async () => {
      expect((await call({ dpop: await proof({}, await proofKey()) })).status).toBe(401);
    });

    it('members nobody knows are no harm', async () => {
      expect(await status({ header: { tx_id: now() }, claims: { tx_id_key: now() } })).toBe(200);
    });

    it('the token is no Bearer token, with a proof or without', async () => {
      expect([400, 401]).toContain((await call({}, 'Bearer')).status);
      expect([400, 401]).toContain((await call({ dpop: await proof() }, 'Bearer')).status);
    });
  });

  it('access-token-type-header-case-sensitivity: the scheme is read without case (RFC 9110 11.1)', async () => {
    expect((await call({ dpop: await proof() }, 'dPOp')).status).toBe(200);
  });

  it('a token in the query is refused (FAPI 2.0 5.3.4)', async () => {
    const answer = await send(`${userinfo}?access_token=${token}`, { headers: { dpop: await proof() } });
    expect(answer.status).toBe(400);
  });

  it.each(['ES256', 'PS256', 'EdDSA', 'Ed25519'])('a proof may be signed by %s', async (alg) => {
    const key = await proofKey(alg);
    const { code, verifier } = await house.allowed(client);
    const { access_token: bound } = expectTokens(await client.exchange(code, verifier, {}, { key }));
    expect((await client.userinfo(bound, { key })).status).toBe(200);
  });

  it('check-dpop-proof-nbf-exp: nbf now and exp in five minutes', async () => {
    const claims = { nbf: now(), exp: now() + 300 };
    const { code, verifier } = await house.allowed(client);
    const tokens = expectTokens(await client.exchange(code, verifier, {}, { proof: { claims } }));
    expect((await client.userinfo(tokens.access_token, { proof: { claims } })).status).toBe(200);
  });

  it.each([
    ['before', -10],
    ['after', 10],
  ])('ensure-dpop-proof-with-iat-10seconds-%s-succeeds', async (_when, seconds) => {
    const claims = { iat: now() + seconds };
    const { code, verifier } = await house.allowed(client);
    const tokens = expectTokens(await client.exchange(code, verifier, {}, { proof: { claims } }));
    expect((await client.userinfo(tokens.access_token, { proof: { claims } })).status).toBe(200);
  });

  it('ensure-holder-of-key-required: no tokens without a proof, and the code is still good', async () => {
    const { code, verifier } = await house.allowed(client);
    const refused = await client.exchange(code, verifier, {}, { proof: 'none' });
    expectRefusal(refused, ['invalid_request', 'invalid_grant', 'invalid_dpop_proof']);
    expectTokens(await client.exchange(code, verifier));
  });

  it('at the token endpoint too: a nonce is asked for with 400, and a wrong proof is invalid_dpop_proof', async () => {
    const { code, verifier } = await house.allowed(client);
    const unknown = await client.exchange(code, verifier, {}, { proof: { claims: { nonce: undefined } } });
    expectRefusal(unknown, 'use_dpop_nonce');
    expect(unknown.headers['dpop-nonce']).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    for (const change of [{ claims: { htm: 'GET' } }, { claims: { htu: userinfo } }, { header: { typ: 'JWT' } }])
      expectRefusal(await client.exchange(code, verifier, {}, { proof: change }), 'invalid_dpop_proof');
    expectTokens(await client.exchange(code, verifier));
  });

  describe('code binding', () => {
    const REFUSED = ['invalid_request', 'invalid_grant', 'invalid_dpop_proof'];

    it('ensure-dpop-auth-code-binding-success: by dpop_jkt', async () => {
      const { code, verifier } = await house.allowed(client, { dpop_jkt: client.key.thumbprint });
      expectTokens(await client.exchange(code, verifier));
    });

    it('ensure-dpopproof-at-par-endpoint-binding-success: by a proof at the PAR endpoint', async () => {
      const { code, verifier } = await house.allowed(client, {}, { key: client.key });
      expectTokens(await client.exchange(code, verifier));
    });

    it('ensure-mismatched-dpop-jkt-fails: dpop_jkt and proof of two keys at the PAR endpoint', async () => {
      const { query } = client.request({ dpop_jkt: (await proofKey()).thumbprint });
      expectRefusal(await client.push(query, { key: client.key }), ['invalid_request', 'invalid_dpop_proof']);
    });

    it('ensure-token-endpoint-fails-with-mismatched-dpop-jkt', async () => {
      const { code, verifier } = await house.allowed(client, { dpop_jkt: (await proofKey()).thumbprint });
      expectRefusal(await client.exchange(code, verifier), REFUSED);
    });

    it('ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt', async () => {
      const { code, verifier } = await house.allowed(client, {}, { key: await proofKey() });
      expectRefusal(await client.exchange(code, verifier), REFUSED);
    });
  });
});
