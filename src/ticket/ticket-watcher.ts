/**
 * Who is to be told when a ticket moves: one watcher per node, behind every transport. It is nudged, or looks by itself
 * every other second, and then reads all it has to in one statement; a waiter is an entry in a map, nothing more.
 */
import type { Nudge } from './nudge.js';
import { isFinal, type TicketStatus } from './ticket.js';
import type { TicketNews, TicketStore } from './ticket-store.js';
import { type TicketView, toView } from './ticket-view.js';

/** A ticket that is being watched. */
export interface Watched {
  /** As it is known now; the seconds left are of now. */
  view(): TicketView;
  /** Nobody is told any more. May be called at any time, and again. */
  stop(): void;
}

export interface TicketWatcher {
  /**
   * Reads the ticket by `read`, which decides whether the caller may know, and then calls `onChange` at each change of
   * its status, the last time with a final one. Rejects as `read` does.
   */
  watch(id: string, read: () => Promise<TicketNews>, onChange: (view: TicketView) => void): Promise<Watched>;
  /** Tickets watched at the moment. */
  readonly size: number;
  close(): void;
}

interface Entry {
  readonly id: string;
  readonly onChange: (view: TicketView) => void;
  revision: number;
  status: TicketStatus;
  matchCode: string | undefined;
  /** Nudged while its first reading was under way, which may be older than the nudge. */
  missed: boolean;
  /** On this process's own clock, which no one sets: milliseconds. */
  deadline: number;
}

/** How often deadlines are looked at; expiry is nobody's event. */
const TICK_MS = 250;
/** A lost nudge costs at most this long (T75): everything is read again every so many ticks. */
const RE_READ_TICKS = 8;
/** Tickets in one statement. */
const CHUNK = 1000;
const NOT_READ = -1;

export function createTicketWatcher(
  store: Pick<TicketStore, 'newsOf'>,
  nudge: Pick<Nudge, 'subscribe'>,
  onError: (error: unknown) => void,
): TicketWatcher {
  const entries = new Map<string, Set<Entry>>();
  /** To be read; whatever cannot be read now stays in here until the next tick. */
  const due = new Set<string>();
  /** To be read before those: somebody is known to have moved them. */
  const nudged = new Set<string>();
  let ticks = 0;
  let reading = false;
  let clock: NodeJS.Timeout | undefined;

  const all = () => {
    for (const id of entries.keys()) due.add(id);
  };
  const unsubscribe = nudge.subscribe((id) => {
    if (id === undefined) all();
    else if (entries.has(id)) nudged.add(id);
    void readDue();
  });
  const tick = () => {
    ticks += 1;
    if (ticks % RE_READ_TICKS === 0) all();
    else {
      const now = performance.now();
      for (const set of entries.values()) for (const entry of set) if (entry.deadline <= now) due.add(entry.id);
    }
    void readDue();
  };
  const forget = (entry: Entry) => {
    const set = entries.get(entry.id);
    if (!set?.delete(entry) || set.size > 0) return;
    entries.delete(entry.id);
    if (entries.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  };

  let last = due;
  /** The nudged first, but not twice in a row while others are due: under a stream of nudges they would wait for ever. */
  const nextDue = () => {
    last = last === nudged && due.size > 0 ? due : nudged.size > 0 ? nudged : due;
    return last.size > 0 ? last : undefined;
  };

  /** One statement at a time; a ticket nudged during one is in the next. */
  async function readDue(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      for (let from = nextDue(); from; from = nextDue()) {
        const ids: string[] = [];
        for (const id of from) if (ids.push(id) === CHUNK) break;
        for (const id of ids) from.delete(id);
        await readThese(ids).catch((error: unknown) => {
          for (const id of ids) due.add(id);
          throw error;
        });
      }
    } catch (error) {
      onError(error);
    } finally {
      reading = false;
    }
  }

  async function readThese(ids: string[]): Promise<void> {
    const known = ids.flatMap((id) => {
      let oldest: number | undefined;
      for (const entry of entries.get(id) ?? []) {
        if (entry.revision === NOT_READ) entry.missed = true;
        else oldest = Math.min(entry.revision, oldest ?? entry.revision);
      }
      return oldest === undefined ? [] : [{ id, revision: oldest }];
    });
    if (known.length === 0) return;
    for (const news of await store.newsOf(known)) {
      for (const entry of [...(entries.get(news.ticket.id) ?? [])]) hear(entry, news);
    }
  }

  function hear(entry: Entry, news: TicketNews): void {
    if (entry.revision === NOT_READ) entry.missed = true;
    else if (news.ticket.revision >= entry.revision) {
      const before = entry.status;
      note(entry, news);
      if (isFinal(entry.status)) forget(entry);
      if (entry.status !== before) entry.onChange(viewOf(entry));
    }
  }

  return {
    get size() {
      return entries.size;
    },
    async watch(id, read, onChange) {
      const entry: Entry = {
        id,
        onChange,
        revision: NOT_READ,
        status: 'pending',
        matchCode: undefined,
        missed: false,
        deadline: Number.POSITIVE_INFINITY,
      };
      // Before the ticket is read: a change in between must not fall between the two.
      entries.set(id, (entries.get(id) ?? new Set<Entry>()).add(entry));
      clock ??= setInterval(tick, TICK_MS).unref();
      try {
        note(entry, await read());
        if (isFinal(entry.status)) forget(entry);
        else if (entry.missed) {
          nudged.add(id);
          void readDue();
        }
      } catch (error) {
        forget(entry);
        throw error;
      }
      return {
        view: () => viewOf(entry),
        stop: () => forget(entry),
      };
    },
    close() {
      unsubscribe();
      clearInterval(clock);
      entries.clear();
    },
  };
}

function note(entry: Entry, news: TicketNews): void {
  const { status, matchCode } = toView(news);
  entry.revision = news.ticket.revision;
  entry.status = status;
  entry.matchCode = matchCode;
  entry.deadline = performance.now() + news.ticket.expiresAt.getTime() - news.now.getTime();
}

function viewOf({ status, matchCode, deadline }: Entry): TicketView {
  const left = isFinal(status) ? 0 : Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  return { status, ...(matchCode ? { matchCode } : {}), expiresIn: left };
}
