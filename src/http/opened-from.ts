/** What the server itself saw of the browser that asks to sign in. */
import type { OpenedFrom } from '../ticket/ticket.js';
import { browserName } from './browser-name.js';
import type { AppContext } from './context.js';

export function openedFrom(ctx: Pick<AppContext, 'state' | 'get'>): OpenedFrom {
  const { address, country } = ctx.state;
  return { address, ...(country ? { country } : {}), browser: browserName(ctx.get('User-Agent')) };
}
