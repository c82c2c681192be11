/** Who is being held: one waiter per ticket, and all of them let go when the server stops. */
import type { IncomingMessage } from 'node:http';

export interface Waiter {
  readonly signal: AbortSignal;
  leave(): void;
}

export interface Waiters {
  /** Takes the ticket's one place; a waiter already there is ended. Over after `ms`, or when the caller hangs up. */
  enter(ticketId: string, req: IncomingMessage, ms: number): Waiter;
  /** Ends every waiter, those to come included; for a graceful stop. */
  endAll(): void;
  readonly size: number;
}

export function createWaiters(): Waiters {
  const places = new Map<string, AbortController>();
  let over = false;
  return {
    get size() {
      return places.size;
    },
    enter(ticketId, req, ms) {
      places.get(ticketId)?.abort();
      const controller = new AbortController();
      places.set(ticketId, controller);
      const end = () => controller.abort();
      // Once the server is stopping nobody is held any more.
      const timer = setTimeout(end, over ? 0 : ms);
      req.once('close', end);
      return {
        signal: controller.signal,
        leave() {
          clearTimeout(timer);
          req.off('close', end);
          if (places.get(ticketId) === controller) places.delete(ticketId);
        },
      };
    },
    endAll() {
      over = true;
      for (const controller of places.values()) controller.abort();
    },
  };
}
