/** The headers of every answer (docs/security.md): nothing may be framed, cached, sniffed or referred unless a page says so. */
import type { Middleware } from 'koa';
import type { RequestState } from '../context.js';

const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function securityHeaders(options: { https: boolean }): Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.set('Content-Security-Policy', NO_CONTENT_POLICY);
    ctx.set('X-Frame-Options', 'DENY');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
    ctx.set('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)');
    ctx.set('Cache-Control', 'no-store');
    if (options.https) ctx.set('Strict-Transport-Security', 'max-age=63072000; includeSubDomains');
    await next();
  };
}
