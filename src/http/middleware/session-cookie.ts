/** A cookie that carries a session's secret: how it is set, cleared, and read without believing a planted one. */
import type { Context } from 'koa';

export interface SessionCookie {
  set(ctx: Context, secret: string): void;
  clear(ctx: Context): void;
  read(ctx: Context): string | undefined;
}

/** `seconds`: how long the browser keeps it; until it is closed when not given. */
export function createSessionCookie(
  plainName: string,
  { secure, sameSite, seconds }: { secure: boolean; sameSite: 'Lax' | 'Strict'; seconds?: number },
): SessionCookie {
  const name = secure ? `__Host-${plainName}` : plainName;
  const attributes = `Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
  const kept = seconds === undefined ? '' : `; Max-Age=${seconds}`;
  return {
    set: (ctx, secret) => ctx.append('Set-Cookie', `${name}=${secret}; ${attributes}${kept}`),
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
