// How a watched ticket stands, as one object: what component libraries hand to their pages.
import type { QrConnectError } from './error.js';
import type { TicketStatus } from './ticket-status.js';
import type { TicketHolder } from './tickets.js';
import type { TransportName } from './transport/transport.js';
import { type TicketWatch, watchTicket } from './watch-ticket.js';
import type { Link } from './watcher.js';

export interface UseTicket extends TicketHolder {
  transports?: readonly TransportName[];
}

export interface TicketState {
  /** Null until the server has answered. */
  readonly status: TicketStatus | null;
  /** Two digits to show once it is scanned. */
  readonly matchCode: string | null;
  /** Seconds left, as the server last said. */
  readonly expiresIn: number | null;
  /** `lost`: tell the person; it comes back by itself. */
  readonly connection: Link | null;
  /** The watch has failed for good. */
  readonly error: QrConnectError | null;
}

export const NOTHING_KNOWN: TicketState = {
  status: null,
  matchCode: null,
  expiresIn: null,
  connection: null,
  error: null,
};

/** Watches, and says what changes. Never throws: a component that did would take the page with it. */
export function watchState(ticket: UseTicket, change: (more: Partial<TicketState>) => void): TicketWatch | null {
  try {
    return watchTicket({
      ...ticket,
      onStatus: ({ status, matchCode, expiresIn }) => change({ status, matchCode: matchCode ?? null, expiresIn }),
      onConnection: (connection) => change({ connection }),
      onError: (error) => change({ error }),
    });
  } catch (error) {
    // `bad_options`.
    change({ error: error as QrConnectError });
    return null;
  }
}
