/** Limits in this node's memory, keyed by address; a cluster's limit is this times its nodes. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../../error.js';

export interface Limit {
  /** Throws `too_many_requests` once the points are spent. */
  check(key: string): Promise<void>;
  count(key: string): Promise<void>;
}

export function createLimit(options: { points: number; seconds: number }): Limit {
  const limiter = new RateLimiterMemory({ points: options.points, duration: options.seconds });
  return {
    async check(key) {
      const spent = await limiter.get(key);
      if (spent && spent.consumedPoints >= options.points) {
        throw new AppError('too_many_requests', { retryAfter: Math.ceil(spent.msBeforeNext / 1000) });
      }
    },
    async count(key) {
      await limiter.consume(key).catch((refused: unknown) => {
        if (!(refused instanceof RateLimiterRes)) throw refused;
      });
    },
  };
}
