/**
 * An end to guessing what people type: passwords and user codes. Counted for all nodes together; whoever is refused is
 * then refused from this node's memory. When nobody can count, nobody may guess (T83).
 */
import { AppError } from '../error.js';
import type { GuessStore } from './guess-store.js';

export interface GuessLimit {
  /** Throws `too_many_requests` if this node remembers having refused it; asks nobody. */
  recall(key: string): void;
  /**
   * One guess more, counted before it is looked at, so that of many at once no more pass than may. Throws
   * `too_many_requests` once the points are spent, `unavailable` when nobody can count.
   */
  count(key: string): Promise<void>;
  /** It was right. */
  takeBack(key: string): Promise<void>;
  /** It was right, and what was wrong before it counts no more. */
  forget(key: string): Promise<void>;
}

/** Refused keys held at once. */
const MOST_KEYS = 50_000;

/** `name` keeps the keys of one limit apart from those of others. */
export function createGuessLimit(
  store: GuessStore,
  { name, points, seconds }: { name: string; points: number; seconds: number },
): GuessLimit {
  /** Until when, on this process's own clock. */
  const refused = new Map<string, number>();
  const rowOf = (key: string) => `${name} ${key}`;

  const recall = (key: string) => {
    const until = refused.get(key);
    if (until === undefined) return;
    const left = until - performance.now();
    if (left > 0) throw new AppError('too_many_requests', { retryAfter: Math.ceil(left / 1000) });
    refused.delete(key);
  };
  const asked = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw cause instanceof AppError ? cause : new AppError('unavailable', { cause });
    }
  };

  return {
    recall,
    async count(key) {
      recall(key);
      const spent = await asked(store.add(rowOf(key), seconds));
      if (spent.points <= points) return;
      refused.set(key, performance.now() + spent.seconds * 1000);
      if (refused.size > MOST_KEYS) refused.delete(refused.keys().next().value as string);
      recall(key);
    },
    takeBack: (key) => asked(store.takeBack(rowOf(key))),
    forget: (key) => asked(store.forget(rowOf(key))),
  };
}
