/** GET /api/qr/tickets/:id/events: server-sent events (HTML 9.2), one a change; read with fetch, so that the header can carry the secret. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../error.js';
import type { Limit } from '../../rate-limit.js';
import { isFinal } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { TicketView } from '../../ticket/ticket-view.js';
import type { AppRouterContext } from '../context.js';
import type { Heartbeat } from './heartbeat.js';
import { countMisses, holderOf, requireOwnTurn, statusMessage } from './holder.js';
import type { Waiters } from './waiters.js';

export interface EventsDeps {
  tickets: TicketService;
  waiters: Waiters;
  heartbeat: Heartbeat;
  /** Guesses at wait secrets, per address (T3). */
  misses: Limit;
}

/** A reader that leaves this many bytes lying is not reading (T77); a whole stream is less. */
const MOST_UNREAD = 4096;

/** `event: status` at once and at each change; ends after a final one. 410 when it has expired or was cancelled before. */
export function events(deps: EventsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    if (ctx.method !== 'GET') throw new AppError('method_not_allowed');
    const { id, waitSecret } = holderOf(ctx);
    const { res } = ctx;
    requireOwnTurn(res);
    const seat = deps.waiters.enter(ctx.state.addressKey);
    try {
      // What changes before the stream stands is in the view it begins with.
      let tell: (view: TicketView) => void = () => {};
      const watched = await countMisses(deps.misses, ctx.state.addressKey, () =>
        deps.tickets.watch(id, waitSecret, (view) => tell(view)),
      );
      const first = watched.view();
      if (first.status === 'expired' || first.status === 'cancelled') throw new AppError('gone');
      if (res.destroyed) return watched.stop();
      ctx.respond = false;
      const leave = deps.heartbeat.join(() => {
        if (res.writableLength > MOST_UNREAD) res.destroy();
        else res.write(':\n\n');
      });
      const end = (last: string) => {
        cleanUp();
        res.end(last);
      };
      const cleanUp = () => {
        leave();
        watched.stop();
        seat.leave();
        res.off('close', cleanUp);
      };
      tell = (view) => (isFinal(view.status) ? end(statusEvent(view)) : void res.write(statusEvent(view)));
      res.once('close', cleanUp);
      begin(res);
      forgetHeaders(ctx.req);
      tell(first);
      if (!isFinal(first.status)) seat.hold(id, (why) => end(why === 'superseded' ? SUPERSEDED : ''));
    } finally {
      if (ctx.respond !== false) seat.leave();
    }
  };
}

const SUPERSEDED = 'event: superseded\ndata: {}\n\n';

function statusEvent(view: TicketView): string {
  return `event: status\ndata: ${JSON.stringify(statusMessage(view))}\n\n`;
}

function begin(res: ServerResponse): void {
  // A peer that is gone without a word is found by its system in the end, though nothing is sent to it.
  res.socket?.setKeepAlive(true, 30_000);
  res.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    // Said to nginx, which would hold the events back otherwise.
    'X-Accel-Buffering': 'no',
  });
  // Sent by itself the head becomes one string; with the first event it would stay the sixty pieces it is made of.
  res.flushHeaders();
}

/** Nobody reads them any more, and Node would keep them as long as the stream: 3 KB a page. */
function forgetHeaders(req: IncomingMessage): void {
  req.headers = {};
  req.rawHeaders = [];
}
