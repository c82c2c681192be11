// The seam between the page and the ways of watching a ticket: long-polling today, others later, one interface.
import type { TicketStatus } from './state.js';

export interface Ticket {
  id: string;
  /** The wait secret: travels in the Authorization header only. */
  secret: string;
}

export interface Listener {
  onStatus(status: TicketStatus, matchCode: string | null, expiresIn: number): void;
  /** 410: the ticket is over. */
  onGone(): void;
  /** 404: this server does not know the ticket, or the secret is not its. */
  onUnknown(): void;
  /** No answer; the transport goes on trying by itself. */
  onLost(): void;
}

export interface Transport {
  watch(ticket: Ticket, listener: Listener): void;
  /** Ask now instead of waiting for the next change (the page's own clock has run out). */
  checkNow(): void;
  stop(): void;
}

const STATUSES: readonly string[] = ['pending', 'scanned', 'confirmed', 'redeemed', 'denied', 'cancelled', 'expired'];

export function isTicketStatus(value: unknown): value is TicketStatus {
  return typeof value === 'string' && STATUSES.includes(value);
}

export function isFinal(status: TicketStatus): boolean {
  return status !== 'pending' && status !== 'scanned';
}
