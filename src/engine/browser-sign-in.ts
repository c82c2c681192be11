/**
 * Who is signed in on the browser at the authorization endpoint, and for how long. The engine keeps the session; it is
 * good for one request, or until it is forgotten if the person chose so, and never outlives the phone session that
 * vouched for it (product.md 9).
 */
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { BrowserSession } from '../account/browser-session-store.js';

/** What our pages tell the engine about a sign-in; the engine hands it back. */
export interface SignInResult {
  readonly accountId: string;
  /** Seconds since the epoch at which the person proved who they are. */
  readonly ts: number;
  readonly amr: string[];
  readonly acr: string;
  readonly remember: boolean;
  readonly phoneSessionId: string;
}

export interface BrowserSessions {
  tie(engineSession: string, session: BrowserSession): Promise<boolean>;
  find(engineSession: string): Promise<BrowserSession | undefined>;
  untie(engineSession: string): Promise<void>;
}

/** How the person signed in, as `acr` (OpenID Connect Core 2): by a phone that scanned, or by a password typed here. */
export const ACR = { phone: 'urn:qrconnect:acr:phone', password: 'urn:qrconnect:acr:password' } as const;

/** `amr` of an answer that nobody was asked for: the browser remembered. */
const REMEMBERED = 'remembered';

const { Check, Prompt, base } = interactionPolicy;

/** The engine's own prompts, `select_account`, and an end to sessions that nobody vouches for any more. */
export function signInPolicy(sessions: BrowserSessions): interactionPolicy.DefaultPolicy {
  const policy = base();
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  policy.get('login')?.checks.add(
    new Check('session_over', 'End-User authentication is required', 'login_required', async (ctx) => {
      const { session, result } = ctx.oidc;
      if (!session?.accountId || signInOf(ctx)) return Check.NO_NEED_TO_PROMPT;
      const known = await sessions.find(session.uid);
      const good = known && (known.remembered || result !== undefined);
      return good ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );
  return policy;
}

/** The sign-in that this very request brought, as opposed to one that is remembered. */
function signInOf(ctx: KoaContextWithOIDC): SignInResult | undefined {
  return ctx.oidc.result?.login as SignInResult | undefined;
}

/** Called when the answer is made: from here on `amr` says that nobody was asked (product.md 9). */
export function tellRemembered(ctx: KoaContextWithOIDC): void {
  const { session } = ctx.oidc;
  if (!session?.accountId || signInOf(ctx) || session.amr?.includes(REMEMBERED)) return;
  session.amr = [...(session.amr ?? []), REMEMBERED];
}

/**
 * Around the authorization endpoint: ties a new sign-in to the phone session behind it, and forgets it with the answer
 * unless the person chose to be remembered.
 */
export function keepBrowserSessions(
  sessions: BrowserSessions,
  /** Ends the session of this browser, and its cookie. */
  forget: (ctx: KoaContextWithOIDC) => Promise<void>,
  /** Takes the answer back. */
  fail: (error: unknown, ctx: KoaContextWithOIDC) => void,
) {
  const keep = async (ctx: KoaContextWithOIDC) => {
    const { session, route, entities } = ctx.oidc;
    if (!session) return;
    if ((session as { destroyed?: boolean }).destroyed) return sessions.untie(session.uid);
    if (!session.accountId) return;
    const signIn = signInOf(ctx);
    const known = signIn
      ? (await sessions.tie(session.uid, { phoneSessionId: signIn.phoneSessionId, remembered: signIn.remember })) &&
        signIn
      : await sessions.find(session.uid);
    // The request goes on: at one of our pages, or once the account that was signed in before is signed out.
    if (ctx.response.get('Location')?.startsWith('/interaction/') || isSwitching(ctx)) return;
    if (!known) {
      // Looked at after the grant was saved: whoever ends a phone session ends the grants next, so one of the two sees
      // the other (T20).
      if (entities.Grant?.jti) await ctx.oidc.provider.AuthorizationCode.revokeByGrantId(entities.Grant.jti);
      return forget(ctx);
    }
    // Another tab's request that was answered without anybody is not the one this sign-in was for.
    const stays = 'remember' in known ? known.remember : known.remembered;
    if (stays || route !== 'resume') return;
    await forget(ctx);
    await sessions.untie(session.uid);
  };
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (!ROUTES.has(ctx.oidc?.route)) return;
    // No answer is better than one that may be worth more than it should be.
    await keep(ctx).catch((error: unknown) => fail(error, ctx));
  };
}

/** The page that signs out who was signed in before, because somebody else has signed in. */
function isSwitching({ oidc: { route, session, entities } }: KoaContextWithOIDC): boolean {
  const next = (entities.Interaction?.result?.login as SignInResult | undefined)?.accountId;
  return route === 'resume' && next !== undefined && next !== session?.accountId;
}

const ROUTES: ReadonlySet<string | undefined> = new Set(['authorization', 'resume', 'end_session_confirm']);
