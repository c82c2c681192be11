/** What a browser sends back from a passkey ceremony, as strict schemas: shape and lengths only, nothing is believed. */
import { z } from 'zod';

const bytes = (longest: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil((longest * 4) / 3))
    .regex(/^[\w-]+$/);

/** A credential id has 1023 bytes at most (WebAuthn 4, "Credential ID"). */
const id = bytes(1023);
const clientDataJSON = bytes(4096);
const common = {
  id,
  rawId: id,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
  // Whatever extensions answered: it is not signed, and nothing here reads it.
  clientExtensionResults: z.record(z.string().max(64), z.unknown()),
};

/** RegistrationResponseJSON (WebAuthn 5.1), as `startRegistration` gives it. */
export const REGISTRATION_RESPONSE = z.strictObject({
  ...common,
  response: z.strictObject({
    clientDataJSON,
    attestationObject: bytes(8192),
    transports: z.array(z.string().max(32)).max(10).optional(),
    // The same once more, out of the attestation object; not read.
    authenticatorData: bytes(8192).optional(),
    publicKey: bytes(4096).optional(),
    publicKeyAlgorithm: z.number().int().optional(),
  }),
});

/** AuthenticationResponseJSON (WebAuthn 5.1), as `startAuthentication` gives it. */
export const AUTHENTICATION_RESPONSE = z.strictObject({
  ...common,
  response: z.strictObject({
    clientDataJSON,
    authenticatorData: bytes(4096),
    signature: bytes(1024),
    userHandle: bytes(64).optional(),
  }),
});

export type RegistrationResponse = z.infer<typeof REGISTRATION_RESPONSE>;
export type AuthenticationResponse = z.infer<typeof AUTHENTICATION_RESPONSE>;
