/** The engine's own addresses: the methods they take, what is refused before the engine, and who it is told is calling. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import type { Context, Middleware } from 'koa';
import { isAnonymous, type SecretGuesses } from '../../engine/client-authentication.js';
import { noteCertificate } from '../../engine/client-certificate.js';
import { RESPONSE_MODES_OF } from '../../engine/client-metadata.js';
import { noteOrigin } from '../../engine/device-origin.js';
import { AppError } from '../../error.js';
import type { Limit } from '../../rate-limit.js';
import type { RequestState } from '../context.js';
import { readForm } from '../middleware/read-body.js';
import { guessesFrom } from '../middleware/secret-guesses.js';
import { openedFrom } from '../opened-from.js';
import { isPrefetch } from '../prefetch.js';
import { readCertificate } from './certificate-header.js';

export type EngineHandler = (req: IncomingMessage, res: ServerResponse, guesses: SecretGuesses) => Promise<void>;

const ENGINE_PATHS = /^\/(oauth\/|\.well-known\/(openid-configuration|oauth-authorization-server)$)/;

/** Whatever else stands below /oauth holds an id, or is not there. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  '/oauth/authorize': ['GET', 'HEAD', 'POST'],
  '/oauth/jwks': ['GET', 'HEAD'],
  '/oauth/userinfo': ['GET', 'HEAD', 'POST'],
  '/oauth/token': ['POST'],
  '/oauth/par': ['POST'],
  '/oauth/introspect': ['POST'],
  '/oauth/revoke': ['POST'],
  '/oauth/device': ['POST'],
  '/oauth/logout': ['GET', 'HEAD', 'POST'],
  '/oauth/logout/confirm': ['POST'],
  '/oauth/logout/success': ['GET', 'HEAD'],
};
const AUTHORIZE = '/oauth/authorize';
/** Where anybody can have a request of theirs kept. */
const KEEPS_REQUESTS: ReadonlySet<string> = new Set([AUTHORIZE, '/oauth/par', '/oauth/device']);
/** Public documents: anybody may read them, but scripts of registered pages alone. */
const DOCUMENTS: ReadonlySet<string> = new Set([
  '/oauth/jwks',
  ...Object.keys(METHODS).filter((path) => path.startsWith('/.well-known/')),
]);
/** Where scripts on the pages of public clients may call. */
const FOR_SCRIPTS: ReadonlySet<string> = new Set([
  ...DOCUMENTS,
  '/oauth/userinfo',
  '/oauth/token',
  '/oauth/par',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/device',
]);
const RESPONSE_MODES: readonly string[] = RESPONSE_MODES_OF.oauth;
/** Where the engine goes on after our pages: the id of a request. */
const RESUME = /^\/oauth\/authorize\/[\w-]+$/;
const LONGEST_URL = 8192;

/** Whether an active public client has registered this origin. */
type PublicOrigin = (origin: string) => Promise<boolean>;

/** `strangers`: requests that are kept for callers who have not proved who they are, by address (T76). */
export function engineDoor(
  engine: EngineHandler,
  { secretGuesses, strangers }: { secretGuesses: Limit; strangers: Limit },
  publicOrigin: PublicOrigin,
): Middleware<RequestState> {
  return async (ctx, next) => {
    if (!ENGINE_PATHS.test(ctx.path)) return next();
    // The engine takes other spellings for the same address (a slash at the end, capitals), past every check that goes by it.
    if (!Object.hasOwn(METHODS, ctx.path) && !RESUME.test(ctx.path)) throw new AppError('not_found');
    requireEngineMethod(ctx);
    // Only the addresses of the authorization endpoint hold ids; the others are their own templates.
    ctx.state.route = ctx.path.startsWith(AUTHORIZE) ? AUTHORIZE : 'engine';
    if (RESUME.test(ctx.path) && isPrefetch(ctx)) {
      // It would spend the answer before the person arrives (T14).
      ctx.status = 204;
      return;
    }
    if (ctx.method === 'POST' && (ctx.path === AUTHORIZE || ctx.path === '/oauth/logout')) return askByGet(ctx);
    if (ctx.path === AUTHORIZE) {
      refuseOtherAnswers(ctx.query);
      refuseOtherAnswers(claimsOf(ctx.query.request));
      refuseTwice(ctx.query);
    }
    if (FOR_SCRIPTS.has(ctx.path)) await checkOrigin(ctx, publicOrigin);
    if (ctx.path === '/oauth/device') noteOrigin(ctx.req, openedFrom(ctx));
    if (ctx.state.certificate) noteCertificate(ctx.req, readCertificate(ctx.state.certificate));
    const { addressKey } = ctx.state;
    const notKept = KEEPS_REQUESTS.has(ctx.path) ? strangers.spend(addressKey) : undefined;
    ctx.respond = false;
    await engine(ctx.req, ctx.res, guessesFrom(secretGuesses, addressKey));
    if (!isKeptForStranger(ctx)) notKept?.();
  };
}

