/** Lets through only what our own pages send: JSON, from exactly our origin (T16). */
import type { Context, Middleware } from 'koa';
import { AppError } from '../../error.js';
import type { RequestState } from '../context.js';

export function sameOrigin(publicUrl: string): Middleware<RequestState> {
  return async (ctx, next) => {
    requireSameOrigin(ctx, publicUrl);
    await next();
  };
}

export function requireSameOrigin(ctx: Context, publicUrl: string): void {
  if (ctx.get('Origin') !== publicUrl) throw new AppError('forbidden');
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '' && site !== 'same-origin') throw new AppError('forbidden');
}
