/**
 * POST /interaction/:uid/…: what a person does on the engine's login and consent page without a phone in hand. Each
 * answers 200 {redirect_to}, where the browser goes on; 410 when the request is over or another browser's.
 */
import { z } from 'zod';
import type { SignedIn, SignInService } from '../../account/sign-in-service.js';
import { isFreshEnough, type OwnRequest } from '../../engine/authorization.js';
import { ACR, type SignInResult } from '../../engine/browser-sign-in.js';
import type { SignInAnswers } from '../../engine/sign-in-answers.js';
import { AppError } from '../../error.js';
import { browserName } from '../browser-name.js';
import type { AppRouterContext } from '../context.js';
import { NOTHING, readJson } from '../middleware/read-body.js';
import { CREDENTIALS } from '../phone/sign-in.js';
import { type InteractionDeps, ownRequest } from './show.js';

export interface AnswerDeps extends InteractionDeps {
  signIn: SignInService;
  answers: SignInAnswers;
}

const SIGN_IN = CREDENTIALS.extend({
  /** Stay signed in on this browser; off unless the person says so. */
  remember: z.boolean().optional(),
});
const CONSENT = z.strictObject({ decision: z.enum(['allow', 'deny']) });

/** …/sign-in: user name and password, typed here. What the site gets is asked next, unless it was allowed before. */
export function signInHere(deps: AnswerDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { username, password, remember = false } = await readJson(ctx.req, SIGN_IN);
    const request = await loginOf(deps, ctx);
    const who = await deps.signIn.signInWithPassword({
      username,
      password,
      addressKey: ctx.state.addressKey,
      browser: browserName(ctx.get('User-Agent')),
      direct: true,
    });
    try {
      ctx.body = { redirect_to: await deps.answers.signedIn(request.uid, resultOf(who, remember), { allowed: false }) };
    } catch (error) {
      // Nobody will go on with it.
      await deps.signIn.signOut(who.session);
      throw error;
    }
  };
}

/** …/continue: as the person who is signed in on this phone (T15). 403 `step_up_required`: the password is asked for first. */
export function continueHere(deps: AnswerDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    const { phone } = ctx.state;
    if (!phone) throw new AppError('not_signed_in');
    const request = await loginOf(deps, ctx);
    if (!isFreshEnough(request.freshness, phone.session.authTime)) throw new AppError('step_up_required');
    ctx.body = { redirect_to: await deps.answers.signedIn(request.uid, resultOf(phone, false), { allowed: false }) };
  };
}

/** …/consent: what the page showed is allowed, or not. */
export function consentHere(deps: AnswerDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { decision } = await readJson(ctx.req, CONSENT);
    const request = await ownRequest(deps, ctx);
    if (request.prompt !== 'consent') throw new AppError('conflict');
    if (decision === 'deny') {
      ctx.body = { redirect_to: await deps.answers.refused(request.uid) };
      return;
    }
    const browser = request.engineSession && (await deps.browserSessions.find(request.engineSession));
    if (!browser) throw new AppError('gone');
    ctx.body = { redirect_to: await deps.answers.allowed(request.uid, browser.phoneSessionId) };
  };
}

/** …/cancel: the person does not want to sign in after all; the site hears `access_denied`. */
export function cancelHere(deps: AnswerDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    const { uid } = await ownRequest(deps, ctx);
    ctx.body = { redirect_to: await deps.answers.refused(uid) };
  };
}

async function loginOf(deps: AnswerDeps, ctx: AppRouterContext): Promise<OwnRequest> {
  const request = await ownRequest(deps, ctx);
  // On the consent page somebody is signed in already.
  if (request.prompt === 'consent') throw new AppError('conflict');
  return request;
}

function resultOf({ account, session }: SignedIn, remember: boolean): SignInResult {
  return {
    accountId: account.id,
    ts: Math.floor(session.authTime.getTime() / 1000),
    amr: [...session.amr],
    acr: ACR.password,
    remember,
    phoneSessionId: session.id,
  };
}
