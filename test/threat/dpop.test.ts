/** T51: a DPoP proof is good once, for one address, now, and for its own key alone. Two nodes, as behind a balancer. */
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { basic, dpopProver, hashOf, type Prover, postTo, seconds } from '../support/signing-site.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { forgetScans, person } from '../support/story.js';

type Where = { url: string; port: number };

let cluster: Cluster;
let site: OauthSite;
let open: OauthSite;
let phone: Awaited<ReturnType<typeof person>>;
let prover: Prover;
let bound: Record<string, string>;
let token: string;
let userinfoUrl: string;
let tokenUrl: string;

beforeAll(async () => {
  cluster = await startCluster();
  site = await oauthSite(cluster.registry.app, cluster.a);
  open = await oauthSite(cluster.registry.app, cluster.a, { authMethod: 'none', dpopRequired: true });
  phone = await person(cluster.registry.app, cluster.registry);
  userinfoUrl = `${cluster.a.url}/oauth/userinfo`;
  tokenUrl = `${cluster.a.url}/oauth/token`;
});
afterAll(() => cluster?.stop());
beforeEach(async () => {
  prover = dpopProver();
  bound = await signIn(prover);
  token = String(bound.access_token);
  prover.hear(await userinfo(await prover.proof('GET', userinfoUrl, { ath: hashOf(token) })));
});

const codeOf = async (query: Record<string, string>) => {
  await forgetScans(cluster.registry.database);
  const browser = new StandardBrowser(cluster.a);
  const { answer } = await browser.signInByPhone(browser.authorizeUrl(query), phone);
  return { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code: String(answer.code) };
};
const newCode = async (of = site, more: Record<string, string> = {}) => {
  const { query, verifier } = of.request({ scope: 'openid profile offline_access', prompt: 'consent', ...more });
  return { ...(await codeOf(query)), code_verifier: verifier };
};
const exchange = (form: Record<string, string>, proof?: string, where: Where = cluster.a, of = site) => {
  const dpop: Record<string, string> = proof === undefined ? {} : { dpop: proof };
  return of.secret === ''
    ? postTo(where, '/oauth/token', { ...form, client_id: of.clientId }, dpop)
    : postTo(where, '/oauth/token', form, { ...basic(of), ...dpop });
};
/** The first answer brings the nonce. */
const withProof = async (form: Record<string, string>, by: Prover, of = site) => {
  const once = async () => by.hear(await exchange(form, await by.proof('POST', tokenUrl), cluster.a, of));
  const first = await once();
  return first.status === 200 ? first : once();
};
const signIn = async (by: Prover) => {
  const answer = await withProof(await newCode(), by);
  expect(answer.status, answer.body).toBe(200);
  return answer.json<Record<string, string>>();
};
const userinfo = (
  proof?: string,
  where: Where = cluster.a,
  scheme = 'DPoP',
  method = 'GET',
  path = '/oauth/userinfo',
) =>
  send(cluster.a.url + path, {
    port: where.port,
    method,
    headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
  });
const right = (claims = {}, header = {}) => prover.proof('GET', userinfoUrl, { ath: hashOf(token), ...claims }, header);
const errorOf = ({ headers, body }: RawAnswer) =>
  /error="([^"]+)"/.exec(String(headers['www-authenticate']))?.[1] ?? (JSON.parse(body) as { error?: string }).error;

