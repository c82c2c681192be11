/** Limits in this node's memory; a cluster's limit is this times its nodes. What people can guess is in guess-limit.ts. */
import { AppError } from './error.js';

export interface Limit {
  /** Throws `too_many_requests` once the points are spent. */
  check(key: string): Promise<void>;
  count(key: string): Promise<void>;
  /** Both at once, so that of many that come together no more pass than may. Returns how to give the point back. */
  spend(key: string): () => void;
}

/** Keys held at once: some 10 MB. Whoever has more addresses than this is not stopped by counting addresses (T76). */
const MOST_KEYS = 50_000;

interface Window {
  spent: number;
  readonly endsAt: number;
}

/** `points` in the `seconds` that begin with the first of them. */
export function createLimit(options: { points: number; seconds: number }): Limit {
  // In the order they began, which is the order they end in.
  const windows = new Map<string, Window>();
  const tidy = (now: number) => {
    for (const [key, { endsAt }] of windows) {
      if (endsAt > now && windows.size <= MOST_KEYS) return;
      windows.delete(key);
    }
  };
  const windowOf = (key: string, now: number) => {
    const found = windows.get(key);
    return found && found.endsAt > now ? found : undefined;
  };
  const check = (key: string) => {
    const now = performance.now();
    const found = windowOf(key, now);
    if (!found || found.spent < options.points) return;
    throw new AppError('too_many_requests', { retryAfter: Math.ceil((found.endsAt - now) / 1000) });
  };
  const count = (key: string) => {
    const now = performance.now();
    const found = windowOf(key, now);
    if (found) {
      found.spent += 1;
      return found;
    }
    const begun = { spent: 1, endsAt: now + options.seconds * 1000 };
    windows.delete(key);
    windows.set(key, begun);
    tidy(now);
    return begun;
  };
  return {
    check: async (key) => check(key),
    count: async (key) => void count(key),
    spend(key) {
      check(key);
      const spent = count(key);
      return () => {
        spent.spent -= 1;
      };
    },
  };
}
