/** A code survives two wrong PKCE verifiers, so that a stranger cannot burn it, and dies of the third, at either door (T42). */
import type { Provider } from 'oidc-provider';
import type { EngineAdapter } from './adapter.js';

const WRONG_VERIFIERS = 3;

export async function countWrongVerifier(provider: Provider, code: string, grantId: unknown): Promise<void> {
  const { adapter } = provider.AuthorizationCode as unknown as { adapter: EngineAdapter };
  if ((await adapter.countFailure(code)) >= WRONG_VERIFIERS) await adapter.revokeByGrantId(String(grantId));
}
