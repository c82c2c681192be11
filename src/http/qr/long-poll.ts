/** Long-polling: one held request that answers at the next change, or when its time is up. */
import { randomInt } from 'node:crypto';
import { isFinal } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { TicketView } from '../../ticket/ticket-view.js';
import type { AppRouterContext } from '../context.js';
import { type Holder, requireOwnTurn } from './holder.js';
import type { Waiters } from './waiters.js';

/** Longest hold, in seconds. */
export const MAX_WAIT = 25;

/**
 * The ticket once its status is not `seen` any more, else as it is after `wait` seconds, when the caller hangs up, when a
 * newer waiter takes the ticket's place, or when the server stops.
 */
export async function longPoll(
  { tickets, waiters }: { tickets: TicketService; waiters: Waiters },
  ctx: AppRouterContext,
  { id, waitSecret }: Holder,
  { wait, seen }: { wait: number; seen: string },
): Promise<TicketView> {
  requireOwnTurn(ctx.res);
  const seat = waiters.enter(ctx.state.addressKey);
  let done = () => {};
  const over = new Promise<void>((resolve) => {
    done = resolve;
  });
  try {
    const watched = await tickets.watch(id, waitSecret, done);
    const { status } = watched.view();
    // A final status never changes: nobody waits for that, nor takes a place for it.
    if (status === seen && !isFinal(status)) {
      seat.hold(id, done);
      // Pages that began to wait together do not all come back together.
      const timer = setTimeout(done, wait * 1000 - randomInt(Math.max(1, Math.floor(wait * 100))));
      ctx.res.once('close', done);
      // Whoever hung up while the ticket was read has said so already.
      if (ctx.res.closed) done();
      await over;
      clearTimeout(timer);
      ctx.res.off('close', done);
    }
    watched.stop();
    return watched.view();
  } finally {
    seat.leave();
  }
}
