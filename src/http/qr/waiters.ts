/**
 * Who is being held, by whatever transport: one waiter per ticket, so many per address and per node (T77), and all of them
 * let go when the server stops.
 */
import { AppError } from '../../error.js';

/** Why somebody is held no longer. */
export type LetGo = 'superseded' | 'stopping';

/** One caller's right to be held. */
export interface Seat {
  /** Takes the ticket's one place; whoever was in it is let go. To be called once the wait secret was found right. */
  hold(ticketId: string, letGo: (why: LetGo) => void): void;
  /** Gives everything back. May be called again. */
  leave(): void;
}

export interface Waiters {
  /** Throws `too_many_requests` when this address, `unavailable` when this node holds as many as it may. */
  enter(addressKey: string): Seat;
  /** Lets everybody go, those to come included; for a graceful stop. */
  endAll(): void;
  readonly size: number;
}

export interface WaiterLimits {
  perAddress: number;
  perNode: number;
}

/** A page that may not be held asks again this often, in seconds (T77). */
const POLL_INSTEAD = 3;

export function createWaiters(limits: WaiterLimits): Waiters {
  const places = new Map<string, Held>();
  const addresses = new Map<string, number>();
  let size = 0;
  let over = false;

  class Held implements Seat {
    readonly #addressKey: string;
    #ticketId: string | undefined;
    #letGo: ((why: LetGo) => void) | undefined;
    #here = true;

    constructor(addressKey: string) {
      this.#addressKey = addressKey;
    }

    hold(ticketId: string, letGo: (why: LetGo) => void): void {
      // Somebody who hung up meanwhile takes nobody's place.
      if (!this.#here) return;
      const before = places.get(ticketId);
      this.#ticketId = ticketId;
      this.#letGo = letGo;
      places.set(ticketId, this);
      before?.end('superseded');
      // Once the server is stopping nobody is held any more.
      if (over) this.end('stopping');
    }

    end(why: LetGo): void {
      const letGo = this.#letGo;
      this.#letGo = undefined;
      letGo?.(why);
    }

    leave(): void {
      if (!this.#here) return;
      this.#here = false;
      this.#letGo = undefined;
      size -= 1;
      const others = (addresses.get(this.#addressKey) ?? 1) - 1;
      if (others > 0) addresses.set(this.#addressKey, others);
      else addresses.delete(this.#addressKey);
      if (this.#ticketId !== undefined && places.get(this.#ticketId) === this) places.delete(this.#ticketId);
    }
  }

  return {
    get size() {
      return size;
    },
    enter(addressKey) {
      if (size >= limits.perNode) throw new AppError('unavailable', { retryAfter: POLL_INSTEAD });
      const others = addresses.get(addressKey) ?? 0;
      if (others >= limits.perAddress) throw new AppError('too_many_requests', { retryAfter: POLL_INSTEAD });
      addresses.set(addressKey, others + 1);
      size += 1;
      return new Held(addressKey);
    },
    endAll() {
      over = true;
      for (const held of [...places.values()]) held.end('stopping');
    },
  };
}
