/** Who is at the console, by its own cookie, and what they may do now. Nothing a phone holds opens this door (T65). */
import type { Middleware } from 'koa';
import { ADMINISTRATOR_MINUTES, type AdministratorSession } from '../../administrator/administrator.js';
import type { AdministratorSignIn } from '../../administrator/administrator-sign-in.js';
import { AppError } from '../../error.js';
import type { AppRouterContext, RequestState } from '../context.js';
import type { CsrfTokens } from '../csrf-token.js';
import { chooseLanguage } from '../language.js';
import { readAhead } from '../middleware/read-body.js';
import { createSessionCookie, type SessionCookie } from '../middleware/session-cookie.js';

/** Not sent from anywhere else, not even along a link; gone with the browser (T62). */
export function createConsoleCookie(secure: boolean): SessionCookie {
  return createSessionCookie('console', { secure, sameSite: 'Strict' });
}

export interface ConsoleDeps {
  administratorSignIn: AdministratorSignIn;
  consoleCookie: SessionCookie;
  consoleCsrf: CsrfTokens;
  /** A password alone opens nothing but the page that adds the first passkey. */
  passkeyNeeded: boolean;
}

/** What a session may do: everything, add its first passkey, or nothing until a passkey is shown. */
export type Standing = 'full' | 'add-passkey' | 'show-passkey';

export function standingOf(session: AdministratorSession, deps: Pick<ConsoleDeps, 'passkeyNeeded'>): Standing {
  if (session.method === 'passkey') return 'full';
  if (session.hasPasskey) return 'show-passkey';
  return deps.passkeyNeeded ? 'add-passkey' : 'full';
}

/**
 * Finds the session, and the language that the page's address asks for; whether one is needed is for the route to say. Only
 * when all of the request is there: who sends it slowly is judged by what they may do at its end (T20, T23).
 */
export function consoleSession(deps: ConsoleDeps): Middleware<RequestState> {
  return async (ctx, next) => {
    const { lang } = ctx.query;
    if (typeof lang === 'string') ctx.state.lang = chooseLanguage(lang, ctx.get('Accept-Language'));
    await readAhead(ctx.req);
    const secret = deps.consoleCookie.read(ctx);
    ctx.state.administrator = secret === undefined ? undefined : await deps.administratorSignIn.whoIs(secret);
    await next();
  };
}

/** The session, if it may do everything. Throws `not_signed_in` or `passkey_required`. */
export function requireFull(ctx: AppRouterContext, deps: ConsoleDeps): AdministratorSession {
  const session = requireSession(ctx);
  const standing = standingOf(session, deps);
  if (standing === 'show-passkey') throw new AppError('not_signed_in');
  if (standing === 'add-passkey') throw new AppError('passkey_required');
  return session;
}

export function requireSession(ctx: AppRouterContext): AdministratorSession {
  const session = ctx.state.administrator;
  if (!session) throw new AppError('not_signed_in');
  return session;
}

/** The header that only our own page can send, with the token that it was given (T62). */
export function requireCsrf(ctx: AppRouterContext, session: AdministratorSession, deps: ConsoleDeps): void {
  if (!deps.consoleCsrf.matches(ctx.get('X-CSRF-Token'), session.id, 'console')) throw new AppError('forbidden');
}

/** Throws `step_up_required` when the last proof of who they are is older than so many minutes. */
export function requireFresh({ age }: AdministratorSession, minutes: number = ADMINISTRATOR_MINUTES.fresh): void {
  if (age <= minutes * 60) return;
  throw new AppError('step_up_required', {
    message: `this needs a proof of who you are from the last ${minutes} minutes: prove it, then repeat the request`,
  });
}
