// Watches a ticket by long-polling: one held request at a time, backing off while the server cannot be reached.
import { Backoff, pause } from '../shared/backoff.js';
import { type Answer, call } from '../shared/http.js';
import type { TicketStatus } from './state.js';
import { isFinal, isTicketStatus, type Listener, type Ticket, type Transport } from './transport.js';

const HOLD_SECONDS = 25;
/** A held request that outlives its hold by this much is taken for a dead connection. */
const GRACE_SECONDS = 10;
/** Keeps a server that answers at once from being asked in a tight loop. */
const LEAST_ROUND = 1000;

export class LongPoll implements Transport {
  private readonly api: string;
  private life = new AbortController();
  private round = new AbortController();
  private hold = true;

  constructor(api: string) {
    this.api = api;
  }

  watch(ticket: Ticket, listener: Listener): void {
    this.stop();
    this.life = new AbortController();
    this.hold = true;
    void this.loop(ticket, listener, this.life.signal);
  }

  checkNow(): void {
    this.hold = false;
    this.round.abort();
  }

  stop(): void {
    this.life.abort();
    this.round.abort();
  }

  private async loop(ticket: Ticket, listener: Listener, life: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    let seen: TicketStatus = 'pending';
    while (!life.aborted) {
      const started = performance.now();
      const { answer, wasHeld } = await this.ask(ticket, seen);
      if (life.aborted) return;
      if (answer === null) continue;
      const status = answer.body.status;
      if (answer.status === 200 && isTicketStatus(status)) {
        backoff.reset();
        listener.onStatus(status, matchCode(answer), Number(answer.body.expires_in) || 0);
        if (isFinal(status)) return;
        const soon = status === seen && wasHeld && performance.now() - started < LEAST_ROUND;
        seen = status;
        if (soon) await pause(LEAST_ROUND, life);
      } else if (answer.status === 410) {
        return listener.onGone();
      } else if (answer.status === 404) {
        return listener.onUnknown();
      } else {
        listener.onLost();
        // The next round is not held, so that a network that is back shows at once.
        this.hold = false;
        await backoff.pause(life, answer.retryAfter);
      }
    }
  }

  /** One round; null when it was cut short by checkNow. */
  private async ask(ticket: Ticket, seen: TicketStatus): Promise<{ answer: Answer | null; wasHeld: boolean }> {
    this.round = new AbortController();
    const round = this.round;
    const wasHeld = this.hold;
    this.hold = true;
    let cut = true;
    const timer = setTimeout(
      () => {
        cut = false;
        round.abort();
      },
      (HOLD_SECONDS + GRACE_SECONDS) * 1000,
    );
    const query = wasHeld ? `?wait=${HOLD_SECONDS}&seen=${seen}` : '';
    const path = `${this.api}/${encodeURIComponent(ticket.id)}${query}`;
    const answer = await call(path, { method: 'GET', bearer: ticket.secret, signal: round.signal });
    clearTimeout(timer);
    return { answer: round.signal.aborted && cut ? null : answer, wasHeld };
  }
}

function matchCode(answer: Answer): string | null {
  const code = answer.body.match_code;
  return typeof code === 'string' && code !== '' ? code : null;
}
