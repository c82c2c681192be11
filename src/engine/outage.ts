/** An outage at the engine's border: inside it is the engine's own 503, outside it is our `unavailable` again. */
import { errors } from 'oidc-provider';
import { AppError } from '../error.js';

/** The database is down: the engine's own way of answering 503 instead of 500. */
export class TemporarilyUnavailable extends errors.OIDCProviderError {
  override error_description = 'the service is busy; try again in a moment';
  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable');
    this.cause = cause;
    this.expose = true;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: calls of any kind pass through as they are
type Call = (...args: any[]) => Promise<any>;

/** The same calls, for the doors: what an outage told the engine is told to them as it was. */
export function withOurErrors<T extends object>(calls: T): T {
  return mapped(calls, (error) => (error instanceof TemporarilyUnavailable ? error.cause : error));
}

/** The same calls, for the engine: an outage is its own 503, whatever of ours it asks. */
export function withEngineErrors<T extends object>(calls: T): T {
  return mapped(calls, toEngineError);
}

export function withEngineError<C extends Call>(call: C): C {
  return translated(call, toEngineError) as C;
}

function toEngineError(error: unknown): unknown {
  return error instanceof AppError && error.code === 'unavailable' ? new TemporarilyUnavailable(error) : error;
}

function mapped<T extends object>(calls: T, translate: (error: unknown) => unknown): T {
  const entries = Object.entries(calls as Record<string, Call>);
  return Object.fromEntries(entries.map(([name, call]) => [name, translated(call, translate)])) as T;
}

function translated(call: Call, translate: (error: unknown) => unknown): Call {
  return async (...args) => {
    try {
      return await call(...args);
    } catch (error) {
      throw translate(error);
    }
  };
}
