/** Gives each request its id and writes one line about it: fields by allow-list, the route's template instead of the URL (T86). */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Logger } from '../../log.js';
import type { RequestState } from '../context.js';

const ids = new WeakMap<IncomingMessage, string>();

/** For the engine, which sees the same request in a context of its own. */
export function requestIdOf(req: IncomingMessage): string {
  return ids.get(req) ?? 'none';
}

/** What the engine is asked from inside, as part of this request, is told apart from other requests by the same id. */
export function noteSameRequest(inner: IncomingMessage, outer: IncomingMessage): void {
  ids.set(inner, requestIdOf(outer));
}

export function requestLog(log: Logger): Middleware<RequestState> {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.requestId = newRequestId();
    ids.set(ctx.req, ctx.state.requestId);
    try {
      await next();
    } finally {
      log.info(
        {
          rid: ctx.state.requestId,
          method: ctx.method,
          route: ctx.state.route ?? (ctx.status === 404 ? 'unknown' : 'other'),
          status: ctx.status,
          ms: Math.round((performance.now() - started) * 10) / 10,
        },
        'request',
      );
    }
  };
}

/** For a request that never becomes a Koa context; the same line. */
export function logUpgrade(log: Logger, line: { route: string; status: number }): void {
  log.info({ rid: newRequestId(), method: 'GET', ...line }, 'request');
}

/** WeChat's shape: seconds in hex, then 64 random bits. */
function newRequestId(): string {
  const time = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0');
  const random = randomBytes(8).toString('hex');
  return `${time}-${random.slice(0, 8)}-${random.slice(8)}`;
}
