/** Wrong client secrets of one caller: counted by client and address, at both dialects' doors together (T56). */
import type { SecretGuesses } from '../../engine/client-authentication.js';
import type { Limit } from '../../rate-limit.js';

/** `address` as limits are keyed on it. */
export function guessesFrom(limit: Limit, address: string): SecretGuesses {
  const key = (clientId: string) => `${clientId} ${address}`;
  return { check: (clientId) => limit.check(key(clientId)), count: (clientId) => limit.count(key(clientId)) };
}
