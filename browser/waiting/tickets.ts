// The waiting page's calls that change a ticket: collect its result, draw a fresh one, give it up.
import { Backoff } from '../shared/backoff.js';
import { type Answer, call, textField } from '../shared/http.js';
import type { WaitingData } from './page-data.js';
import type { Ticket } from './transport.js';

export interface FreshTicket extends Ticket {
  qrSvg: string;
  qrUrl: string;
  expiresIn: number;
}

export type Collected =
  | { kind: 'url'; url: string }
  | { kind: 'handle'; continueUrl: string }
  | { kind: 'refused' }
  | { kind: 'gone' };

export class Tickets {
  private readonly data: WaitingData;
  private readonly toParent: boolean;
  private readonly onLost: () => void;

  constructor(data: WaitingData, toParent: boolean, onLost: () => void) {
    this.data = data;
    this.toParent = toParent;
    this.onLost = onLost;
  }

  async collect(ticket: Ticket, signal: AbortSignal): Promise<Collected> {
    const answer = await this.insist(signal, () => this.askForResult(ticket));
    const handle = textField(answer, 'continue');
    const url = textField(answer, 'redirect_to');
    if (answer.status === 200 && handle) return { kind: 'handle', continueUrl: handle };
    if (answer.status === 200 && url) return { kind: 'url', url };
    return { kind: answer.status === 410 ? 'gone' : 'refused' };
  }

  /** A fresh ticket for the same request; null when the request itself is over. */
  async renew(ticket: Ticket, signal: AbortSignal): Promise<FreshTicket | null> {
    const answer = await this.insist(signal, () => call(this.path(ticket, '/renew'), { bearer: ticket.secret }));
    const id = textField(answer, 'ticket_id');
    const secret = textField(answer, 'wait_secret');
    const qrSvg = textField(answer, 'qr_svg');
    if (answer.status !== 201 || !id || !secret || !qrSvg) return null;
    const qrUrl = textField(answer, 'qr_url') ?? '';
    return { id, secret, qrSvg, qrUrl, expiresIn: Number(answer.body.expires_in) || 0 };
  }

  /** Sent while the page goes away, so it must outlive it; nobody reads the answer. */
  giveUp(ticket: Ticket): void {
    const headers = { Authorization: `Bearer ${ticket.secret}` };
    fetch(this.path(ticket, ''), { method: 'DELETE', headers, keepalive: true, credentials: 'omit' }).catch(() => {});
  }

  private askForResult(ticket: Ticket): Promise<Answer> {
    return call(this.path(ticket, this.toParent ? '/continue' : '/redeem'), { bearer: ticket.secret });
  }

  private path(ticket: Ticket, end: string): string {
    return `${this.data.api}/${encodeURIComponent(ticket.id)}${end}`;
  }

  /** Repeats a call until the server has really answered. */
  private async insist(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    const backoff = new Backoff();
    let answer = await ask();
    while (!signal.aborted && (answer.status === 0 || answer.status === 429 || answer.status >= 500)) {
      this.onLost();
      await backoff.pause(signal, answer.retryAfter);
      if (!signal.aborted) answer = await ask();
    }
    return answer;
  }
}
