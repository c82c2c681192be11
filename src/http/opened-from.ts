/** What the server itself saw of the browser, or of the site's server, that asks to sign in. */
import type { OpenedFrom } from '../ticket/ticket.js';
import { browserName } from './browser-name.js';
import type { AppContext } from './context.js';

export function openedFrom(ctx: Pick<AppContext, 'state' | 'get'>): OpenedFrom {
  const { address, country } = ctx.state;
  return { address, ...(country ? { country } : {}), browser: browserName(ctx.get('User-Agent')) };
}

/** For a call that no page made. The site may know where its visitor is, but nobody takes its word for it (T11). */
export function openedBySite(ctx: Pick<AppContext, 'state' | 'get'>): OpenedFrom {
  return { ...openedFrom(ctx), bySite: true };
}
