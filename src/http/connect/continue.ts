/** GET /connect/continue/:handle: the site's page navigates here, and on to the site with the code; works once (T30). */
import { AppError } from '../../error.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { AppRouterContext } from '../context.js';
import { isPrefetch } from '../prefetch.js';
import { type EndingDeps, endTicket } from '../qr/redeem.js';

export function continueToSite(deps: EndingDeps & { tickets: TicketService }) {
  return async (ctx: AppRouterContext): Promise<void> => {
    // HEAD would spend the handle and throw the answer away.
    if (ctx.method !== 'GET') throw new AppError('method_not_allowed');
    // A prefetch would spend it before the person arrives.
    if (isPrefetch(ctx)) {
      ctx.status = 204;
      return;
    }
    const ticket = await deps.tickets.redeemByHandle(String(ctx.params.handle));
    const { redirectTo } = await endTicket(deps, ticket);
    ctx.status = 303;
    ctx.set('Location', redirectTo);
  };
}
