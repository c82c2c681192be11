/** A code survives two wrong PKCE verifiers, so that a stranger cannot burn it, and dies of the third, at either door (T42). */

import { createHash } from 'node:crypto';
import type { Provider } from 'oidc-provider';
import { sameSecret } from '../secret.js';
import type { EngineAdapter } from './adapter.js';

const WRONG_VERIFIERS = 3;

/** RFC 7636 4.6, S256 only. A verifier for a code without a challenge is an error too (T43). */
export function verifierMatches(challenge: string | undefined, verifier: string | undefined): boolean {
  if (challenge === undefined) return verifier === undefined;
  if (verifier === undefined || !/^[\w.~-]{43,128}$/.test(verifier)) return false;
  return sameSecret(challenge, createHash('sha256').update(verifier).digest('base64url'));
}

export async function countWrongVerifier(provider: Provider, code: string, grantId: unknown): Promise<void> {
  const { adapter } = provider.AuthorizationCode as unknown as { adapter: EngineAdapter };
  if ((await adapter.countFailure(code)) >= WRONG_VERIFIERS) await adapter.revokeByGrantId(String(grantId));
}
