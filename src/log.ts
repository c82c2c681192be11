/** Structured JSON logs. Errors are reduced to type, message and stack; nothing else of an object is ever written. */
import { pino } from 'pino';

export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** `destination` is standard output unless given. */
export function createLogger(level: string, destination?: pino.DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Never the error's own fields: database errors carry the row's values, fetch errors whole URLs (T86). */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: error.message.slice(0, 512),
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack
      ?.split('\n')
      .slice(1, 12)
      .map((line) => line.trim())
      .join(' | '),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
