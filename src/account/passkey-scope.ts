/** Where and how long a passkey's ceremony counts; without the library that carries it out. */
import { isIP } from 'node:net';

export const CHALLENGE_SECONDS = 300;

/** Where a passkey counts: one origin, and the RP id it is bound to. */
export interface PasskeyScope {
  readonly origin: string;
  readonly rpId: string;
}

/** Undefined where browsers have no passkeys: an IP address is no RP id, and other plain http is no secure context. */
export function passkeyScope(publicUrl: string): PasskeyScope | undefined {
  const { protocol, hostname, origin } = new URL(publicUrl);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  const secure = protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost');
  return secure ? { origin, rpId: hostname } : undefined;
}