/** A sign-in to come, or a request of a client that anybody can say to be. */
function isKeptForStranger({ path, req, res }: Context): boolean {
  return path === AUTHORIZE ? String(res.getHeader('Location')).startsWith('/interaction/') : isAnonymous(req);
}

/**
 * The engine grants a preflight to any origin, and names any until it knows the client, or `*`. So only origins that may
 * be a public client's come as far; the engine then checks that they are that client's (T59).
 */
async function checkOrigin(ctx: Context, publicOrigin: PublicOrigin): Promise<void> {
  ctx.vary('Origin');
  const origin = ctx.get('Origin');
  if (origin !== '' && (await publicOrigin(origin))) return;
  if (ctx.method === 'OPTIONS' || (origin !== '' && !DOCUMENTS.has(ctx.path))) {
    throw new AppError('forbidden', { message: 'only pages of a registered public client may call from a browser' });
  }
  // Says what needs no saying; but to an answer that has a header of this kind the engine adds none.
  ctx.set('Access-Control-Allow-Methods', (METHODS[ctx.path] ?? []).join(', '));
}

/**
 * A request that came by POST (Core 3.1.2.1, RP-Initiated Logout 2) goes on as the same request by GET: read once, checked once, and with the
 * cookies of this browser, which the POST of another site does not carry.
 */
async function askByGet(ctx: Context): Promise<void> {
  if (ctx.querystring !== '') {
    throw new AppError('invalid_request', { message: 'send the parameters in the body alone, or in the query alone' });
  }
  const form = await readForm(ctx.req);
  const query = new URLSearchParams([...form.entries()].filter(([, value]) => value !== ''));
  const address = `${ctx.path}?${query}`;
  if (address.length > LONGEST_URL) {
    const fix = ctx.path === AUTHORIZE ? 'push it to /oauth/par first' : 'leave out what it can do without';
    throw new AppError('too_large', { message: `the request is too long; ${fix}` });
  }
  ctx.status = 303;
  ctx.set('Location', address);
}

/** Throws `method_not_allowed`; the engine would answer 404. */
export function requireEngineMethod(ctx: Context): void {
  const methods = Object.hasOwn(METHODS, ctx.path) ? METHODS[ctx.path] : RESUME.test(ctx.path) ? ['GET'] : undefined;
  const isPreflight = ctx.method === 'OPTIONS' && FOR_SCRIPTS.has(ctx.path);
  if (!methods || isPreflight || methods.includes(ctx.method)) return;
  ctx.set('Allow', methods.join(', '));
  throw new AppError('method_not_allowed');
}

/** The engine would send most of these refusals to the site, as an answer made of a request nobody can read (T38). */
function refuseTwice(query: Record<string, unknown>): void {
  if (Object.entries(query).some(([name, value]) => name !== 'resource' && Array.isArray(value))) {
    throw new AppError('invalid_request', { message: 'a parameter is given twice' });
  }
}

/**
 * The engine would send the refusal of a response type or mode by that very mode, such as in a fragment (T53); what a
 * request object says is no exception.
 */
function refuseOtherAnswers({ response_mode: mode, response_type: type }: Record<string, unknown>): void {
  if (mode !== undefined && !RESPONSE_MODES.includes(String(mode))) {
    throw new AppError('invalid_request', { message: `response_mode: only ${RESPONSE_MODES.join(', ')} are offered` });
  }
  if (type !== undefined && type !== 'code') {
    throw new AppError('invalid_request', { message: 'response_type: only "code" is offered' });
  }
}

/** What a request object says, read as the engine reads it; nothing if it is none, which the engine refuses. */
function claimsOf(jwt: string | string[] | undefined): Record<string, unknown> {
  try {
    return decodeJwt(String(jwt));
  } catch {
    return {};
  }
}
