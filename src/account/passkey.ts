/**
 * The passkey ceremonies, without storage: what the browser is asked, and whether its answer holds (WebAuthn 7, T22).
 * Loaded when the first of them begins: the library takes 25 MB, and most nodes never see a passkey.
 */
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import {
  COSEALG,
  cose,
  decodeAttestationObject,
  decodeClientDataJSON,
  decodeCredentialPublicKey,
} from '@simplewebauthn/server/helpers';
import type { AuthenticationResponse, RegistrationResponse } from './passkey-response.js';
import { CHALLENGE_SECONDS, type PasskeyScope } from './passkey-scope.js';

const ALGORITHMS = [COSEALG.ES256, COSEALG.EdDSA, COSEALG.RS256];
const MIN_RSA_BYTES = 256;
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;

/** A credential id, and how its authenticator is reached. */
export interface PasskeyRef {
  readonly id: string;
  readonly transports: readonly string[];
}

/** What a registration proves. */
export interface NewPasskey extends PasskeyRef {
  /** A COSE key. */
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  readonly backedUp: boolean;
}

/** For `navigator.credentials.create`: a discoverable credential that verifies its user, and not one of `known`. */
export function registrationOptions(
  scope: PasskeyScope,
  ask: { user: { id: string; name: string }; challenge: string; known: readonly PasskeyRef[] },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName: 'qrconnect',
    rpID: scope.rpId,
    userID: Uint8Array.from(Buffer.from(ask.user.id)),
    userName: ask.user.name,
    userDisplayName: ask.user.name,
    challenge: Uint8Array.from(Buffer.from(ask.challenge, 'base64url')),
    timeout: CHALLENGE_SECONDS * 1000,
    attestationType: 'none',
    excludeCredentials: ask.known.map(toDescriptor),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** For `navigator.credentials.get`; without `allowed` the authenticator itself knows who signs in (T21). */
export function authenticationOptions(
  scope: PasskeyScope,
  ask: { challenge: string; allowed?: readonly PasskeyRef[] },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: scope.rpId,
    challenge: Uint8Array.from(Buffer.from(ask.challenge, 'base64url')),
    timeout: CHALLENGE_SECONDS * 1000,
    userVerification: 'required',
    ...(ask.allowed && { allowCredentials: ask.allowed.map(toDescriptor) }),
  });
}

/** The challenge an answer says it answers; so far only a claim. */
export function challengeOf(answer: { response: { clientDataJSON: string } }): string | undefined {
  const challenge: unknown = readClientData(answer)?.challenge;
  return typeof challenge === 'string' && /^[\w-]{43}$/.test(challenge) ? challenge : undefined;
}

/** The new passkey, or undefined when any check of WebAuthn 7.1 fails. Never says which: messages would carry input. */
export async function verifyRegistration(
  scope: PasskeyScope,
  answer: RegistrationResponse,
  challenge: string,
): Promise<NewPasskey | undefined> {
  const transports = TRANSPORTS.filter((known) => answer.response.transports?.includes(known));
  try {
    if (isFramed(answer) || namesCertificates(answer)) return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...answer,
        response: { ...answer.response, transports },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: scope.origin,
      expectedRPID: scope.rpId,
      requireUserPresence: true,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return undefined;
    const { id, publicKey, counter } = registrationInfo.credential;
    if (id !== answer.id || !isSoundKey(publicKey)) return undefined;
    return { id, publicKey, signCount: counter, backedUp: registrationInfo.credentialBackedUp, transports };
  } catch {
    return undefined;
  }
}

/** What an assertion proves about `passkey`, or undefined when any check of WebAuthn 7.2 fails but the sign count's. */
export async function verifyAuthentication(
  scope: PasskeyScope,
  answer: AuthenticationResponse,
  challenge: string,
  passkey: { id: string; publicKey: Uint8Array },
): Promise<{ signCount: number; backedUp: boolean } | undefined> {
  try {
    if (answer.id !== passkey.id || isFramed(answer)) return undefined;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...answer, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: scope.origin,
      expectedRPID: scope.rpId,
      requireUserVerification: true,
      // Any count passes: the store compares it as it writes it, for the row may move until then.
      credential: { id: passkey.id, publicKey: Uint8Array.from(passkey.publicKey), counter: 0 },
    });
    if (!verified) return undefined;
    return { signCount: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp };
  } catch {
    return undefined;
  }
}

function toDescriptor({ id, transports }: PasskeyRef) {
  return { id, transports: TRANSPORTS.filter((known) => transports.includes(known)) };
}

function readClientData(answer: { response: { clientDataJSON: string } }): Record<string, unknown> | undefined {
  try {
    const data: unknown = decodeClientDataJSON(answer.response.clientDataJSON);
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Made in a frame of another site (7.1 step 10, 7.2 step 13). The library does not look at it in a registration. */
function isFramed(answer: { response: { clientDataJSON: string } }): boolean {
  const { crossOrigin, topOrigin } = readClientData(answer) ?? { crossOrigin: true };
  return (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined;
}

/**
 * We ask for no attestation, and browsers then leave at most one by the passkey's own key. Any other brings certificates:
 * the library would accept them from anybody, and may fetch the revocation lists they name (T60).
 */
function namesCertificates(answer: RegistrationResponse): boolean {
  const attestation = decodeAttestationObject(
    Uint8Array.from(Buffer.from(answer.response.attestationObject, 'base64url')),
  );
  const format = attestation.get('fmt');
  return format !== 'none' && (format !== 'packed' || attestation.get('attStmt').get('x5c') !== undefined);
}

/** Key type and curve belong to the algorithm (WebAuthn 5.8.5); the library would use an EC key on any curve as RS256. */
function isSoundKey(publicKey: Uint8Array): boolean {
  const key = decodeCredentialPublicKey(Uint8Array.from(publicKey));
  switch (key.get(cose.COSEKEYS.alg)) {
    case COSEALG.ES256:
      return cose.isCOSEPublicKeyEC2(key) && key.get(cose.COSEKEYS.crv) === cose.COSECRV.P256;
    case COSEALG.EdDSA:
      return cose.isCOSEPublicKeyOKP(key) && key.get(cose.COSEKEYS.crv) === cose.COSECRV.ED25519;
    case COSEALG.RS256:
      return cose.isCOSEPublicKeyRSA(key) && (key.get(cose.COSEKEYS.n)?.byteLength ?? 0) >= MIN_RSA_BYTES;
    default:
      return false;
  }
}
