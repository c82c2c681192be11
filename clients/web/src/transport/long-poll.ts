// Long-polling: one held request at a time, answered at the next change or when its time is up.
import { isDecided, type TicketStatus } from '../ticket-status.js';
import { ask } from './ask.js';
import type { Transport } from './transport.js';

export const longPoll: Transport = (watched, listener) => {
  const life = new AbortController();
  const { signal } = life;
  const { hold, grace } = watched.pace;
  const run = async () => {
    let seen: TicketStatus | null = null;
    while (!signal.aborted) {
      const started = performance.now();
      // The first is not held: it says how things are.
      const query: string = seen === null ? '' : `?wait=${Math.ceil(hold / 1000)}&seen=${seen}`;
      const { update, ending } = await ask(watched, signal, query, seen === null ? undefined : hold + grace);
      if (signal.aborted) return;
      if (ending) return listener.over(ending);
      listener.status(update);
      if (signal.aborted || isDecided(update.status)) return;
      // Nothing new, and long before its time: the server stops, or another page has taken the place.
      if (update.status === seen && performance.now() - started < hold / 2) return listener.over({ why: 'goodbye' });
      seen = update.status;
    }
  };
  void run();
  return { check: () => {}, close: () => life.abort() };
};
