/** JWTs that nobody may take: made from one that is right, each wrong in one thing (RFC 8725). */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { CompactEncrypt, CompactSign, exportJWK } from 'jose';

type Json = Record<string, unknown>;

export interface Genuine {
  readonly claims: Json;
  readonly header: Json & { alg: string };
  /** What it is signed with (ES256 or RS256), and what everybody knows of that. */
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  /** A claim that is checked, and a value it must not have. */
  readonly wrong: Json;
  /** A key that the server publishes; what is encrypted with it only the server could read. */
  readonly encryptTo: KeyObject;
  /** An address of a stranger who would like to be asked for a key. */
  readonly stranger: string;
}

export const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function signJwt(claims: unknown, header: Json & { alg: string }, key: KeyObject): Promise<string> {
  const bytes = Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims));
  return new CompactSign(bytes).setProtectedHeader(header).sign(key);
}

/** By what is wrong with it. */
export async function hostileJwts(genuine: Genuine): Promise<Record<string, string>> {
  const { claims, header, key, publicKey, stranger } = genuine;
  const signed = (other: unknown, more: Json = {}, by = key) => signJwt(other, { ...header, ...more }, by);
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const byStranger = (more: Json) => signed(claims, { alg: 'ES256', ...more }, own.privateKey);
  const hmac = (secret: string | Buffer, more: Json = {}) => {
    const text = `${part({ ...header, alg: 'HS256', ...more })}.${part(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const right = await signed(claims);
  const [head = '', body = '', signature = ''] = right.split('.');
  const ownJwk = { ...(await exportJWK(own.publicKey)), kid: header.kid };
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const unsigned = (alg: string) => `${part({ ...header, alg })}.${body}`;
  return {
    'unsigned (none)': `${unsigned('none')}.`,
    'unsigned (nOnE)': `${unsigned('nOnE')}.`,
    'unsigned, with the old signature': `${unsigned('none')}.${signature}`,
    'an HMAC with the public key as PEM': hmac(pem),
    'an HMAC with the public key as JWK': hmac(JSON.stringify(publicKey.export({ format: 'jwk' }))),
    'an HMAC with nothing': hmac(''),
    'an HMAC with the placeholder for secrets': hmac('held-as-a-hash'),
    'the key that stands in it (jwk)': await byStranger({ jwk: ownJwk }),
    'the key behind an address (jku)': await byStranger({ jku: `${stranger}/jku` }),
    'the certificate behind an address (x5u)': await byStranger({ x5u: `${stranger}/x5u` }),
    'the certificate in it (x5c)': await byStranger({
      x5c: [part(own.publicKey.export({ type: 'spki', format: 'der' }))],
    }),
    'another key': await byStranger({}),
    'a kid that is a path': hmac('', { kid: '../../../../dev/null' }),
    'a kid that is a query': await byStranger({ kid: "x' OR '1'='1" }),
    'a kid that is an address': await byStranger({ kid: `${stranger}/kid` }),
    'another algorithm than its signature': `${part({ ...header, alg: header.alg === 'RS256' ? 'PS256' : 'RS256' })}.${body}.${signature}`,
    'a signature of zeros': `${head}.${body}.${Buffer.alloc(Buffer.from(signature, 'base64url').length).toString('base64url')}`,
    'an empty signature': `${head}.${body}.`,
    'half a signature': right.slice(0, -Math.floor(signature.length / 2)),
    'two parts': `${head}.${body}`,
    'another body under the signature': `${head}.${part({ ...claims, more: 1 })}.${signature}`,
    'a critical header nobody knows': rawSign({ ...header, crit: ['more'], more: 1 }, body, key),
    'an array as its body': await signed([claims]),
    'a text as its body': await signed('"text"'),
    'no JSON as its body': await signed('{'),
    'a claim twice, the wrong one last': await signed(
      `${JSON.stringify(claims).slice(0, -1)},${JSON.stringify(genuine.wrong).slice(1)}`,
    ),
    'encrypted to the server': await encrypted(right, genuine.encryptTo),
    huge: `${head}.${part({ ...claims, more: 'x'.repeat(7_000) })}.${signature}`,
    nothing: '..',
    'no JWT': 'opaque',
  };
}

/** By hand: the library signs no header that it does not understand. */
function rawSign(header: Json & { alg: string }, body: string, key: KeyObject): string {
  const text = `${part(header)}.${body}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function encrypted(jwt: string, to: KeyObject): Promise<string> {
  return new CompactEncrypt(Buffer.from(jwt))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(to);
}
