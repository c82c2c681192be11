/** Answers only under the configured host name: no page is ever built for a name somebody else chose (T89). */
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { AppError } from '../../error.js';
import type { RequestState } from '../context.js';

/** Health checks come from orchestrators that know the node by its address. */
const ANY_HOST = /^\/health\//;

export function hostCheck(publicUrl: string): Middleware<RequestState> {
  const { host } = new URL(publicUrl);
  return async (ctx, next) => {
    if (!isForHost(ctx.req, host) && !ANY_HOST.test(ctx.req.url ?? '')) {
      throw new AppError('misdirected', {
        message: `This server answers at ${publicUrl} only. Open that address, or set PUBLIC_URL.`,
      });
    }
    await next();
  };
}

export function isForHost({ headers, rawHeaders, url }: IncomingMessage, host: string): boolean {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  // An absolute-form request line could name a second host.
  return hosts === 1 && headers.host?.toLowerCase() === host && url?.startsWith('/') === true;
}
