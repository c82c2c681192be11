/** T57: a client assertion counts once, for this server alone; T56: and it is the one way its client has. Two nodes, as behind a balancer. */
import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { signJwt } from '../support/hostile-jwts.js';
import { type RawAnswer, send } from '../support/http.js';
import { oauthSite } from '../support/relying-party.js';
import { ASSERTION_TYPE, basic, postTo, type SigningSite, seconds, signingSite } from '../support/signing-site.js';

let cluster: Cluster;
let site: SigningSite;
beforeAll(async () => {
  cluster = await startCluster({ TRUSTED_PROXIES: 'loopback' });
  site = await signingSite(cluster.registry.app, cluster.a);
});
afterAll(() => cluster?.stop());

let callers = 0;
const caller = () => {
  callers += 1;
  return { 'x-forwarded-for': `203.0.113.${callers % 250}` };
};
const push = async (proof: Record<string, string>, turn = 0, by = site, headers: Record<string, string> = caller()) =>
  postTo(cluster.either(turn), '/oauth/par', { ...by.request().query, ...proof }, headers);
const outcome = ({ status, body }: RawAnswer) => [status, (JSON.parse(body) as { error?: string }).error];
/** All that a caller could tell two answers by. */
const bytes = ({ status, headers, body }: RawAnswer) => {
  const { date: _, 'x-request-id': __, ...rest } = headers;
  return [status, body, rest];
};

describe('T57 a client assertion', () => {
  it('counts once, of twenty at the same time at two nodes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const proof = await site.proof();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, turn) => push(proof, turn)));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 401)).toHaveLength(19);
    }
  });

  it('counts once wherever it is used first, and whatever is signed around its jti', async () => {
    const claims = { jti: 'chosen-by-the-client' };
    expect((await push(await site.proof(await site.assertion(claims)))).status).toBe(201);
    for (const path of ['/oauth/par', '/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/device']) {
      const again = await site.proof(await site.assertion({ ...claims, exp: seconds() + 290 }));
      const answer = await postTo(cluster.b, path, { ...site.request().query, token: 'x', ...again }, caller());
      expect([path, ...outcome(answer)]).toEqual([path, 401, 'invalid_client']);
    }
    // Somebody else may choose the same.
    const other = await signingSite(cluster.registry.app, cluster.a);
    expect((await push(await other.proof(await other.assertion(claims)), 0, other)).status).toBe(201);
  });

  it('that was refused for something else uses nothing up', async () => {
    const assertion = await site.assertion();
    const forged = `${assertion.slice(0, -20)}${'A'.repeat(20)}`;
    expect((await push(await site.proof(forged))).status).toBe(401);
    expect((await push(await site.proof(assertion), 1)).status).toBe(201);
  });

  it('is for this server alone, short-lived, and says who made it', async () => {
    const now = seconds();
    const { url } = cluster.a;
    const wrongs: Record<string, unknown>[] = [
      { aud: [url] },
      { aud: [url, 'https://other.example'] },
      { aud: `${url}/` },
      { aud: `${url}/oauth/token` },
      { aud: `${url}/oauth/par` },
      { aud: url.toUpperCase() },
      { aud: 'https://other.example' },
      { jti: undefined },
      { jti: '' },
      { jti: 'x'.repeat(513) },
      { exp: now + 400 },
      { exp: now + 10 ** 9 },
      { exp: undefined },
      { exp: now - 30 },
      { iss: 'somebody' },
      { iss: `${site.clientId} ` },
      { sub: undefined },
      { nbf: now + 60 },
    ];
    for (const wrong of wrongs) {
      const answer = await push(await site.proof(await site.assertion(wrong)));
      expect([JSON.stringify(wrong), ...outcome(answer)]).toEqual([JSON.stringify(wrong), 401, 'invalid_client']);
    }
    expect((await push(await site.proof(await site.assertion({ exp: now + 295 })))).status).toBe(201);
  });

  it('of a key that was taken away is refused by every node from the next request on', async () => {
    const changing = await signingSite(cluster.registry.app, cluster.a);
    for (const turn of [0, 1]) expect((await push(await changing.proof(), turn, changing)).status).toBe(201);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const clientKeys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'second' } as object] };
    await cluster.registry.app.clients.update('test', changing.clientId, { clientKeys });
    for (const turn of [0, 1]) {
      expect((await push(await changing.proof(), turn, changing)).status).toBe(401);
      const next = await signJwt(changing.assertionClaims(), { alg: 'ES256', kid: 'second' }, privateKey);
      expect((await push(await changing.proof(next), turn, changing)).status).toBe(201);
    }
  });
});

