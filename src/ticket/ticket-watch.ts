/** One async iterator of statuses behind every transport: it waits for a nudge or a timer, then reads the store. */
import type { Nudge } from './nudge.js';
import { isFinal, type TicketStatus } from './ticket.js';
import type { TicketView } from './ticket-view.js';

/** A lost nudge costs at most this long. */
const RE_READ_MS = 2_000;

export interface Watch {
  read: () => Promise<TicketView>;
  nudge: Nudge;
  ticketId: string;
  signal: AbortSignal;
}

/** The first status at once, then each change. Ends after a final status, or when `signal` aborts. */
export async function* watchTicket({ read, nudge, ticketId, signal }: Watch): AsyncGenerator<TicketView> {
  let wake = () => {};
  let nudged = false;
  const unsubscribe = nudge.subscribe(ticketId, () => {
    nudged = true;
    wake();
  });
  const stop = () => wake();
  signal.addEventListener('abort', stop);
  try {
    let seen: TicketStatus | undefined;
    while (!signal.aborted) {
      nudged = false;
      const view = await read();
      if (view.status !== seen) {
        seen = view.status;
        yield view;
      }
      if (isFinal(view.status)) return;
      // A nudge that came while the store was read, or while the caller was busy, is not waited for again.
      if (nudged || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        // Expiry is nobody's event: it is met by reading just after it.
        const timer = setTimeout(resolve, Math.min(RE_READ_MS, view.expiresIn * 1000 + 20));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    unsubscribe();
  }
}
