/** Who calls the administration API: a program with a token of its own, or our console's page (T62, T64, T65). */
import { actorOf } from '../../administrator/administrator.js';
import type { ApiTokens } from '../../administrator/api-tokens.js';
import { AppError } from '../../error.js';
import type { AppRouterContext } from '../context.js';
import { requireSameOrigin } from '../middleware/same-origin.js';
import { type ConsoleDeps, requireCsrf, requireFresh, requireFull } from './console.js';

export interface CallerDeps extends ConsoleDeps {
  apiTokens: ApiTokens;
  publicUrl: string;
}

/** Whoever may look. Returns what the audit log calls them. */
export async function requireReader(ctx: AppRouterContext, deps: CallerDeps): Promise<string> {
  return (await byToken(ctx, deps))?.actor ?? actorOf(requireFull(ctx, deps).administrator);
}

/**
 * Whoever may change. A token must not be read-only; a session must come from our own page, with the page's token, and
 * have been proved within 15 minutes.
 */
export async function requireWriter(ctx: AppRouterContext, deps: CallerDeps): Promise<string> {
  const program = await byToken(ctx, deps);
  if (program?.readOnly) throw new AppError('forbidden', { message: 'this token may read and not change' });
  if (program) return program.actor;
  const session = requireFull(ctx, deps);
  requireSameOrigin(ctx, deps.publicUrl);
  requireCsrf(ctx, session, deps);
  requireFresh(session);
  return actorOf(session.administrator);
}

/** A request that names a token is judged by it alone, whatever cookie came along. */
async function byToken(
  ctx: AppRouterContext,
  deps: CallerDeps,
): Promise<{ actor: string; readOnly: boolean } | undefined> {
  const header = ctx.get('Authorization');
  if (header === '') return undefined;
  const [, secret] = /^Bearer ([\w-]{1,200})$/i.exec(header) ?? [];
  const token = secret === undefined ? undefined : await deps.apiTokens.whoIs(secret);
  if (!token) {
    ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    throw new AppError('not_signed_in', { message: 'there is no such token, or it is over or revoked' });
  }
  return { actor: `token ${token.id} (${token.name})`, readOnly: token.readOnly };
}
