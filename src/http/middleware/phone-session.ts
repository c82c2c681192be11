/** The phone's session cookie: read on the phone's routes, set at sign-in, cleared at sign-out. Never touched elsewhere (T29). */
import type { Context, Middleware } from 'koa';
import { SESSION_DAYS } from '../../account/phone-session.js';
import type { SignInService } from '../../account/sign-in-service.js';
import type { RequestState } from '../context.js';

export interface PhoneCookie {
  set(ctx: Context, secret: string): void;
  clear(ctx: Context): void;
  read(ctx: Context): string | undefined;
}

export function createPhoneCookie(secure: boolean): PhoneCookie {
  const name = secure ? '__Host-phone' : 'phone';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    set: (ctx, secret) =>
      ctx.append('Set-Cookie', `${name}=${secret}; ${attributes}; Max-Age=${SESSION_DAYS.absolute * 86_400}`),
    clear: (ctx) => ctx.append('Set-Cookie', `${name}=; ${attributes}; Max-Age=0`),
    read(ctx) {
      // Only the blanks RFC 6265 4.2.1 knows are taken off. JavaScript's trim() would also take off a no-break space,
      // and a sibling host may set a cookie whose name begins with one: it would pass for ours, prefix and all.
      const found = ctx
        .get('Cookie')
        .split(';')
        .map((pair) => pair.replace(/^[ \t]+/, ''))
        .filter((pair) => pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1));
      // Two of them: one was planted. Neither is believed (T19).
      return found.length === 1 && /^[\w-]{43}$/.test(found[0] as string) ? found[0] : undefined;
    },
  };
}

export function phoneSession(deps: { signIn: SignInService; cookie: PhoneCookie }): Middleware<RequestState> {
  return async (ctx, next) => {
    const secret = deps.cookie.read(ctx);
    ctx.state.phone = secret === undefined ? undefined : await deps.signIn.whoIs(secret);
    await next();
  };
}
