/** A client with a key of its own: its assertions, request objects and DPoP proofs, right or wrong in any part. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { exportJWK } from 'jose';
import type { App } from '../../src/app.js';
import type { NewClient } from '../../src/client/registration.js';
import { signJwt } from './hostile-jwts.js';
import { type RawAnswer, send } from './http.js';
import { type OauthSite, oauthSite } from './relying-party.js';

type Where = { url: string; port?: number };
type Json = Record<string, unknown>;

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** A form posted as a program posts it. */
export function postTo(
  where: Where,
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return send(where.url + path, {
    method: 'POST',
    port: where.port,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  });
}

export function basic({ clientId, secret }: { clientId: string; secret: string }): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
}

export interface SigningSite extends Pick<OauthSite, 'clientId' | 'request'> {
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly header: { alg: string; kid: string };
  /** What a right one says. */
  assertionClaims(more?: Json): Json;
  requestClaims(more?: Json): { claims: Json; verifier: string };
  assertion(more?: Json, header?: Json): Promise<string>;
  requestObject(more?: Json, header?: Json): Promise<string>;
  /** Its form fields of authentication. */
  proof(assertion?: string): Promise<Record<string, string>>;
}

/** Signs with ES256. Authenticates with its key unless another method is given. */
export async function signingSite(app: App, where: Where, more: Partial<NewClient> = {}): Promise<SigningSite> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = 'first';
  const clientKeys = { keys: [{ ...(await exportJWK(publicKey)), kid } as object] } as NewClient['clientKeys'];
  const site = await oauthSite(app, where, { authMethod: 'private_key_jwt', clientKeys, ...more });
  const { clientId } = site;
  const header = { alg: 'ES256', kid };
  const assertionClaims = (other: Json = {}) => ({
    iss: clientId,
    sub: clientId,
    aud: where.url,
    jti: randomUUID(),
    iat: seconds(),
    exp: seconds() + 60,
    ...other,
  });
  const requestClaims = (other: Json = {}) => {
    const { query, verifier } = site.request();
    return { verifier, claims: { ...query, iss: clientId, aud: where.url, exp: seconds() + 60, ...other } };
  };
  const assertion = (other?: Json, head?: Json) => signJwt(assertionClaims(other), { ...header, ...head }, key);
  return {
    ...site,
    key,
    publicKey,
    header,
    assertionClaims,
    requestClaims,
    assertion,
    requestObject: (other, head) => signJwt(requestClaims(other).claims, { ...header, ...head }, key),
    async proof(given) {
      return { client_assertion_type: ASSERTION_TYPE, client_assertion: given ?? (await assertion()) };
    },
  };
}

export interface Prover {
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  /** A right proof but for what `claims` and `header` say otherwise; with the last nonce it was told. */
  proof(method: string, url: string, claims?: Json, header?: Json): Promise<string>;
  /** Hears the nonce of an answer. */
  hear(answer: RawAnswer): RawAnswer;
  nonce(): string | undefined;
  header(): Promise<Json & { alg: string }>;
}

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** Whoever holds a DPoP key (RFC 9449). */
export function dpopProver(): Prover {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let nonce: string | undefined;
  const header = async () => ({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) });
  return {
    key,
    publicKey,
    header,
    async proof(method, url, claims = {}, head = {}) {
      const said = { jti: randomUUID(), htm: method, htu: url, iat: seconds(), ...(nonce ? { nonce } : {}), ...claims };
      return signJwt(said, { ...(await header()), ...head } as Json & { alg: string }, key);
    },
    hear(answer) {
      const told = answer.headers['dpop-nonce'];
      if (typeof told === 'string') nonce = told;
      return answer;
    },
    nonce: () => nonce,
  };
}
