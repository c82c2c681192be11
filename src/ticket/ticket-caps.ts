/**
 * How many tickets may be open at once: of one address, of one client, in all; on every node together (T76). The database
 * counts; each node remembers the answer for a second, so that a flood is turned away from memory.
 */
import { AppError } from '../error.js';
import type { OpenTickets, TicketCapStore } from './ticket-cap-store.js';
import { type Cap, Tally } from './ticket-tally.js';

/** Who wants one. */
export interface Opener {
  /** As limits are keyed on it; undefined where a site's own server asks, which has proved who it is. */
  readonly addressKey: string | undefined;
  readonly clientId: string;
}

export interface TicketLimits {
  readonly perAddress: number;
  readonly perClient: number;
  readonly inAll: number;
}

export interface TicketCaps {
  /**
   * Runs `open`, which opens one ticket, if there is room. Else throws `too_many_requests` before anything is written;
   * `unavailable` when nobody can count. Nodes that let in at the same moment may pass a limit together, each by a tenth
   * of it at most; one node never does.
   */
  admit<T>(opener: Opener, open: () => Promise<T>): Promise<T>;
}

export interface TicketCapsDeps {
  store: TicketCapStore;
  limits: TicketLimits;
  /** Told when a limit is met, and not again within a minute. */
  onFull: (limit: keyof TicketLimits) => void;
}

/** The key of all tickets; no client has such an id. */
const ALL = '';
const TOLD_EVERY_MS = 60_000;
const TIDY_ABOVE = 1000;

export function createTicketCaps({ store, limits, onFull }: TicketCapsDeps): TicketCaps {
  const everybody = new Tally(async () => withTotal(await store.ofClients()));
  const addresses = new Map<string, Tally>();
  const toldAt = new Map<keyof TicketLimits, number>();
  let tidyAt = TIDY_ABOVE;

  const tallyOf = (key: string) => {
    if (addresses.size > tidyAt) {
      for (const [address, tally] of addresses) if (tally.idle) addresses.delete(address);
      tidyAt = Math.max(TIDY_ABOVE, addresses.size * 2);
    }
    const tally = addresses.get(key) ?? new Tally(() => store.ofAddress(key, limits.perAddress));
    addresses.set(key, tally);
    return tally;
  };
  const refuse = ({ tally, cap, limit }: Room): never => {
    const now = performance.now();
    if (now - (toldAt.get(limit) ?? Number.NEGATIVE_INFINITY) > TOLD_EVERY_MS) {
      toldAt.set(limit, now);
      onFull(limit);
    }
    throw new AppError('too_many_requests', {
      message: 'Too many sign-ins are open at once; wait a little, then try again.',
      reason: 'tickets_full',
      retryAfter: tally.secondsOf(cap.key),
    });
  };

  return {
    async admit({ addressKey, clientId }, open) {
      const rooms: Room[] = [
        { tally: everybody, cap: { key: clientId, most: limits.perClient }, limit: 'perClient' },
        { tally: everybody, cap: { key: ALL, most: limits.inAll }, limit: 'inAll' },
      ];
      if (addressKey !== undefined) {
        const cap = { key: addressKey, most: limits.perAddress };
        rooms.unshift({ tally: tallyOf(addressKey), cap, limit: 'perAddress' });
      }
      for (;;) {
        const seen = rooms.map((room) => ({ room, has: room.tally.look(room.cap) }));
        const full = seen.find(({ has }) => has === 'full');
        if (full) refuse(full.room);
        const unknown = seen.filter(({ has }) => has === 'unknown');
        if (unknown.length === 0) break;
        await Promise.all(unknown.map(({ room }) => room.tally.learn(room.cap)));
      }
      // Nothing was awaited since the look that found room.
      const places = rooms.map(({ tally, cap }) => tally.take(cap));
      let opened = false;
      try {
        const result = await open();
        opened = true;
        return result;
      } finally {
        for (const place of places) place.leave(opened);
      }
    },
  };
}

interface Room {
  readonly tally: Tally;
  readonly cap: Cap;
  readonly limit: keyof TicketLimits;
}

function withTotal(byClient: ReadonlyMap<string, OpenTickets>): ReadonlyMap<string, OpenTickets> {
  const all = [...byClient.values()];
  const taken = all.reduce((sum, open) => sum + open.taken, 0);
  const seconds = all.length > 0 ? Math.min(...all.map((open) => open.seconds)) : 0;
  return new Map([...byClient, [ALL, { taken, seconds }]]);
}