describe('T56 a client with a key', () => {
  it('is answered like a client that does not exist, whatever wrong proof is brought for it', async () => {
    const forged = await site.assertion({ exp: seconds() - 60 });
    const unknown = (jwt: Record<string, string>) =>
      postTo(cluster.a, '/oauth/par', { ...site.request().query, ...jwt });
    const nobody = { ...site.assertionClaims(), iss: 'nobody', sub: 'nobody' };
    const byNobody = {
      client_id: 'nobody',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await signJwt(nobody, site.header, site.key),
    };
    expect(bytes(await unknown(await site.proof(forged)))).toEqual(bytes(await unknown(byNobody)));
    // A secret, in either place, is no proof of a client with a key.
    const { client_id: id, ...form } = site.request().query;
    const withSecret = (clientId: string) =>
      postTo(cluster.a, '/oauth/par', form as never, { ...caller(), ...basic({ clientId, secret: 's3cret' }) });
    expect(bytes(await withSecret(String(id)))).toEqual(bytes(await withSecret('nobody')));
    expect((await withSecret(String(id))).status).toBe(401);
    const inBody = (clientId: string) => push({ client_id: clientId, client_secret: 's3cret' });
    expect(bytes(await inBody(site.clientId))).toEqual(bytes(await inBody('nobody')));
    const without = (clientId: string) => push({ client_id: clientId });
    expect(bytes(await without(site.clientId))).toEqual(bytes(await without('nobody')));
    expect((await without(site.clientId)).status).toBe(401);
    expect((await push({ client_id: site.clientId, client_secret: 'held-as-a-hash' })).status).toBe(401);
  });

  it('proves itself by one thing at a time, of the right kind', async () => {
    const two = { ...(await site.proof()), client_secret: 'x' };
    expect(outcome(await push(two))).toEqual([400, 'invalid_request']);
    const both = await push(await site.proof(), 0, site, {
      ...caller(),
      ...basic({ clientId: site.clientId, secret: 'x' }),
    });
    expect(outcome(both)).toEqual([400, 'invalid_request']);
    for (const type of ['', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer', ASSERTION_TYPE.toUpperCase()]) {
      expect([400, 401]).toContain((await push({ ...(await site.proof()), client_assertion_type: type })).status);
    }
    const twice = new URLSearchParams({ ...site.request().query, ...(await site.proof()) });
    twice.append('client_assertion', await site.assertion());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...caller() };
    const answer = await send(`${cluster.a.url}/oauth/par`, {
      method: 'POST',
      port: cluster.a.port,
      headers,
      body: twice.toString(),
    });
    expect(outcome(answer)).toEqual([400, 'invalid_request']);
  });

  it('alone may use one: not a client with a secret, nor a public one, nor one of the WeChat dialect', async () => {
    const { app } = cluster.registry;
    const clientKeys = { keys: [{ ...(await exportJWK(site.publicKey)), kid: 'first' } as object] };
    const others = [
      await oauthSite(app, cluster.a, { clientKeys }),
      await oauthSite(app, cluster.a, { clientKeys, authMethod: 'client_secret_post' }),
      await oauthSite(app, cluster.a, { clientKeys, authMethod: 'none' }),
    ];
    for (const { clientId } of others) {
      const claims = site.assertionClaims({ iss: clientId, sub: clientId });
      const proof = await site.proof(await signJwt(claims, site.header, site.key));
      const answer = await push({ ...proof, client_id: clientId });
      expect(outcome(answer)).toEqual([401, 'invalid_client']);
    }
  });

  it('may be guessed twenty times a minute from one address; its right assertion is taken all the same', async () => {
    const guessed = await signingSite(cluster.registry.app, cluster.a);
    const from = { 'x-forwarded-for': '198.51.100.77' };
    const guess = async () => push(await guessed.proof(await guessed.assertion({ aud: 'x' })), 0, guessed, from);
    const statuses: number[] = [];
    for (let i = 0; i < 22; i += 1) statuses.push((await guess()).status);
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(statuses.slice(20)).toEqual([429, 429]);
    // No guess can come near a signature, so nobody shuts out the site behind the same address.
    expect((await push(await guessed.proof(), 0, guessed, from)).status).toBe(201);
  });
});
