// The seam between the watcher and the four ways of hearing about a ticket.
import type { Pace } from '../pace.js';
import type { TicketUpdate } from '../ticket-status.js';

/** From the quickest to the one that always works. */
export const TRANSPORT_NAMES = ['socket', 'events', 'long-poll', 'poll'] as const;
export type TransportName = (typeof TRANSPORT_NAMES)[number];

export interface Watched {
  /** Origin of the server. */
  readonly server: string;
  readonly ticketId: string;
  /** Travels in the Authorization header, or in a socket's first message; never in an address. */
  readonly waitSecret: string;
  readonly pace: Pace;
}

/** How a connection ends. */
export type Ending =
  /** It never worked; whether transport or network is to blame, the watcher finds out. */
  | { why: 'refused' }
  /** It worked and broke. */
  | { why: 'lost' }
  /** It seems to stand, and nothing comes. */
  | { why: 'mute' }
  /** The server ended it in good order: it stops, or its time was up. */
  | { why: 'goodbye' }
  /** Over a limit: come back later, or ask without being held. */
  | { why: 'busy'; retryAfter: number | null }
  /** Another page with the same secret has taken the ticket's one place. */
  | { why: 'superseded' }
  /** 410. */
  | { why: 'gone' }
  /** 404: no such ticket, or not this secret. */
  | { why: 'unknown' }
  /** The ticket's client has not registered this page's origin. */
  | { why: 'other-site' };

export interface Listener {
  /** The first comes as soon as the connection stands, and says how things are. */
  status(update: TicketUpdate): void;
  /** At most once, and nothing after it. */
  over(ending: Ending): void;
}

export interface Connection {
  /** The page woke up: make sure that the other side is still there. */
  check(): void;
  /** The listener hears nothing any more. */
  close(): void;
}

/** Opens a connection; calls the listener only after it has returned. */
export type Transport = (watched: Watched, listener: Listener) => Connection;

export function ticketUrl({ server, ticketId }: Pick<Watched, 'server' | 'ticketId'>, end = ''): string {
  return `${server}/api/qr/tickets/${encodeURIComponent(ticketId)}${end}`;
}
