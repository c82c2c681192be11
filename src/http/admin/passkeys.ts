/** /admin/passkeys and the ceremonies around them: an administrator's passkeys, and signing in and proving oneself with one. */
import { z } from 'zod';
import { AUTHENTICATION_RESPONSE, REGISTRATION_RESPONSE } from '../../account/passkey-response.js';
import { ADMINISTRATOR_MINUTES, type AdministratorSession } from '../../administrator/administrator.js';
import type { AdministratorPasskeys } from '../../administrator/administrator-passkeys.js';
import type { Limit } from '../../rate-limit.js';
import type { AppRouterContext } from '../context.js';
import { NOTHING, readJson } from '../middleware/read-body.js';
import { type ConsoleDeps, requireCsrf, requireFresh, requireFull, requireSession } from './console.js';
import { beginSession } from './sign-in.js';

export interface PasskeysDeps extends ConsoleDeps {
  administratorPasskeys: AdministratorPasskeys;
  /** Challenges asked for by whoever is not signed in, by address: each is a row for five minutes. */
  challenges: Limit;
}

const ANSWER = z.strictObject({ response: AUTHENTICATION_RESPONSE });
const NEW_PASSKEY = z.strictObject({ name: z.string().max(200), response: REGISTRATION_RESPONSE });

/** POST /admin/sign-in/passkey/begin: {options} for the browser; they name nobody (T21). */
export function beginSignIn(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    deps.challenges.spend(ctx.state.addressKey);
    ctx.body = { options: await deps.administratorPasskeys.beginSignIn() };
  };
}

/** POST /admin/sign-in/passkey {response}: 200 and the cookie. */
export function signInByPasskey(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { response } = await readJson(ctx.req, ANSWER);
    const proven = await deps.administratorPasskeys.finishSignIn(response);
    await beginSession(ctx, await deps.administratorSignIn.withPasskey(proven), deps);
  };
}

/** POST /admin/prove/passkey/begin: {options}, for this administrator's own passkeys. */
export function beginProof(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    const session = requireOwnPage(ctx, deps);
    ctx.body = { options: await deps.administratorPasskeys.beginProof(holderOf(session)) };
  };
}

/** POST /admin/prove/passkey {response}: the proof is fresh again, and the cookie another one (T19). */
export function proveByPasskey(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { response } = await readJson(ctx.req, ANSWER);
    const session = requireOwnPage(ctx, deps);
    const passkeyId = await deps.administratorPasskeys.finishProof({ ...holderOf(session), response });
    deps.consoleCookie.set(ctx, await deps.administratorSignIn.proveByPasskey(session, passkeyId));
    ctx.body = {};
  };
}

/** POST /admin/passkeys/begin: {options} for a new one. The proof must be fresher than for other changes (T23). */
export function beginPasskey(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await readJson(ctx.req, NOTHING);
    const session = requireToAdd(ctx, deps);
    ctx.body = { options: await deps.administratorPasskeys.beginRegistration(holderOf(session)) };
  };
}

/** POST /admin/passkeys {name, response}: 201. Sessions that a password began are worth nothing from now on, but this one. */
export function addPasskey(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { name, response } = await readJson(ctx.req, NEW_PASSKEY);
    const session = requireToAdd(ctx, deps);
    const added = await deps.administratorPasskeys.finishRegistration({ ...holderOf(session), name, response });
    deps.consoleCookie.set(ctx, await deps.administratorSignIn.proveByPasskey(session, added.id));
    ctx.status = 201;
    ctx.body = { id: added.id, name: added.name, created_at: added.createdAt, backed_up: added.backedUp };
  };
}

/** DELETE /admin/passkeys/:passkey: 204. Where a password alone opens nothing, the last one stays: 409. */
export function removePasskey(deps: PasskeysDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const session = requireFull(ctx, deps);
    requireCsrf(ctx, session, deps);
    requireFresh(session, ADMINISTRATOR_MINUTES.freshForPasskeys);
    const keepLast = deps.passkeyNeeded;
    await deps.administratorPasskeys.remove(holderOf(session), String(ctx.params.passkey), { keepLast });
    ctx.status = 204;
  };
}

/** What is not yet worth anything may still be proved, or given its first passkey. */
function requireOwnPage(ctx: AppRouterContext, deps: PasskeysDeps): AdministratorSession {
  const session = requireSession(ctx);
  requireCsrf(ctx, session, deps);
  return session;
}

function requireToAdd(ctx: AppRouterContext, deps: PasskeysDeps): AdministratorSession {
  const session = requireOwnPage(ctx, deps);
  // Somebody has added one meanwhile: only who shows it may add more.
  if (session.hasPasskey) requireFull(ctx, deps);
  requireFresh(session, ADMINISTRATOR_MINUTES.freshForPasskeys);
  return session;
}

function holderOf({ id, administrator }: AdministratorSession) {
  return { sessionId: id, administratorId: administrator.id, username: administrator.username };
}
