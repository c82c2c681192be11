/**
 * Which requests this browser began. The engine's own cookies carry a path, so they cannot have the `__Host-` prefix, and a
 * sibling host could plant them: somebody would answer a stranger's request, or go on as a stranger (T19). This one cannot
 * be planted.
 */
import type { Context } from 'koa';

/** As many sign-in pages may be open at once. */
const KEPT = 12;
const OPTIONS = { signed: true, httpOnly: true, sameSite: 'lax', path: '/', overwrite: true } as const;

type Cookies = Pick<Context, 'cookies'>;

export function noteOwnRequest({ cookies }: Cookies, secure: boolean, uid: string): void {
  const all = [...ownRequests({ cookies }, secure), uid].slice(-KEPT);
  cookies.set(nameOf(secure), all.join('.'), { ...OPTIONS, secure });
}

export function isOwnRequest(ctx: Cookies, secure: boolean, uid: string): boolean {
  return ownRequests(ctx, secure).includes(uid);
}

/** Oldest first. */
export function ownRequests({ cookies }: Cookies, secure: boolean): string[] {
  return (cookies.get(nameOf(secure), { signed: true }) ?? '').split('.').filter(Boolean);
}

function nameOf(secure: boolean): string {
  return `${secure ? '__Host-' : ''}engine-requests`;
}
