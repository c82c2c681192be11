// Polling: asks every few seconds. Works wherever a page works.
import { jittered, pause } from '../pace.js';
import { isDecided } from '../ticket-status.js';
import { ask } from './ask.js';
import type { Transport } from './transport.js';

export const poll: Transport = (watched, listener) => {
  const life = new AbortController();
  const { signal } = life;
  const run = async () => {
    while (!signal.aborted) {
      const { update, ending } = await ask(watched, signal);
      if (signal.aborted) return;
      if (ending) return listener.over(ending);
      listener.status(update);
      if (isDecided(update.status)) return;
      await pause(jittered(watched.pace.poll), signal);
    }
  };
  void run();
  return { check: () => {}, close: () => life.abort() };
};
