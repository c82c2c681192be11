/** Lets through only what our own pages send: JSON, from exactly our origin (T16). */
import type { Middleware } from 'koa';
import { AppError } from '../../error.js';
import type { RequestState } from '../context.js';

export function sameOrigin(publicUrl: string): Middleware<RequestState> {
  return async (ctx, next) => {
    if (ctx.get('Origin') !== publicUrl) throw new AppError('forbidden');
    const site = ctx.get('Sec-Fetch-Site');
    if (site !== '' && site !== 'same-origin') throw new AppError('forbidden');
    await next();
  };
}
