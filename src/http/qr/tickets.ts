/** The ticket API of the waiting page: status by polling and long-polling, redeem, continue, renew, cancel. */
import { AppError } from '../../error.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { TicketView } from '../../ticket/ticket-view.js';
import type { AppRouterContext } from '../context.js';
import type { Limit } from '../middleware/rate-limit.js';
import { openedFrom } from '../opened-from.js';
import { drawQr, scanUrl } from './draw.js';
import { type EndingDeps, endTicket } from './redeem.js';
import type { Waiters } from './waiters.js';

export interface TicketApiDeps extends EndingDeps {
  tickets: TicketService;
  waiters: Waiters;
  /** Guesses at wait secrets, per address (T3). */
  misses: Limit;
}

/** Longest hold of a long poll, in seconds. */
const MAX_WAIT = 25;

/** GET /api/qr/tickets/:id[?wait=SECONDS&seen=STATUS]: 200 {status, match_code?, expires_in}; 410 expired or cancelled. */
export function status(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { id, waitSecret } = holder(ctx);
    const wait = Math.min(MAX_WAIT, Math.max(0, Number(ctx.query.wait ?? 0) || 0));
    const seen = ctx.query.seen;
    const view = await counted(deps, ctx, () =>
      wait > 0 && typeof seen === 'string'
        ? longPoll(deps, ctx, { id, waitSecret, wait, seen })
        : deps.tickets.read(id, waitSecret),
    );
    if (view.status === 'expired' || view.status === 'cancelled') throw new AppError('gone');
    ctx.body = toStatus(view);
  };
}

/**
 * POST …/redeem: 200 {redirect_to, code, state, iss}, once; a person's denial at an OAuth client gives {redirect_to,
 * error}. At the standard door {redirect_to}: the engine goes on there, in the browser that holds the request's cookie.
 */
export function redeem(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    // Nothing but the ticket decides: the request was frozen before the QR code was drawn (T9).
    const { id, waitSecret } = holder(ctx);
    const { answer, redirectTo } = await counted(deps, ctx, async () => {
      const view = await deps.tickets.read(id, waitSecret);
      const ticket =
        view.status === 'denied'
          ? await deps.tickets.denied(id, waitSecret)
          : await deps.tickets.redeem(id, waitSecret);
      return endTicket(deps, ticket);
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
    const { id, waitSecret } = holder(ctx);
    const { handle } = await counted(deps, ctx, async () => {
      const view = await deps.tickets.read(id, waitSecret);
      if (view.status === 'denied') await deps.tickets.denied(id, waitSecret);
      return deps.tickets.delegate(id, waitSecret);
    });
    ctx.body = { continue: `${deps.publicUrl}/connect/continue/${handle}` };
  };
}

/** POST …/renew: 201, a fresh ticket for the same request; the old one ends. */
export function renew(deps: TicketApiDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { id, waitSecret } = holder(ctx);
    const opened = await counted(deps, ctx, () => deps.tickets.renew(id, waitSecret, openedFrom(ctx)));
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
    const { id, waitSecret } = holder(ctx);
    await counted(deps, ctx, () => deps.tickets.cancel(id, waitSecret));
    ctx.status = 204;
  };
}

/** The wait secret comes in the Authorization header (RFC 6750 2.1). Without one the ticket is as good as unknown. */
function holder(ctx: AppRouterContext): { id: string; waitSecret: string } {
  const waitSecret = /^Bearer ([\w-]{1,128})$/.exec(ctx.get('Authorization'))?.[1] ?? '';
  return { id: String(ctx.params.id), waitSecret };
}

async function counted<T>(deps: TicketApiDeps, ctx: AppRouterContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') {
      // Only misses are limited: honest pages behind the same address go on.
      await deps.misses.check(ctx.state.addressKey);
      await deps.misses.count(ctx.state.addressKey);
    }
    throw error;
  }
}

async function longPoll(
  deps: TicketApiDeps,
  ctx: AppRouterContext,
  { id, waitSecret, wait, seen }: { id: string; waitSecret: string; wait: number; seen: string },
): Promise<TicketView> {
  // The secret is checked before a place is taken, or a stranger could end the owner's waiter.
  let last = await deps.tickets.read(id, waitSecret);
  if (last.status !== seen) return last;
  const waiter = deps.waiters.enter(id, ctx.req, wait * 1000);
  try {
    for await (const view of deps.tickets.watch(id, waitSecret, waiter.signal)) {
      last = view;
      if (view.status !== seen) break;
    }
    return last;
  } finally {
    waiter.leave();
  }
}

function toStatus(view: TicketView) {
  return { status: view.status, ...defined({ match_code: view.matchCode }), expires_in: view.expiresIn };
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
