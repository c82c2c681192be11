import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ClientKeys,
  clientKeysProblem,
  describeKeys,
  isKeySet,
  MAX_KEYS_LENGTH,
  tidyKeys,
} from '../../../src/client/client-keys.js';
import { say } from '../../../src/saying.js';

type Jwk = Record<string, unknown>;

const exported = (key: KeyObject) => key.export({ format: 'jwk' }) as Jwk;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const [BARE, EC, ED] = [rsa, ec, ed].map(({ publicKey }) => exported(publicKey)) as [Jwk, Jwk, Jwk];
const RSA: Jwk = { ...BARE, alg: 'PS256' };

const problem = (...keys: Jwk[]) => {
  const found = clientKeysProblem({ keys } as ClientKeys);
  return found && say(found);
};

describe('the keys of a client', () => {
  it.each<[string, Jwk]>([
    ['RSA', RSA],
    ['RSA for RS256', { ...RSA, alg: 'RS256' }],
    ['RSA for PS256', { ...RSA, alg: 'PS256', use: 'sig', kid: 'key-1' }],
    ['EC on P-256', EC],
    ['EC on P-256 for ES256', { ...EC, alg: 'ES256', key_ops: ['verify'] }],
    ['Ed25519', ED],
    ['Ed25519 for EdDSA', { ...ED, alg: 'EdDSA' }],
    ['RSA of 4096 bits', { ...exported(generateKeyPairSync('rsa', { modulusLength: 4096 }).publicKey), alg: 'RS256' }],
  ])('may be %s', (_what, key) => {
    expect(problem(key)).toBeUndefined();
  });

  it('may be several, told apart by their kid', () => {
    expect(problem({ ...RSA, kid: 'a' }, { ...EC, kid: 'b' }, ED)).toBeUndefined();
    expect(problem({ ...RSA, kid: 'a' }, { ...EC, kid: 'a' })).toMatch(/same kid/);
  });

  it.each<[string, Jwk]>([
    ['a private RSA key', exported(rsa.privateKey)],
    ['a private EC key', exported(ec.privateKey)],
    ['a private Ed25519 key', exported(ed.privateKey)],
    ['one private member alone', { ...RSA, dq: 'AQAB' }],
    ['an empty private member', { ...EC, d: '' }],
    ['a private member that is null', { ...EC, d: null }],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a symmetric key without its value', { kty: 'oct' }],
    ['the value of a symmetric key in another one', { ...RSA, k: 'c2VjcmV0' }],
    ['a private post-quantum key', { kty: 'AKP', priv: 'c2VjcmV0' }],
  ])('T48 never are %s, and what is said repeats nothing of it', (_what, key) => {
    for (const keys of [[key], [EC, key]]) {
      const said = problem(...keys) ?? '';
      expect(said).toMatch(
        /^key \d of the JWK set is a (private|symmetric) key: (paste the public part only|use an RSA, EC or OKP key)/,
      );
      for (const value of Object.values(key)) if (String(value).length > 8) expect(said).not.toContain(String(value));
    }
  });

  it.each<[string, Jwk, RegExp]>([
    [
      'RSA of 1024 bits',
      { ...exported(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), alg: 'RS256' },
      /2048 to 4096 bits/,
    ],
    ['RSA that is expensive to check', { ...RSA, n: 'z'.repeat(1366) }, /2048 to 4096 bits/],
    ['RSA with the exponent 1', { ...RSA, e: 'AQ' }, /exponent|fit/],
    ['RSA with the exponent 3', { ...RSA, e: 'Aw' }, /exponent/],
    ['RSA with an even exponent', { ...RSA, e: 'AQAA' }, /exponent/],
    ['RSA with a huge exponent', { ...RSA, e: RSA.n }, /exponent|fit/],
    ['RSA without its modulus', { kty: 'RSA', e: RSA.e, alg: 'PS256' }, /must have n and e/],
    ['a modulus with line breaks', { ...RSA, n: `${RSA.n}\n` }, /base64url/],
    ['EC on P-384', exported(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey), /must be RSA, EC on P-256/],
    ['EC on secp256k1', exported(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), /must be RSA, EC/],
    ['a point that is not on the curve', { ...EC, y: EC.x }, /fit together/],
    ['half a point', { kty: 'EC', crv: 'P-256', x: EC.x }, /must have x and y/],
    ['Ed25519 of the wrong length', { ...ED, x: 'AQAB' }, /fit together/],
    ['X25519', exported(generateKeyPairSync('x25519').publicKey), /must be RSA, EC on P-256, or OKP/],
    ['Ed448', exported(generateKeyPairSync('ed448').publicKey), /must be RSA, EC on P-256, or OKP/],
    ['a type that does not exist', { ...EC, kty: 'ec' }, /must be RSA/],
    ['no type', { n: RSA.n, e: RSA.e }, /must be RSA/],
    ['RSA that does not say how it signs', BARE, /alg PS256 or RS256/],
    ['alg none', { ...RSA, alg: 'none' }, /alg PS256 or RS256/],
    ['HS256', { ...RSA, alg: 'HS256' }, /alg PS256 or RS256/],
    ['RS384', { ...RSA, alg: 'RS384' }, /alg PS256 or RS256/],
    ['an alg of another type', { ...EC, alg: 'EdDSA' }, /alg ES256/],
    ['an alg that is no text', { ...EC, alg: ['ES256'] }, /alg ES256/],
    ['a key for encryption', { ...RSA, use: 'enc' }, /not for signatures/],
    ['a key for encryption by its operations', { ...RSA, key_ops: ['encrypt'] }, /not for signatures/],
    ['a kid that is no text', { ...EC, kid: 7 }, /kid of 1 to 200/],
    ['a kid with a line break', { ...EC, kid: 'a\nb' }, /kid of 1 to 200/],
    ['an endless kid', { ...EC, kid: 'a'.repeat(201) }, /kid of 1 to 200/],
  ])('T48 never are %s', (_what, key, message) => {
    expect(problem(EC, key)).toMatch(message);
    expect(problem(EC, key)).toMatch(/^key 2 of the JWK set /);
  });

  it('are bounded in number and length', () => {
    expect(problem()).toMatch(/1 to 10 keys/);
    expect(problem(...Array.from({ length: 11 }, () => ED))).toMatch(/1 to 10 keys/);
    expect(problem({ ...ED, x5c: ['a'.repeat(MAX_KEYS_LENGTH)] })).toMatch(/at most 16384 characters/);
  });

  it('T60 are kept without what points elsewhere, and in one form', () => {
    const pasted = {
      x5u: 'https://evil.example/',
      jku: 'x',
      x5c: ['y'],
      note: 'z',
      use: 'sig',
      alg: 'ES256',
      kid: 'a',
      ...EC,
    };
    const kept = tidyKeys({ keys: [pasted] } as ClientKeys);
    expect(kept).toEqual({ keys: [{ kty: 'EC', crv: 'P-256', x: EC.x, y: EC.y, kid: 'a', alg: 'ES256', use: 'sig' }] });
    expect(Object.keys(kept)).toEqual(['keys']);
    const key = createPublicKey({ key: kept.keys[0] as never, format: 'jwk' });
    expect(key.equals(ec.publicKey)).toBe(true);
    expect(describeKeys(kept)).toEqual(['EC P-256 ES256 kid a']);
  });

  it('T71 are kept without members that their kind does not have, which nobody has looked at', () => {
    const odd = { crv: '\0', x: { a: 1 }, y: '\ud800', n: '\0', e: ['\0'] };
    const pasted = [
      { ...odd, ...RSA },
      { ...odd, ...EC },
      { ...odd, ...ED },
    ] as unknown as ClientKeys['keys'];
    expect(clientKeysProblem({ keys: pasted })).toBeUndefined();
    expect(tidyKeys({ keys: pasted })).toEqual(tidyKeys({ keys: [RSA, EC, ED] } as ClientKeys));
    expect(JSON.stringify(tidyKeys({ keys: pasted }))).not.toMatch(/\\u/);
  });

  it.each([null, undefined, 'x', 7, [], {}, { keys: 7 }, { keys: [7] }, { keys: [null] }, { keys: [[]] }])(
    'are a set: %j is none',
    (value) => expect(isKeySet(value)).toBe(false),
  );
});