describe('T51 a DPoP proof', () => {
  it('reads once, of twenty at the same time at two nodes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const proof = await right();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, turn) => userinfo(proof, cluster.either(turn))));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    }
  });

  it('refreshes once, of twenty at the same time at two nodes, and its jti is used up whatever is signed around it', async () => {
    const jti = randomUUID();
    const form = { grant_type: 'refresh_token', refresh_token: String(bound.refresh_token) };
    const proof = await prover.proof('POST', tokenUrl, { jti });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, turn) => exchange(form, proof, cluster.either(turn) as Where)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await userinfo(await right({ jti }), cluster.b)).status).toBe(401);
  });

  it('is for its address however that is written, and whatever query follows (RFC 9449 4.3)', async () => {
    for (const htu of [
      `${userinfoUrl}?`,
      `${userinfoUrl}?x=y`,
      `${userinfoUrl}#x`,
      userinfoUrl.replace('http', 'HTTP'),
      userinfoUrl.replace('localhost', 'LOCALHOST'),
      userinfoUrl.replace('/oauth/', '/x/../oauth/'),
    ]) {
      expect([htu, (await userinfo(await right({ htu }))).status]).toEqual([htu, 200]);
    }
  });

  it('is for its address and method, and no other', async () => {
    const { host } = new URL(userinfoUrl);
    const wrongs: Record<string, unknown>[] = [
      `${userinfoUrl}/`,
      userinfoUrl.replace('userinfo', 'UserInfo'),
      userinfoUrl.replace('userinfo', '%75serinfo'),
      userinfoUrl.replace('//', '//user@'),
      userinfoUrl.replace(host, 'evil.example'),
      userinfoUrl.replace(host, `127.0.0.1:${cluster.a.port}`),
      userinfoUrl.replace('http:', 'https:'),
      tokenUrl,
      '/oauth/userinfo',
      '',
    ].map((htu) => ({ htu }));
    wrongs.push({ htu: undefined }, { htu: 7 }, { htm: 'POST' }, { htm: 'get' }, { htm: undefined });
    for (const wrong of wrongs) {
      const answer = await userinfo(await right(wrong));
      expect([JSON.stringify(wrong), answer.status, errorOf(answer)]).toEqual([
        JSON.stringify(wrong),
        401,
        'invalid_dpop_proof',
      ]);
      const form = await prover.proof('POST', tokenUrl, wrong.htu === tokenUrl ? { htu: userinfoUrl } : wrong);
      if (wrong.htm === 'POST') continue;
      const atToken = await exchange({ grant_type: 'refresh_token', refresh_token: String(bound.refresh_token) }, form);
      expect([JSON.stringify(wrong), atToken.status]).toEqual([JSON.stringify(wrong), 400]);
    }
    expect((await userinfo(await right())).status).toBe(200);
  });

  it('is of now: ten seconds ahead at most a minute off, and never without a time', async () => {
    const now = seconds();
    for (const iat of [now + 10, now - 10, now + 50, now - 50])
      expect((await userinfo(await right({ iat }))).status).toBe(200);
    for (const iat of [now + 65, now - 65, now + 3600, 0, undefined, String(now)]) {
      const answer = await userinfo(await right({ iat }));
      expect([iat, answer.status, errorOf(answer)]).toEqual([iat, 401, 'invalid_dpop_proof']);
    }
  });

  it('holds a nonce of ours, of whichever node, and no other', async () => {
    for (const nonce of [undefined, 'x'.repeat(43), '']) {
      const answer = await userinfo(await right({ nonce }));
      expect([answer.status, errorOf(answer)]).toEqual([401, 'use_dpop_nonce']);
      expect(answer.headers['dpop-nonce']).toMatch(/^[\w-]{20,}$/);
    }
    const noneAtToken = await exchange(await newCode(), await prover.proof('POST', tokenUrl, { nonce: undefined }));
    expect([noneAtToken.status, noneAtToken.json().error]).toEqual([400, 'use_dpop_nonce']);
    for (const [from, to] of [
      [cluster.a, cluster.b],
      [cluster.b, cluster.a],
    ] as const) {
      const told = await userinfo(await right({ nonce: undefined }), from);
      const answer = await userinfo(await right({ nonce: told.headers['dpop-nonce'] }), to);
      expect(answer.status).toBe(200);
    }
  });

  it('is for exactly its token', async () => {
    for (const ath of [undefined, '', hashOf('another'), hashOf(token).toUpperCase(), token, `${hashOf(token)}=`]) {
      const answer = await userinfo(await right({ ath }));
      expect([ath, answer.status]).toEqual([ath, 401]);
    }
  });
});

