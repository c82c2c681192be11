/** Devices that poll without a pause are told to slow down (RFC 8628 3.5); the interval they are told of is five seconds. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { createLimit } from '../rate-limit.js';
import { hashSecret } from '../secret.js';

/** Twice the interval: one poll a second is borne, for there are devices that know no interval. */
const POLLS = { points: 10, seconds: 10 };

/** Around the engine: "still pending" becomes "pending, and too fast". Kept by each node for itself. */
export function slowDown() {
  const polls = createLimit(POLLS);
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const told = ctx.body as { error?: unknown } | undefined;
    const code = ctx.oidc?.params?.device_code;
    // Only codes that exist are pending, so that nobody fills the memory with others.
    if (told?.error !== 'authorization_pending' || typeof code !== 'string') return;
    try {
      polls.spend(hashSecret(code));
    } catch {
      ctx.body = { error: 'slow_down', error_description: 'poll less often: every five seconds, and later' };
    }
  };
}
