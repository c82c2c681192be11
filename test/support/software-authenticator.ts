/** An authenticator in software, with the browser before it: makes passkeys and assertions, and lies in any field. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { AuthenticationResponse, RegistrationResponse } from '../../src/account/passkey-response.js';

export const FLAG = { up: 1, uv: 4, be: 8, bs: 16, at: 64 } as const;

export type KeyKind = 'ES256' | 'EdDSA' | 'RS256' | 'RS256, 1024 bits' | 'ES384';
type Cose = Map<number, number | Uint8Array>;
type Statement = Map<string, number | Uint8Array | Uint8Array[]>;

/** What differs from an honest answer. */
export interface Lie {
  /** Replaces fields of the client data; undefined takes one out. */
  clientData?: Record<string, unknown>;
  rpId?: string;
  flags?: number;
  signCount?: number;
  /** In the answer, beside what is signed. */
  id?: string;
}
export interface RegistrationLie extends Lie {
  key?: KeyKind;
  cose?: (key: Cose) => void;
  format?: string;
  /** A function gets what an attestation signs, and the passkey's key. */
  statement?: Statement | ((signed: Buffer, key: KeyObject) => Statement);
}
export interface AssertionLie extends Lie {
  userHandle?: string | undefined;
  /** Signs instead of the passkey. */
  by?: KeyObject;
  signature?: (signature: Buffer) => Buffer;
  /** After it was signed. */
  authenticatorData?: (data: Buffer) => Buffer;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();
const base64url = (data: string | Uint8Array) => Buffer.from(data as Uint8Array).toString('base64url');

export function makeKey(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === 'EdDSA') return generateKeyPairSync('ed25519');
  if (kind === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'RS256, 1024 bits') return generateKeyPairSync('rsa', { modulusLength: 1024 });
  return generateKeyPairSync('ec', { namedCurve: kind === 'ES384' ? 'P-384' : 'P-256' });
}

/** RFC 9053 7: the key as an authenticator writes it. */
function toCose(kind: KeyKind, key: KeyObject): Cose {
  const jwk = key.export({ format: 'jwk' }) as Record<string, string>;
  const part = (name: string) => Uint8Array.from(Buffer.from(jwk[name] as string, 'base64url'));
  if (kind === 'EdDSA')
    return new Map<number, number | Uint8Array>([
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, part('x')],
    ]);
  if (kind.startsWith('RS'))
    return new Map<number, number | Uint8Array>([
      [1, 3],
      [3, -257],
      [-1, part('n')],
      [-2, part('e')],
    ]);
  const [alg, curve] = kind === 'ES384' ? [-35, 2] : [-7, 1];
  return new Map<number, number | Uint8Array>([
    [1, 2],
    [3, alg],
    [-1, curve],
    [-2, part('x')],
    [-3, part('y')],
  ]);
}

const signWith = (key: KeyObject, data: Buffer) =>
  sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, key);

export class SoftwareAuthenticator {
  readonly id = randomBytes(16);
  readonly origin: string;
  /** Zero stays zero: passkeys that are synchronized do not count. */
  signCount: number;
  #key?: KeyObject;
  #userHandle?: string;

  constructor(origin: string, options: { counts?: boolean } = {}) {
    this.origin = origin;
    this.signCount = options.counts === false ? 0 : 1;
  }

  get credentialId(): string {
    return base64url(this.id);
  }

  register(
    options: { challenge: string; rp: { id?: string }; user: { id: string } },
    lie: RegistrationLie = {},
  ): RegistrationResponse {
    const kind = lie.key ?? 'ES256';
    const { privateKey, publicKey } = makeKey(kind);
    this.#key = privateKey;
    this.#userHandle = options.user.id;
    const cose = toCose(kind, publicKey);
    lie.cose?.(cose);
    const clientData = this.#clientData('webauthn.create', options.challenge, lie);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const authData = Buffer.concat([
      this.#authData(options.rp.id ?? '', FLAG.up | FLAG.uv | FLAG.at, lie),
      ...((lie.flags ?? FLAG.at) & FLAG.at ? [Buffer.alloc(16), length, this.id, isoCBOR.encode(cose)] : []),
    ]);
    const signed = Buffer.concat([authData, sha256(clientData)]);
    const statement = typeof lie.statement === 'function' ? lie.statement(signed, privateKey) : lie.statement;
    const attestation = new Map<string, string | Uint8Array | Statement>([
      ['fmt', lie.format ?? 'none'],
      ['attStmt', statement ?? new Map()],
      ['authData', Uint8Array.from(authData)],
    ]);
    return {
      ...this.#envelope(lie),
      response: {
        clientDataJSON: base64url(clientData),
        attestationObject: base64url(isoCBOR.encode(attestation)),
        transports: ['internal'],
      },
    };
  }

  assert(options: { challenge: string; rpId?: string }, lie: AssertionLie = {}): AuthenticationResponse {
    if (this.signCount > 0) this.signCount += 1;
    const clientData = this.#clientData('webauthn.get', options.challenge, lie);
    const authData = this.#authData(options.rpId ?? '', FLAG.up | FLAG.uv, lie);
    const signature = signWith(lie.by ?? (this.#key as KeyObject), Buffer.concat([authData, sha256(clientData)]));
    return {
      ...this.#envelope(lie),
      response: {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(lie.authenticatorData?.(authData) ?? authData),
        signature: base64url(lie.signature?.(signature) ?? signature),
        userHandle: 'userHandle' in lie ? lie.userHandle : this.#userHandle,
      },
    };
  }

  #envelope({ id = this.credentialId }: Lie) {
    return {
      id,
      rawId: id,
      type: 'public-key' as const,
      clientExtensionResults: { credProps: { rk: true } },
      authenticatorAttachment: 'platform' as const,
    };
  }

  #clientData(type: string, challenge: string, lie: Lie): Buffer {
    const data = { type, challenge, origin: this.origin, crossOrigin: false, ...lie.clientData };
    return Buffer.from(JSON.stringify(data));
  }

  #authData(rpId: string, flags: number, lie: Lie): Buffer {
    const rest = Buffer.alloc(5);
    rest.writeUInt8(lie.flags ?? flags);
    rest.writeUInt32BE(lie.signCount ?? this.signCount, 1);
    return Buffer.concat([sha256(lie.rpId ?? rpId), rest]);
  }
}
