/** Whether a browser or a preview asks before any person does. */
import type { AppContext } from './context.js';

export function isPrefetch(ctx: Pick<AppContext, 'get'>): boolean {
  return ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz'].some((name) =>
    /prefetch|prerender|preview/i.test(ctx.get(name)),
  );
}
