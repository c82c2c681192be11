/** The ticket API of whoever holds a wait secret: status by polling and long-polling, redeem, continue, renew, cancel. */
import { AppError } from '../../error.js';
import type { Limit } from '../../rate-limit.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { AppRouterContext } from '../context.js';
import { openedBySite, openedFrom } from '../opened-from.js';
import { drawQr, scanUrl } from './draw.js';
import { countMisses, holderOf, statusMessage } from './holder.js';
import { longPoll, MAX_WAIT } from './long-poll.js';
import { shownTicket } from './open.js';
import { type EndingDeps, endTicket } from './redeem.js';
import type { Waiters } from './waiters.js';

export interface TicketApiDeps extends EndingDeps {
  tickets: TicketService;
  waiters: Waiters;
  /** Guesses at wait secrets, per address (T3). */
  misses: Limit;
}

/** GET /api/qr/tickets/:id[?wait=SECONDS&seen=STATUS]: 200 {status, match_code?, expires_in}; 410 expired or cancelled. */
export function status(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const holder = holderOf(ctx);
    const wait = Math.min(MAX_WAIT, Math.max(0, Number(ctx.query.wait ?? 0) || 0));
    const seen = ctx.query.seen;
    const view = await counted(deps, ctx, () =>
      wait > 0 && typeof seen === 'string'
        ? longPoll(deps, ctx, holder, { wait, seen })
        : deps.tickets.read(holder.id, holder.waitSecret),
    );
    if (view.status === 'expired' || view.status === 'cancelled') throw new AppError('gone');
    ctx.body = statusMessage(view);
  };
}

/**
 * POST …/redeem: 200 {redirect_to, code, state, iss}, once; a person's denial at an OAuth client gives {redirect_to,
 * error}. At the standard door {redirect_to}: the engine goes on there, in the browser that holds the request's cookie.
 */
export function redeem(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    // Nothing but the ticket decides: the request was frozen before the QR code was drawn (T9).
    const { id, waitSecret } = holderOf(ctx);
    const { answer, redirectTo } = await counted(deps, ctx, async () => {
      return endTicket(deps, await deps.tickets.redeem(id, waitSecret));
    });
    if (!answer) {
      ctx.body = { redirect_to: redirectTo };
      return;
    }
    const { code, error, state } = answer;
    ctx.body = { redirect_to: redirectTo, ...defined({ code, error, state }), iss: deps.publicUrl };
  };
}

/** POST …/continue: 200 {continue}, a one-time address for the site's own page to navigate to. */
export function delegate(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { id, waitSecret } = holderOf(ctx);
    const { handle } = await counted(deps, ctx, () => deps.tickets.delegate(id, waitSecret));
    ctx.body = { continue: `${deps.publicUrl}/connect/continue/${handle}` };
  };
}

/** POST …/renew: 201, a fresh ticket for the same request; the old one ends. */
export function renew(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { id, waitSecret } = holderOf(ctx);
    // Pages say where they are: a browser adds Origin to every POST.
    const from = ctx.get('Origin') === '' ? openedBySite(ctx) : openedFrom(ctx);
    const opened = await counted(deps, ctx, () =>
      deps.tickets.renew(id, waitSecret, { openedFrom: from, addressKey: ctx.state.addressKey }),
    );
    if (opened.ticket.door === 'headless') {
      ctx.status = 201;
      ctx.body = await shownTicket(deps.publicUrl, opened);
      return;
    }
    const qrUrl = scanUrl(deps.publicUrl, opened.scanToken);
    ctx.status = 201;
    ctx.body = {
      ticket_id: opened.id,
      wait_secret: opened.waitSecret,
      qr_url: qrUrl,
      qr_svg: await drawQr(qrUrl),
      expires_in: opened.expiresIn,
    };
  };
}

/** DELETE: 204, cancelled. */
export function cancel(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { id, waitSecret } = holderOf(ctx);
    await counted(deps, ctx, () => deps.tickets.cancel(id, waitSecret));
    ctx.status = 204;
  };
}

function counted<T>(deps: TicketApiDeps, ctx: AppRouterContext, work: () => Promise<T>): Promise<T> {
  return countMisses(deps.misses, ctx.state.addressKey, work);
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
