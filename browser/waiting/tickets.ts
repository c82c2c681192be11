// The waiting page's calls that change a ticket: collect its result, draw a fresh one, give it up.
import { Backoff } from '../../clients/web/src/backoff.js';
import { QrConnectError } from '../../clients/web/src/error.js';
import {
  type CreatedTicket,
  cancelTicket,
  continueTicket,
  redeemTicket,
  renewTicket,
  type TicketHolder,
} from '../../clients/web/src/tickets.js';

export type Collected =
  | { kind: 'url'; url: string }
  | { kind: 'handle'; continueUrl: string }
  | { kind: 'refused' }
  | { kind: 'gone' };

export class Tickets {
  private readonly toParent: boolean;
  private readonly onLost: () => void;

  constructor(toParent: boolean, onLost: () => void) {
    this.toParent = toParent;
    this.onLost = onLost;
  }

  async collect(ticket: TicketHolder, signal: AbortSignal): Promise<Collected> {
    try {
      if (this.toParent) {
        return { kind: 'handle', continueUrl: await this.insist(signal, () => continueTicket(ticket)) };
      }
      return { kind: 'url', url: (await this.insist(signal, () => redeemTicket(ticket))).redirectTo };
    } catch (error) {
      return { kind: error instanceof QrConnectError && error.code === 'gone' ? 'gone' : 'refused' };
    }
  }

  /** A fresh ticket for the same request; null when the request itself is over. */
  async renew(ticket: TicketHolder, signal: AbortSignal): Promise<CreatedTicket | null> {
    return this.insist(signal, () => renewTicket(ticket)).catch(() => null);
  }

  /** Sent while the page goes away, so it outlives it; nobody reads the answer. */
  giveUp(ticket: TicketHolder): void {
    cancelTicket(ticket).catch(() => {});
  }

  /** Repeats a call until the server has really answered. */
  private async insist<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted || !(error instanceof QrConnectError) || !error.passes) throw error;
        this.onLost();
        await backoff.pause(signal, error.retryAfter ?? null);
        if (signal.aborted) throw error;
      }
    }
  }
}
