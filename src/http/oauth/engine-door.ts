/** The engine's own addresses: the methods they take, what is refused before the engine, and who it is told is calling. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { SecretGuesses } from '../../engine/client-authentication.js';
import { AppError } from '../../error.js';
import type { RequestState } from '../context.js';
import type { Limit } from '../middleware/rate-limit.js';
import { guessesFrom } from '../middleware/secret-guesses.js';

export type EngineHandler = (req: IncomingMessage, res: ServerResponse, guesses: SecretGuesses) => Promise<void>;

const ENGINE_PATHS = /^\/(oauth\/|\.well-known\/openid-configuration$)/;

/** Whatever else stands below /oauth holds an id, or is not there. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/oauth/authorize': ['GET', 'HEAD'],
  '/oauth/jwks': ['GET', 'HEAD'],
  '/oauth/userinfo': ['GET', 'HEAD', 'POST'],
  '/oauth/token': ['POST'],
  '/oauth/par': ['POST'],
};

export function engineDoor(engine: EngineHandler, secretGuesses: Limit): Middleware<RequestState> {
  return async (ctx, next) => {
    if (!ENGINE_PATHS.test(ctx.path)) return next();
    // The engine would take it for the same address, past every check that goes by the address.
    if (ctx.path.endsWith('/')) throw new AppError('not_found');
    requireEngineMethod(ctx);
    refuseOtherAnswers(ctx.query);
    if (ctx.path === '/oauth/authorize') refuseTwice(ctx.query);
    // Only the authorization endpoint's addresses hold ids; the others are their own templates.
    ctx.state.route = ctx.path.startsWith('/oauth/authorize') ? '/oauth/authorize' : 'engine';
    ctx.respond = false;
    await engine(ctx.req, ctx.res, guessesFrom(secretGuesses, ctx.state.addressKey));
  };
}

/** Throws `method_not_allowed`; the engine would answer 404. */
export function requireEngineMethod(ctx: Context): void {
  const methods = Object.hasOwn(METHODS, ctx.path) ? METHODS[ctx.path] : undefined;
  // The engine answers CORS preflights itself.
  if (!methods || ctx.method === 'OPTIONS' || methods.includes(ctx.method)) return;
  ctx.set('Allow', methods.join(', '));
  throw new AppError('method_not_allowed');
}

/** The engine would send most of these refusals to the site, as an answer made of a request nobody can read (T38). */
function refuseTwice(query: Record<string, unknown>): void {
  if (Object.values(query).some(Array.isArray)) {
    throw new AppError('invalid_request', { message: 'a parameter is given twice' });
  }
}

/** The engine would send the refusal of a response type or mode by that very mode, such as in a fragment (T53). */
function refuseOtherAnswers({ response_mode: mode, response_type: type }: Record<string, unknown>): void {
  if (mode !== undefined && mode !== 'query') {
    throw new AppError('invalid_request', { message: 'response_mode: only "query" is offered' });
  }
  if (type !== undefined && type !== 'code') {
    throw new AppError('invalid_request', { message: 'response_type: only "code" is offered' });
  }
}
