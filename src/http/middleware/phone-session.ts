/** The phone's session cookie: read on the phone's routes, set at sign-in, cleared at sign-out. Never touched elsewhere (T29). */
import type { Middleware } from 'koa';
import { SESSION_DAYS } from '../../account/phone-session.js';
import type { SignInService } from '../../account/sign-in-service.js';
import type { RequestState } from '../context.js';
import { readAhead } from './read-body.js';
import { createSessionCookie, type SessionCookie } from './session-cookie.js';

export function createPhoneCookie(secure: boolean): SessionCookie {
  return createSessionCookie('phone', { secure, sameSite: 'Lax', seconds: SESSION_DAYS.absolute * 86_400 });
}

export function phoneSession(deps: { signIn: SignInService; cookie: SessionCookie }): Middleware<RequestState> {
  return async (ctx, next) => {
    // Who sends slowly is judged by what the session is worth when all of the request is there (T20).
    await readAhead(ctx.req);
    const secret = deps.cookie.read(ctx);
    ctx.state.phone = secret === undefined ? undefined : await deps.signIn.whoIs(secret);
    await next();
  };
}