describe('T51 a token that is bound to a key', () => {
  it('opens nothing without a proof, nor as a bearer token', async () => {
    for (const scheme of ['DPoP', 'dpop', 'Bearer', 'bearer', 'Basic']) {
      expect([scheme, (await userinfo(undefined, cluster.a, scheme)).status]).toEqual([
        scheme,
        expect.toBeOneOf([400, 401]),
      ]);
    }
    expect([400, 401]).toContain((await userinfo(await right(), cluster.a, 'Bearer')).status);
    const inBody = await postTo(cluster.a, '/oauth/userinfo', { access_token: token });
    expect([400, 401]).toContain(inBody.status);
    const proof = await prover.proof('POST', userinfoUrl, { ath: hashOf(token) });
    expect([400, 401]).toContain(
      (await postTo(cluster.a, '/oauth/userinfo', { access_token: token }, { dpop: proof })).status,
    );
  });

  it('opens nothing with the proof of another key', async () => {
    const thief = dpopProver();
    thief.hear(await userinfo(await thief.proof('GET', userinfoUrl, { ath: hashOf(token) })));
    const answer = await userinfo(await thief.proof('GET', userinfoUrl, { ath: hashOf(token) }));
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_token']);
    // Nor with the right key named in a proof that another one signed.
    const jwk = await exportJWK(prover.publicKey);
    expect((await userinfo(await thief.proof('GET', userinfoUrl, { ath: hashOf(token) }, { jwk }))).status).toBe(401);
    const two = await send(userinfoUrl, {
      port: cluster.a.port,
      headers: { authorization: `DPoP ${token}`, dpop: [await right(), await right()] },
    });
    expect([400, 401]).toContain(two.status);
  });

  it('is not made of a bearer token, and a bearer token is not read as one', async () => {
    const form = await newCode();
    const bearer = (await exchange(form)).json<Record<string, string>>();
    token = String(bearer.access_token);
    expect(bearer.token_type).toBe('Bearer');
    expect((await userinfo(await right())).status).toBe(401);
    expect((await userinfo(undefined, cluster.a, 'Bearer')).status).toBe(200);
  });

  it('is all that a client gets that promised it, in whatever grant', async () => {
    const form = await newCode(open);
    const without = await exchange(form, undefined, cluster.a, open);
    expect([without.status, without.json()]).toEqual([
      400,
      expect.not.objectContaining({ access_token: expect.anything() }),
    ]);
    const tokens = (await withProof(await newCode(open), prover, open)).json<Record<string, string>>();
    expect(tokens.token_type).toBe('DPoP');
    // The refresh token of a public client is bound as well (RFC 9449 5).
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    expect((await exchange(refresh, undefined, cluster.a, open)).status).toBe(400);
    const stolen = await withProof(refresh, dpopProver(), open);
    expect([stolen.status, stolen.json().error]).toEqual([400, 'invalid_grant']);
    expect((await withProof(refresh, prover, open)).status).toBe(200);
  });

  it('comes of a code that is bound to that key, by dpop_jkt or by a pushed proof', async () => {
    const jkt = await calculateJwkThumbprint(await exportJWK(prover.publicKey));
    const named = () => newCode(site, { dpop_jkt: jkt });
    expect((await withProof(await named(), dpopProver())).status).toBe(400);
    expect((await exchange(await named())).status).toBe(400);
    expect((await withProof(await named(), prover)).status).toBe(200);

    const pushUrl = `${cluster.a.url}/oauth/par`;
    const pushed = async () => {
      const { query, verifier } = site.request();
      const proof = await prover.proof('POST', pushUrl);
      const answer = prover.hear(await postTo(cluster.a, '/oauth/par', query, { ...basic(site), dpop: proof }));
      expect(answer.status, answer.body).toBe(201);
      return {
        ...(await codeOf({ client_id: site.clientId, request_uri: String(answer.json().request_uri) })),
        code_verifier: verifier,
      };
    };
    expect((await withProof(await pushed(), dpopProver())).status).toBe(400);
    expect((await withProof(await pushed(), prover)).status).toBe(200);
  });
});
