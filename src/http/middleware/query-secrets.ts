/**
 * Secrets do not travel in query strings, where logs, proxies and histories keep them (T55). A request that carries one
 * is refused before anything is done with it, and a client's secret that was sent so is known as exposed from then on.
 */
import type { Context, Middleware } from 'koa';
import type { ClientService } from '../../client/client-service.js';
import { basicCredentials } from '../../engine/client-authentication.js';
import { AppError } from '../../error.js';
import type { Logger } from '../../log.js';
import type { RequestState } from '../context.js';
import { requireEngineMethod } from '../oauth/engine-door.js';
import { readForm } from './read-body.js';

const SECRETS = ['client_secret', 'secret'];
const TOKENS = ['access_token', 'refresh_token'];
/** Elsewhere these names mean nothing, or are somebody else's. */
const CODES = ['code', 'code_verifier'];
const WITH_CODES = /^\/(oauth|api)\//i;

export function querySecrets(deps: { clients: ClientService; log: Logger }): Middleware<RequestState> {
  return async (ctx, next) => {
    // The WeChat API takes all of them in the query: that is its wire format.
    if (ctx.querystring === '' || ctx.path.startsWith('/sns/')) return next();
    const query = new URLSearchParams(ctx.querystring);
    const refused = [...SECRETS, ...TOKENS, ...(WITH_CODES.test(ctx.path) ? CODES : [])];
    const name = refused.find((one) => query.has(one));
    if (name === undefined) return next();
    await noteSecrets(deps, ctx, query);
    if (isWechatPage(ctx.path, query)) return next();
    requireEngineMethod(ctx);
    throw new AppError('invalid_request', {
      message: `${name} must not stand in the query string; send it in the body, or in the Authorization header`,
    });
  };
}

/** Whatever it does not know is ignored there, never refused (wire format 1.1). */
function isWechatPage(path: string, query: URLSearchParams): boolean {
  return path === '/connect/qrconnect' && (query.has('appid') || !query.has('client_id'));
}

async function noteSecrets(deps: { clients: ClientService; log: Logger }, ctx: Context, query: URLSearchParams) {
  const secrets = secretsIn(query);
  if (secrets.length === 0) return;
  for (const id of await namedClients(ctx, query)) await noteExposed(deps, ctx.state.requestId, id, secrets);
}

/** Every secret a query string holds, under each of its names; more than a few are nobody's. */
export function secretsIn(query: URLSearchParams): string[] {
  return [...new Set(SECRETS.flatMap((name) => query.getAll(name)))].slice(0, 8);
}

/** Marks those of these that are live secrets of this client, once each, and tells the log. */
export async function noteExposed(
  deps: { clients: ClientService; log: Logger },
  rid: string,
  id: string,
  secrets: readonly string[],
): Promise<void> {
  if (!(await deps.clients.noteExposed(id, secrets))) return;
  const fix = `npm run admin -- clients rotate-secret ${id}`;
  deps.log.warn({ rid }, `a live secret of client ${id} came in a query string: ${fix}`);
}

/** Whoever the request says it is from, in whichever of the places clients are named. */
async function namedClients(ctx: Context, query: URLSearchParams): Promise<ReadonlySet<string>> {
  // The request is refused in any case; a body that cannot be read names nobody.
  const form = ctx.method === 'POST' ? await readForm(ctx.req).catch(() => undefined) : undefined;
  const named = [
    ...query.getAll('client_id'),
    ...query.getAll('appid'),
    basicCredentials(ctx.get('Authorization'))?.id,
    form?.get('client_id'),
  ];
  return new Set(named.filter((id) => typeof id === 'string').slice(0, 8));
}
