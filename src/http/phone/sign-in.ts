/** POST /phone/sign-in and /phone/sign-out: the phone's session begins and ends; the ticket in its address bar stays. */
import { z } from 'zod';
import type { SignInService } from '../../account/sign-in-service.js';
import { AppError } from '../../error.js';
import { browserName } from '../browser-name.js';
import type { AppRouterContext } from '../context.js';

import { readJson } from '../middleware/read-body.js';
import type { SessionCookie } from '../middleware/session-cookie.js';

// A NUL is in no name here, and Postgres would refuse to look for one.
const username = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => !text.includes('\0'));
export const CREDENTIALS = z.strictObject({ username, password: z.string().min(1).max(256) });
const SIGN_OUT = z.strictObject({ csrf: z.string().max(100).optional() });

export interface SignInDeps {
  signIn: SignInService;
  cookie: SessionCookie;
}

export function signIn(deps: SignInDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { username, password } = await readJson(ctx.req, CREDENTIALS);
    const { secret } = await deps.signIn.signInWithPassword({
      username,
      password,
      addressKey: ctx.state.addressKey,
      browser: browserName(ctx.get('User-Agent')),
    });
    // Whoever was signed in on this phone before no longer is (T19).
    if (ctx.state.phone) await deps.signIn.signOut(ctx.state.phone.session);
    deps.cookie.set(ctx, secret);
    ctx.body = {};
  };
}

/** The session ends at the server; other phones of the account stay signed in. */
export function signOut(deps: SignInDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, SIGN_OUT);
    if (!ctx.state.phone) throw new AppError('not_signed_in');
    await deps.signIn.signOut(ctx.state.phone.session);
    deps.cookie.clear(ctx);
    ctx.body = {};
  };
}
