/** The secrets of a client: which are live, whether one is the right one, and what a new one leaves of the others. */
import { hashSecret, newHex, newSecret, sameSecret } from '../secret.js';
import type { Dialect } from './dialect.js';

/** One of at most two live secrets; only the hash is kept. */
export interface ClientSecret {
  readonly hash: string;
  readonly createdAt: string;
  /** ISO date after which it is refused; absent for the current one. */
  readonly expiresAt?: string;
  /** ISO date at which it was first seen in a query string, where logs keep it (T55). */
  readonly exposedAt?: string;
}

/** How long the secret before a new one is still accepted: unless somebody says otherwise, and at most. */
export const GRACE_SECONDS = { fallback: 7 * 86_400, most: 90 * 86_400 } as const;

/** What comparing reads of a secret; the engine's clients hold no more. */
export type ComparableSecret = Pick<ClientSecret, 'hash' | 'expiresAt'>;

/** Stands in for the secrets of a client that has none: comparing takes its time in any case. */
const NO_SECRETS: readonly ComparableSecret[] = [{ hash: '-'.repeat(43) }];

/** Not over its date. */
export function isLive(secret: Pick<ClientSecret, 'expiresAt'>, now: Date): boolean {
  return !secret.expiresAt || new Date(secret.expiresAt) > now;
}

/** True when `presented` is one of the live ones. Takes the same time for none, a wrong and a right one. */
export function secretMatches(secrets: readonly ComparableSecret[], presented: string, now = new Date()): boolean {
  return liveSecret(secrets, presented, now) !== undefined;
}

/** The live one that `presented` is. */
export function liveSecret<T extends ComparableSecret>(
  secrets: readonly T[],
  presented: string,
  now: Date,
): T | undefined {
  const hash = hashSecret(presented);
  let found: T | undefined;
  for (const known of secrets.length > 0 ? secrets : (NO_SECRETS as readonly T[])) {
    if (sameSecret(known.hash, hash) && isLive(known, now)) found = known;
  }
  return found;
}

/** WeChat's shapes: app secrets are 32 hex digits there. 256 bits everywhere else. */
export function secretFor(dialect: Dialect): string {
  return dialect === 'wechat' ? newHex(16) : newSecret();
}

export function freshSecret(secret: string): ClientSecret {
  return { hash: hashSecret(secret), createdAt: new Date().toISOString() };
}

/** The new secret and, for the grace, the one it replaces; no other: at most two are accepted at once (T56). */
export function rotated(secrets: readonly ClientSecret[], fresh: ClientSecret, graceSeconds: number): ClientSecret[] {
  const now = new Date(fresh.createdAt);
  const live = secrets.filter((secret) => isLive(secret, now));
  const current = live.find(({ expiresAt }) => expiresAt === undefined) ?? live[0];
  if (current === undefined || graceSeconds <= 0) return [fresh];
  const end = new Date(now.getTime() + graceSeconds * 1000).toISOString();
  const expiresAt = current.expiresAt !== undefined && current.expiresAt < end ? current.expiresAt : end;
  return [fresh, { ...current, expiresAt }];
}

/** Until when the secrets were to work that a rotation has taken away before. */
export function droppedEarly(
  before: readonly ClientSecret[],
  after: readonly ClientSecret[],
  now = new Date(),
): string[] {
  const kept = new Set(after.map(({ hash }) => hash));
  const gone = before.filter((secret) => isLive(secret, now) && !kept.has(secret.hash));
  return gone.map(({ expiresAt }) => expiresAt).filter((end) => end !== undefined);
}
