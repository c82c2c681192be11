/** POST /admin/sign-in, /admin/sign-out and /admin/prove: the console's session begins, ends, and is proved again. */
import { z } from 'zod';
import { AppError } from '../../error.js';
import type { AppRouterContext } from '../context.js';
import { NOTHING, readJson } from '../middleware/read-body.js';
import { CREDENTIALS } from '../phone/sign-in.js';
import { type ConsoleDeps, requireCsrf, requireSession } from './console.js';

const PASSWORD = z.strictObject({ password: z.string().min(1).max(256) });

/** {username, password}: 200 and the cookie. A new session at every sign-in; the one before it ends (T19). */
export function signIn(deps: ConsoleDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const given = await readJson(ctx.req, CREDENTIALS);
    const { addressKey } = ctx.state;
    const secret = await deps.administratorSignIn.withPassword({ ...given, addressKey });
    await beginSession(ctx, secret, deps);
  };
}

export function signOut(deps: ConsoleDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    const session = requireSession(ctx);
    requireCsrf(ctx, session, deps);
    await deps.administratorSignIn.signOut(session);
    deps.consoleCookie.clear(ctx);
    ctx.body = {};
  };
}

/**
 * {password}: the proof is fresh again, and the cookie another one (T19). Only while there is no passkey: then the
 * password proves nothing (T65).
 */
export function prove(deps: ConsoleDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { password } = await readJson(ctx.req, PASSWORD);
    const session = requireSession(ctx);
    requireCsrf(ctx, session, deps);
    if (session.hasPasskey) throw new AppError('invalid_credentials');
    const given = { password, addressKey: ctx.state.addressKey };
    deps.consoleCookie.set(ctx, await deps.administratorSignIn.proveByPassword(session, given));
    ctx.body = {};
  };
}

/** Sets the cookie of a new session; the one that came along ends (T19). */
export async function beginSession(ctx: AppRouterContext, secret: string, deps: ConsoleDeps): Promise<void> {
  if (ctx.state.administrator) await deps.administratorSignIn.signOut(ctx.state.administrator);
  deps.consoleCookie.set(ctx, secret);
  ctx.body = {};
}
