/** What JWTs of clients must say beyond the engine's own checks, and that each of them counts once (T48, T50, T51, T57). */
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { hashSecret } from '../secret.js';
import type { RecordStore } from './record-store.js';

/** Seconds. A clock may be this far ahead. */
const SKEW = 10;
const LONGEST_ASSERTION = 300;
const LONGEST_REQUEST_OBJECT = 3600;
/** Seconds a DPoP proof may be old, or new (T51). */
const PROOF_WINDOW = 60;

/** Types in the header, where there is one. */
const ASSERTION_TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'client-authentication+jwt']);
const REQUEST_TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'oauth-authz-req+jwt']);

type Claims = Record<string, unknown>;

/** Client assertions (RFC 7523 3, FAPI 2.0 5.3.2.1): for this server alone, and short-lived. */
export function checkClientAssertion(ctx: KoaContextWithOIDC, claims: Claims): void {
  // Whatever else the client signs with this key, such as a request object, proves nothing of who calls (RFC 8725 3.11).
  if (!ASSERTION_TYPES.has(typeOf(headerOf(String(ctx.oidc.params?.client_assertion))))) {
    throw new errors.InvalidClientAuth(
      'the client assertion has another type: JWT or client-authentication+jwt is expected',
    );
  }
  if (claims.aud !== ctx.oidc.issuer) {
    throw new errors.InvalidClientAuth('the client assertion must have the issuer, and nothing else, as its audience');
  }
  if (Number(claims.exp) - now() > LONGEST_ASSERTION + SKEW) {
    throw new errors.InvalidClientAuth(`the client assertion may live ${LONGEST_ASSERTION} seconds at most`);
  }
  if (typeof claims.jti !== 'string' || claims.jti.length > 512) {
    throw new errors.InvalidClientAuth('the jti of the client assertion must be a string of at most 512 characters');
  }
}

/** Signed request objects (RFC 9101 4, FAPI 2.0 Message Signing 5.3.1): typed if typed at all, and not for ever. */
export function checkRequestObject(ctx: KoaContextWithOIDC, claims: Claims, header: Claims): void {
  if (!REQUEST_TYPES.has(typeOf(header))) {
    throw new errors.InvalidRequestObject('the request object has another type: oauth-authz-req+jwt is expected');
  }
  if (claims.iss === undefined || claims.aud === undefined || typeof claims.exp !== 'number') {
    throw new errors.InvalidRequestObject('the request object must have iss, aud and exp');
  }
  if (ctx.oidc.client?.requireSignedRequestObject && typeof claims.nbf !== 'number') {
    throw new errors.InvalidRequestObject('the request object must have nbf');
  }
  if (typeof claims.nbf === 'number' && now() - claims.nbf > LONGEST_REQUEST_OBJECT + SKEW) {
    throw new errors.InvalidRequestObject(`the request object may be ${LONGEST_REQUEST_OBJECT} seconds old at most`);
  }
  if (claims.exp - now() > LONGEST_REQUEST_OBJECT + SKEW) {
    throw new errors.InvalidRequestObject(`the request object may live ${LONGEST_REQUEST_OBJECT} seconds at most`);
  }
}

/** A jti counts once, whichever node sees it: the engine's own check reads first and writes after. */
export function countOnce(provider: Provider, records: RecordStore): void {
  const { ReplayDetection } = provider as unknown as {
    ReplayDetection: { unique(owner: string, jti: string, exp: number): Promise<boolean> };
  };
  ReplayDetection.unique = (owner, jti, exp) =>
    records.putOnce({ kind: 'ReplayDetection', key: hashSecret(`${owner}\n${jti}`), seconds: exp - now() + SKEW });
}

/** The engine trusts a proof with our nonce whatever its `iat`; a nonce lives five minutes, a proof one (T51). */
export function checkProof(ctx: KoaContextWithOIDC): void {
  const { iat } = claimsOf(ctx.get('DPoP')) ?? {};
  if (typeof iat === 'number' && Math.abs(now() - iat) > PROOF_WINDOW) {
    throw new errors.InvalidDpopProof('DPoP proof iat is not recent enough');
  }
}

function claimsOf(jwt: string): Claims | undefined {
  return decoded(jwt.split('.')[1]);
}

function headerOf(jwt: string): Claims | undefined {
  return decoded(jwt.split('.')[0]);
}

function decoded(part: string | undefined): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Claims;
  } catch {
    // The engine says what is wrong with it.
    return undefined;
  }
}

/** RFC 7515 4.1.9: a media type, any case, whose `application/` may be left out. */
function typeOf(header: Claims | undefined): unknown {
  const typ = header?.typ;
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
