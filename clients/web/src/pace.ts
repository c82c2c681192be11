// Every time the client waits for something, in milliseconds, in one place.

export interface Pace {
  /** A held transport whose first status does not come within this cannot be had: a proxy swallows it. */
  firstWord: number;
  /** While the first status takes longer than this, it is asked for plainly, so that nobody waits for the transport. */
  slow: number;
  /** A plain question unanswered for this long has no answer. */
  answer: number;
  /** How long a connection may be gone before the person is told. */
  unnoticed: number;
  /** Between two `ping`s on a socket, and how long a `pong` may take. */
  ping: number;
  pong: number;
  /** Servers ask for this much between two pings. */
  pingsApart: number;
  /** An event stream comments each 15 s; after this much silence it is dead. */
  silence: number;
  /** How long a long poll is held, and how much later it counts as dead. */
  hold: number;
  grace: number;
  /** Between two polls. */
  poll: number;
  /** Between attempts: doubling from the first to the last. */
  firstRetry: number;
  lastRetry: number;
  /** Pages that lost the same server come back spread over this; those that a person is using right now, over `busySpread`. */
  spread: number;
  busySpread: number;
  /** A connection that ends sooner than this did not really work. */
  steady: number;
  /** How long a transport that could not be had is left alone: doubling from the first to the last. */
  firstRest: number;
  lastRest: number;
}

export const PACE: Pace = {
  firstWord: 5_000,
  slow: 2_000,
  answer: 5_000,
  unnoticed: 1_000,
  ping: 20_000,
  pong: 5_000,
  pingsApart: 10_000,
  silence: 35_000,
  hold: 25_000,
  grace: 10_000,
  poll: 3_000,
  firstRetry: 1_000,
  lastRetry: 8_000,
  spread: 4_000,
  busySpread: 1_000,
  steady: 10_000,
  firstRest: 30_000,
  lastRest: 300_000,
};

/** Give or take a fifth, so that pages that did something together do not do it together again. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.8 + Math.random() * 0.4);
}

/** Milliseconds; never sooner than the seconds that the server asked for, and spread after them. */
export function notBefore(retryAfter: number | null, milliseconds: number): number {
  return Math.max(milliseconds, (retryAfter ?? 0) * 1000 * (1 + Math.random() * 0.2));
}

/** Resolves after this long, or when aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
