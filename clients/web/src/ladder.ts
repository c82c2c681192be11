// Which transport to use: the best that is not at rest. One that could not be had rests, longer each time, and is tried again.
import { jittered, notBefore, type Pace } from './pace.js';
import { TRANSPORT_NAMES, type TransportName } from './transport/transport.js';

interface Rest {
  until: number;
  /** How often in a row it could not be had. */
  times: number;
}

export class Ladder {
  readonly order: readonly TransportName[];
  private readonly pace: Pace;
  private readonly rests = new Map<TransportName, Rest>();

  /** Unknown names are left out; an empty order is the usual one. */
  constructor(order: readonly string[], pace: Pace) {
    const known = [...new Set(order)].filter((name): name is TransportName => TRANSPORT_NAMES.some((n) => n === name));
    this.order = known.length > 0 ? known : TRANSPORT_NAMES;
    this.pace = pace;
  }

  best(): TransportName {
    const now = performance.now();
    const awake = this.order.find((name) => (this.rests.get(name)?.until ?? 0) <= now);
    return awake ?? (this.order[this.order.length - 1] as TransportName);
  }

  /** Milliseconds until something better than this may be tried; null when it is the best. */
  betterIn(name: TransportName): number | null {
    const better = this.order.slice(0, Math.max(0, this.order.indexOf(name)));
    if (better.length === 0) return null;
    const now = performance.now();
    return Math.max(0, Math.min(...better.map((each) => this.rests.get(each)?.until ?? 0)) - now);
  }

  isBetter(name: TransportName, than: TransportName): boolean {
    return this.order.indexOf(name) < this.order.indexOf(than);
  }

  fail(name: TransportName): void {
    const times = (this.rests.get(name)?.times ?? 0) + 1;
    const rest = Math.min(this.pace.firstRest * 2 ** (times - 1), this.pace.lastRest);
    this.rests.set(name, { times, until: performance.now() + jittered(rest) });
  }

  /** It brought news, not only a first word. */
  works(name: TransportName): void {
    this.rests.delete(name);
  }

  /** The server holds nobody more: whatever is held rests. */
  tooMany(retryAfter: number | null): void {
    for (const name of this.order) {
      if (name === 'poll') continue;
      const times = this.rests.get(name)?.times ?? 0;
      const rest = notBefore(retryAfter, jittered(this.pace.firstRest));
      this.rests.set(name, { times, until: performance.now() + rest });
    }
  }

  /** Another network: nothing known about the old one holds. */
  forget(): void {
    this.rests.clear();
  }
}
