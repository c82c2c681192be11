/** What each request carries through the middleware, and the types every door shares. */
import type { RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { SignedIn } from '../account/sign-in-service.js';
import type { AdministratorSession } from '../administrator/administrator.js';
import type { Language } from './language.js';

export interface RequestState {
  /** Also the `rid` of a WeChat error: three groups of eight hex digits, the first the time. */
  requestId: string;
  /** The client's address as seen through trusted proxies only. */
  address: string;
  /** What limits are keyed on: the address, or an IPv6 /64. */
  addressKey: string;
  /** ISO 3166 alpha-2, named by a trusted proxy. */
  country: string | undefined;
  /** A client's certificate as a trusted proxy handed it on, unread. */
  certificate?: string;
  lang: Language;
  /** The route's template, for the log: never the URL, which may hold secrets. */
  route?: string;
  /** Set by the phone session middleware. */
  phone?: SignedIn;
  /** Set by the console session middleware. */
  administrator?: AdministratorSession;
}

export type AppContext = Context & { state: RequestState };
export type AppRouterContext = RouterContext<RequestState>;

/** Adds an address; what stands before the handler runs first. */
export type Route = (
  method: 'get' | 'post' | 'patch' | 'delete',
  path: string,
  handle: (ctx: AppRouterContext) => void | Promise<void>,
  ...before: Middleware<RequestState>[]
) => void;

/** Answers with a rendered page. */
export function sendPage(ctx: Context, page: { html: string; contentSecurityPolicy: string }, status = 200): void {
  ctx.status = status;
  ctx.set('Content-Security-Policy', page.contentSecurityPolicy);
  ctx.type = 'html';
  ctx.body = page.html;
}
