/** What of a ticket its waiting page is told. */
import { isFinal, statusAt, type TicketStatus } from './ticket.js';
import type { TicketReading } from './ticket-store.js';

/** What the waiting page may know: no word about who scanned (T10). */
export interface TicketView {
  readonly status: TicketStatus;
  readonly matchCode?: string;
  /** Whole seconds left. */
  readonly expiresIn: number;
}

export function toView(reading: TicketReading): TicketView {
  const { ticket } = reading;
  const status = statusAt(ticket, reading.now);
  return {
    status,
    ...(status === 'scanned' && ticket.matchCode ? { matchCode: ticket.matchCode } : {}),
    expiresIn: isFinal(status) ? 0 : secondsLeft(reading),
  };
}

export function secondsLeft({ ticket, now }: TicketReading): number {
  return Math.max(0, Math.ceil((ticket.expiresAt.getTime() - now.getTime()) / 1000));
}
