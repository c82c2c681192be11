/** An outage at the engine's border: inside it is the engine's own 503, outside it is our `unavailable` again. */
import { TemporarilyUnavailable } from './adapter.js';

/** The same calls; what the adapter told the engine is told to the doors as it was. */
export function withOurErrors<T extends object>(calls: T): T {
  const wrapped = Object.entries(calls as Record<string, (...args: unknown[]) => Promise<unknown>>).map(
    ([name, call]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await call(...args);
        } catch (error) {
          throw error instanceof TemporarilyUnavailable ? error.cause : error;
        }
      },
    ],
  );
  return Object.fromEntries(wrapped) as T;
}
