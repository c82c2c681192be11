/** One count of open tickets as this node knows it: the database's a moment ago, and what was let in here since. */
import type { OpenTickets } from './ticket-cap-store.js';

/** At most so many under this key. */
export interface Cap {
  readonly key: string;
  readonly most: number;
}

/** Somebody let in. */
export interface Place {
  /** `opened`: a row was written. Else the room is free again. */
  leave(opened: boolean): void;
}

/** How long a count is believed, in milliseconds. */
const FRESH_MS = 1000;
/** Of the room that a count found, this part is given away before the next one: the other nodes do so too. */
const SHARE = 10;

interface Taken {
  readonly key: string;
  /** Where it is counted now. */
  among: Map<string, number>;
  opened: boolean;
}

export class Tally {
  readonly #count: () => Promise<ReadonlyMap<string, OpenTickets>>;
  #counted: ReadonlyMap<string, OpenTickets> = new Map();
  #countedAt = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;
  readonly #places = new Set<Taken>();
  /** Let in since the last count. */
  #since = new Map<string, number>();
  /** Let in before it and not done when it began: their rows are in it, or not. */
  #doubtful = new Map<string, number>();
  /** One of those is done by now, and another count would know more. */
  #clearer = false;
  /** Told when somebody is done. */
  #waiting: Array<() => void> = [];

  constructor(count: () => Promise<ReadonlyMap<string, OpenTickets>>) {
    this.#count = count;
  }

  /** `unknown`: wait for `learn`, then look again. */
  look({ key, most }: Cap): 'room' | 'full' | 'unknown' {
    if (!this.#isFresh() || this.#counting) return 'unknown';
    const room = most - (this.#counted.get(key)?.taken ?? 0);
    const left = room - of(this.#since, key);
    if (left <= 0) return 'full';
    const doubtful = of(this.#doubtful, key);
    // All that the other nodes may not see yet.
    const given = of(this.#since, key) + doubtful;
    return left > doubtful && given < Math.ceil(room / SHARE) ? 'room' : 'unknown';
  }

  /** Counts again, one count at a time whoever asks, and not before it can tell more. Throws when the database cannot say. */
  async learn({ key }: Cap): Promise<void> {
    const inDoubt = of(this.#doubtful, key) > 0;
    if (this.#isFresh() && !this.#counting && inDoubt && !this.#clearer) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#counting ??= this.#ask().finally(() => {
      this.#counting = undefined;
    });
    await this.#counting;
  }

  /** Where `look` has found room. */
  take({ key }: Cap): Place {
    const place: Taken = { key, among: this.#since, opened: false };
    this.#places.add(place);
    add(place.among, key, 1);
    return {
      leave: (opened) => {
        place.opened = opened;
        if (place.among === this.#doubtful) this.#clearer = true;
        if (!opened && this.#places.delete(place)) add(place.among, key, -1);
        for (const tell of this.#waiting.splice(0)) tell();
      },
    };
  }

  /** Until there may be room again under this key, in seconds. */
  secondsOf(key: string): number {
    return Math.max(1, this.#counted.get(key)?.seconds ?? 0);
  }

  /** Nothing would be lost with it. */
  get idle(): boolean {
    return !this.#isFresh() && !this.#counting && ![...this.#places].some(({ opened }) => !opened);
  }

  async #ask(): Promise<void> {
    const inCount = [...this.#places].filter(({ opened }) => opened);
    this.#counted = await this.#count();
    this.#countedAt = performance.now();
    for (const place of inCount) this.#places.delete(place);
    this.#since = new Map();
    this.#doubtful = new Map();
    this.#clearer = [...this.#places].some(({ opened }) => opened);
    for (const place of this.#places) {
      place.among = this.#doubtful;
      add(place.among, place.key, 1);
    }
  }

  #isFresh(): boolean {
    return performance.now() - this.#countedAt < FRESH_MS;
  }
}

function of(counts: ReadonlyMap<string, number>, key: string): number {
  return counts.get(key) ?? 0;
}

function add(to: Map<string, number>, key: string, by: number): void {
  to.set(key, of(to, key) + by);
}
