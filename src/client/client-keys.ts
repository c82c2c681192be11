/** The public keys a client signs with, as it pasted them: never fetched (T60), never private (T48). */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { either, type Saying, saying } from '../saying.js';

/** What may be kept of a key. */
const MEMBERS = ['kty', 'crv', 'n', 'e', 'x', 'y', 'kid', 'alg', 'use'] as const;
type PublicJwk = { readonly [M in (typeof MEMBERS)[number]]?: string };

export interface ClientKeys {
  readonly keys: readonly PublicJwk[];
}

/** Of the whole set as JSON. */
export const MAX_KEYS_LENGTH = 16_384;
const MAX_KEYS = 10;

/** Members that only a private or a symmetric key has. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** Key type, and for a curve which one: the members that make it, and the algorithms it may sign with. */
const KINDS: Readonly<Record<string, { members: readonly string[]; algorithms: readonly string[] }>> = {
  RSA: { members: ['n', 'e'], algorithms: ['PS256', 'RS256'] },
  'EC P-256': { members: ['x', 'y'], algorithms: ['ES256'] },
  'OKP Ed25519': { members: ['x'], algorithms: ['EdDSA', 'Ed25519'] },
};

export function isKeySet(value: unknown): value is ClientKeys {
  const keys = (value as ClientKeys | null)?.keys;
  return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null && !Array.isArray(key));
}

/**
 * Every member that its kind does not have is left out: nobody has looked at it. So is the `alg` of an Ed25519 key: it has
 * two names for the one thing it does (RFC 9864), and either must find it.
 */
export function tidyKeys({ keys }: ClientKeys): ClientKeys {
  const kept = (key: PublicJwk) => MEMBERS.filter((member) => key[member] !== undefined && isKept(key, member));
  return { keys: keys.map((key) => Object.fromEntries(kept(key).map((member) => [member, key[member]]))) };
}

function isKept(key: PublicJwk, member: (typeof MEMBERS)[number]): boolean {
  if (member === 'crv') return key.kty !== 'RSA';
  if (member === 'alg') return key.kty !== 'OKP';
  return ['kty', 'kid', 'use', ...(kindOf(key)?.members ?? [])].includes(member);
}

/** Why a key set is refused, or undefined. What it holds is never repeated: it may be a secret. */
export function clientKeysProblem({ keys }: ClientKeys): Saying | undefined {
  for (const [i, key] of keys.entries()) {
    const secret = SECRET_MEMBERS.find((member) => Object.hasOwn(key, member));
    if (secret !== undefined || key.kty === 'oct')
      return saying('key {number} of the JWK set is a {kind} key: {mend}', {
        number: i + 1,
        kind: secret === undefined || secret === 'k' ? saying('symmetric') : saying('private'),
        mend:
          key.kty === 'oct'
            ? saying('use an RSA, EC or OKP key')
            : saying('paste the public part only, and make a new key if anybody else may have read this one'),
      });
  }
  if (keys.length === 0 || keys.length > MAX_KEYS)
    return saying('the JWK set must hold 1 to {most} keys', { most: MAX_KEYS });
  if (JSON.stringify({ keys }).length > MAX_KEYS_LENGTH)
    return saying('the JWK set must be at most {most} characters long', { most: MAX_KEYS_LENGTH });
  const ids = keys.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(ids).size < ids.length) return saying('two keys of the JWK set have the same kid');
  for (const [i, key] of keys.entries()) {
    const problem = keyProblem(key);
    if (problem) return saying('key {number} of the JWK set {problem}', { number: i + 1, problem });
  }
  return undefined;
}

function keyProblem(key: PublicJwk & { key_ops?: unknown }): Saying | undefined {
  const { kid, alg, use, key_ops: operations } = key;
  const kind = kindOf(key);
  if (!kind) return saying('must be RSA, EC on P-256, or OKP on Ed25519');
  if (kid !== undefined && (typeof kid !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(kid)))
    return saying('must have a kid of 1 to 200 printable ASCII characters, or none');
  // An RSA key signs in two ways; without a word the older one would always be believed (RFC 8725 3.1).
  if (alg === undefined ? key.kty === 'RSA' : !kind.algorithms.includes(alg))
    return key.kty === 'RSA'
      ? saying('must have the alg {algorithms}', { algorithms: either(kind.algorithms) })
      : saying('must have the alg {algorithms}, or none', { algorithms: either(kind.algorithms) });
  if (
    (use !== undefined && use !== 'sig') ||
    (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
  )
    return saying('is not for signatures; leave it out: nothing here is encrypted');
  const members = key as Record<string, unknown>;
  if (!kind.members.every((m) => typeof members[m] === 'string' && /^[\w-]+$/.test(members[m])))
    return saying('must have {members}, in base64url', { members: every(kind.members) });
  return sizeProblem(key);
}

function kindOf({ kty, crv }: PublicJwk) {
  return KINDS[kty === 'RSA' ? 'RSA' : `${kty} ${crv}`];
}

function sizeProblem(key: PublicJwk): Saying | undefined {
  const parts = Object.fromEntries(['kty', 'crv', 'n', 'e', 'x', 'y'].map((m) => [m, key[m as keyof PublicJwk]]));
  let details: { modulusLength?: number; publicExponent?: bigint } | undefined;
  try {
    details = createPublicKey({ key: parts as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails;
  } catch {
    return saying('is no key: its numbers do not fit together');
  }
  if (key.kty !== 'RSA') return undefined;
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  // Checking a signature of a larger key would cost everybody time.
  if (modulusLength < 2048 || modulusLength > 4096)
    return saying('must have 2048 to 4096 bits; it has {bits}', { bits: modulusLength });
  if (publicExponent < 65_537n || publicExponent > 0xff_ff_ff_ffn || publicExponent % 2n === 0n)
    return saying('must have a public exponent such as 65537 (AQAB)');
  return undefined;
}

function every([first = '', ...others]: readonly string[]): string | Saying {
  return others.reduce<string | Saying>((one, other) => saying('{one} and {other}', { one, other }), first);
}

/** One line a key, for people. */
export function describeKeys({ keys }: ClientKeys): string[] {
  return keys.map(({ kty, crv, alg, kid }) => [kty, crv, alg, kid && `kid ${kid}`].filter(Boolean).join(' '));
}
