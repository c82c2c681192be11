/** A client of high security as an actor (FAPI 2.0): proves itself by key, pushes its requests, binds its tokens by DPoP. */
import { createHash, randomBytes } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { App } from '../../src/app.js';
import type { NewClient } from '../../src/client/registration.js';
import { type RawAnswer, send } from './http.js';
import { REDIRECT_URI } from './relying-party.js';
import { clientKeyPair } from './standard-site.js';

type Where = { url: string; port?: number };
type Claims = Record<string, unknown>;

/** A change of what is right by default; `undefined` leaves a member out. */
export interface Change {
  claims?: Claims;
  header?: Claims;
  /** Signs with this instead. */
  key?: CryptoKey | Uint8Array;
  /** The last word on the finished JWT. */
  spoil?: (jwt: string) => string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The key that tokens are bound to. */
export interface ProofKey {
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  readonly thumbprint: string;
  prove(method: string, url: string, more?: Claims, change?: Change): Promise<string>;
}

export async function proofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (method, url, more = {}, change = {}) =>
      sign(privateKey, {
        ...change,
        header: { alg, typ: 'dpop+jwt', jwk, ...change.header },
        claims: { jti: random(), iat: now(), htm: method, htu: url, ...more, ...change.claims },
      }),
  };
}

/** How one request differs: another proof key, a changed proof or none, a changed assertion. */
export interface Differently {
  key?: ProofKey;
  proof?: Change | 'none';
  /** Or a whole one, sent as it is. */
  assertion?: Change | 'none' | { jwt: string };
}

export interface FapiClient {
  readonly clientId: string;
  readonly alg: string;
  readonly key: ProofKey;
  /** Its own key, for assertions and request objects. */
  sign(claims: Claims, change?: Change): Promise<string>;
  assertion(change?: Change): Promise<string>;
  request(more?: Record<string, string>): { query: Record<string, string>; verifier: string };
  push(form: Record<string, string>, how?: Differently): Promise<RawAnswer>;
  exchange(code: string, verifier: string, more?: Record<string, string>, how?: Differently): Promise<RawAnswer>;
  refresh(token: string, how?: Differently): Promise<RawAnswer>;
  userinfo(token: string, how?: Differently & { headers?: Record<string, string | string[]> }): Promise<RawAnswer>;
}

export async function fapiClient(
  app: App,
  where: Where,
  { alg = 'ES256', ...settings }: Partial<NewClient> & { alg?: 'ES256' | 'PS256' | 'EdDSA' } = {},
): Promise<FapiClient> {
  const { key: own, clientKeys } = await clientKeyPair(alg);
  const { client } = await app.clients.register('test', {
    name: 'Bank',
    redirectUris: [REDIRECT_URI],
    authMethod: 'private_key_jwt',
    clientKeys,
    requirePar: true,
    dpopRequired: true,
    idTokenAlg: alg,
    ...settings,
  });
  const clientId = client.id;
  const key = await proofKey();
  const [parUrl, tokenUrl, userinfoUrl] = ['par', 'token', 'userinfo'].map((name) => `${where.url}/oauth/${name}`);
  const signOwn: FapiClient['sign'] = (claims, change = {}) =>
    sign(own.key, {
      ...change,
      header: { alg, kid: own.kid, ...change.header },
      claims: { ...claims, ...change.claims },
    });
  const assertion: FapiClient['assertion'] = (change) =>
    signOwn({ iss: clientId, sub: clientId, aud: where.url, jti: random(), iat: now(), exp: now() + 60 }, change);
  const finished = async (given: Change | { jwt: string } | undefined) =>
    given && 'jwt' in given ? given.jwt : assertion(given);
  /** Sends with a proof; once more with the server's nonce if that is what it wants (RFC 9449 8). */
  const withProof = async (
    by: { method: string; url: string; claims?: Claims },
    { key: other = key, proof }: Differently,
    request: (dpop: string | undefined) => Promise<RawAnswer>,
  ): Promise<RawAnswer> => {
    if (proof === 'none') return request(undefined);
    const first = await request(await other.prove(by.method, by.url, by.claims, proof));
    const nonce = first.headers['dpop-nonce'];
    if (nonce === undefined || !/use_dpop_nonce/.test(first.body + first.headers['www-authenticate'])) return first;
    return request(await other.prove(by.method, by.url, { ...by.claims, nonce }, proof));
  };
  const post = (url: string, form: Record<string, string>, how: Differently) =>
    withProof({ method: 'POST', url }, how, async (dpop) => {
      const jwt = how.assertion === 'none' ? undefined : await finished(how.assertion);
      const proven = jwt && { client_assertion_type: ASSERTION_TYPE, client_assertion: jwt };
      return send(url, {
        method: 'POST',
        port: where.port,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...(dpop === undefined ? {} : { dpop }) },
        body: new URLSearchParams({ ...form, ...proven }).toString(),
      });
    });
  const self: FapiClient = {
    clientId,
    alg,
    key,
    sign: signOwn,
    assertion,
    request(more) {
      const verifier = random();
      const query = {
        client_id: clientId,
        redirect_uri: REDIRECT_URI,
        response_type: 'code',
        scope: 'openid profile',
        state: random(),
        nonce: random(),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...more,
      };
      return { query, verifier };
    },
    // A proof here is optional: it binds the code (RFC 9449 10.1).
    push: (form, how = {}) => post(String(parUrl), form, { proof: how.key || how.proof ? undefined : 'none', ...how }),
    exchange: (code, verifier, more, how = {}) =>
      post(
        String(tokenUrl),
        { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier, ...more },
        how,
      ),
    refresh: (token, how = {}) => post(String(tokenUrl), { grant_type: 'refresh_token', refresh_token: token }, how),
    userinfo: (token, { headers = {}, ...how } = {}) =>
      withProof({ method: 'GET', url: String(userinfoUrl), claims: { ath: hash(token) } }, how, (dpop) =>
        send(String(userinfoUrl), {
          port: where.port,
          headers: { authorization: `DPoP ${token}`, ...(dpop === undefined ? {} : { dpop }), ...headers },
        }),
      ),
  };
  return self;
}

async function sign(key: CryptoKey | Uint8Array, { claims = {}, header = {}, ...change }: Change): Promise<string> {
  const [head, body] = [defined(header), defined(claims)];
  const jwt =
    head.alg === 'none'
      ? `${encode(head)}.${encode(body)}.`
      : await new SignJWT(body).setProtectedHeader({ alg: '', ...head }).sign(change.key ?? key);
  return change.spoil?.(jwt) ?? jwt;
}

export function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function hash(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

function defined(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
