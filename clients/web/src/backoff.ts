// Waiting times between attempts: 1, 2, 4, 8 s, each with jitter; cut short when the page wakes up.
import { jittered, notBefore, PACE, pause } from './pace.js';
import { onWake } from './surroundings.js';

export class Backoff {
  private readonly first: number;
  private readonly last: number;
  private upcoming: number;

  constructor(first = PACE.firstRetry, last = PACE.lastRetry) {
    this.first = first;
    this.last = last;
    this.upcoming = first;
  }

  reset(): void {
    this.upcoming = this.first;
  }

  /** Milliseconds; at least what the server asked for. */
  next(retryAfter: number | null = null): number {
    const wait = this.upcoming;
    this.upcoming = Math.min(wait * 2, this.last);
    return notBefore(retryAfter, jittered(wait));
  }

  /** Waits until the next attempt, or until aborted. What the server asked for is not cut short. */
  async pause(signal: AbortSignal, retryAfter: number | null = null): Promise<void> {
    const end = new AbortController();
    const wake = () => end.abort();
    const stopListening = retryAfter === null ? onWake(wake) : () => {};
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
    await pause(this.next(retryAfter), end.signal);
    signal.removeEventListener('abort', wake);
    stopListening();
  }
}
