/** What of a ticket its waiting page is told. */
import { isFinal, statusAt, type Ticket, type TicketStatus } from './ticket.js';

/** What the waiting page may know: no word about who scanned (T10). */
export interface TicketView {
  readonly status: TicketStatus;
  readonly matchCode?: string;
  /** Whole seconds left. */
  readonly expiresIn: number;
}

/** Of a ticket, with the database's clock at the moment it was read. */
interface Reading {
  readonly ticket: Pick<Ticket, 'status' | 'matchCode' | 'expiresAt'>;
  readonly now: Date;
}

export function toView(reading: Reading): TicketView {
  const { ticket } = reading;
  const status = statusAt(ticket, reading.now);
  return {
    status,
    ...(status === 'scanned' && ticket.matchCode ? { matchCode: ticket.matchCode } : {}),
    expiresIn: isFinal(status) ? 0 : secondsLeft(reading),
  };
}

export function secondsLeft({ ticket, now }: Reading): number {
  return Math.max(0, Math.ceil((ticket.expiresAt.getTime() - now.getTime()) / 1000));
}
