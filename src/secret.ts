/** Makes, hashes and compares secrets. Nothing here is reversible: only hashes are ever stored. */
import { createHmac, hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** A new secret of `bytes` random bytes, base64url. 32 (256 bits) unless a shorter one is called for. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** Hex digits from the same source, for the WeChat dialect's app id and app secret shapes. */
export function newHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** SHA-256, base64url. Our secrets have at least 128 random bits, so they need no salt. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Compares in constant time for equal lengths (a secret's length is no secret); a missing side never equals anything. */
export function sameSecret(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** HMAC-SHA256, base64url; `parts` are joined unambiguously. */
export function keyedHash(key: string, ...parts: string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
}

/** Two digits, uniform over 00..99 (RFC 10027: a code the person types). */
export function newMatchCode(): string {
  return String(randomInt(100)).padStart(2, '0');
}
