/** WeChat's wire: parameters from query and form together, answers as text/plain JSON, errors as errcode with HTTP 200. */
import type { Client } from '../../client/client.js';
import type { ExchangeProblem } from '../../engine/exchange.js';
import { ExchangeRefused } from '../../engine/exchange.js';
import { AppError } from '../../error.js';
import type { Logger } from '../../log.js';
import type { AppRouterContext } from '../context.js';
import { flatten, readForm } from '../middleware/read-body.js';
import { type Errcode, WechatError } from './errcode.js';

const ERRCODE_OF: Record<ExchangeProblem, Errcode> = {
  code_invalid: 40029,
  code_used: 40163,
  refresh_token_invalid: 40030,
  refresh_token_expired: 42002,
  access_token_invalid: 40001,
  access_token_expired: 42001,
  grant_ended: 42007,
  client_disabled: 48004,
  account_unavailable: 50002,
};

/** One call of the API, as far as it has been understood. */
export interface WechatCall {
  readonly parameters: ReadonlyMap<string, string>;
  /** The part of them that came in the query string. */
  readonly query: URLSearchParams;
  /** What limits are keyed on. */
  readonly address: string;
  readonly requestId: string;
  /** Known once the appid or the token has been looked up: its registration says in which type it is answered. */
  client?: Client;
}

/**
 * Wraps one call of the API. Query and form body are read together (Auth.js splits them); a name with two different
 * values is refused. A body of another type, stray headers and unknown parameters are ignored (wire format 4.1).
 */
export function wechatCall(log: Logger, handle: (call: WechatCall) => Promise<object>) {
  return async (ctx: AppRouterContext): Promise<void> => {
    let call: WechatCall | undefined;
    // HEAD would spend a code and throw the tokens away.
    if (ctx.method === 'HEAD') throw new AppError('method_not_allowed');
    try {
      if (isFromPage(ctx)) throw new WechatError(48001);
      const query = new URLSearchParams(ctx.querystring);
      const { addressKey: address, requestId } = ctx.state;
      call = { parameters: await readParameters(ctx, query), query, address, requestId };
      answer(ctx, await handle(call), call.client);
    } catch (error) {
      const errcode = errcodeOf(error);
      if (errcode === -1) log.error({ rid: ctx.state.requestId, err: error }, 'sns');
      // Not 503 while the database is away: to these clients any other status is a broken network (wire format 4.1).
      if (error instanceof AppError && error.code === 'unavailable') ctx.set('Retry-After', '2');
      const errmsg = `${new WechatError(errcode).message}, rid: ${ctx.state.requestId}`;
      answer(ctx, { errcode, errmsg }, call?.client);
    }
  };
}

/** A page's own request, which any page can make its visitors send: it must not use up a site's guesses (T56). */
function isFromPage(ctx: AppRouterContext): boolean {
  return !['', 'none'].includes(ctx.get('Sec-Fetch-Site'));
}

/** The value, or the error the table has for its absence; an empty string counts as absent. */
export function required(call: WechatCall, name: string, missing: Errcode): string {
  const value = call.parameters.get(name);
  if (!value) throw new WechatError(missing);
  return value;
}

async function readParameters(ctx: AppRouterContext, query: URLSearchParams): Promise<WechatCall['parameters']> {
  try {
    const merged = new Map(flatten(query));
    if (ctx.is('application/x-www-form-urlencoded')) {
      for (const [name, value] of await readForm(ctx.req)) {
        if (merged.has(name) && merged.get(name) !== value) throw new WechatError(40035);
        merged.set(name, value);
      }
    }
    return merged;
  } catch (error) {
    throw error instanceof AppError ? new WechatError(40035) : error;
  }
}

/**
 * `text/plain` without a charset and raw UTF-8: clients that repair the nickname's bytes depend on it (wire format 4.1).
 * A client whose framework refuses JSON of that type is registered for `application/json`.
 */
function answer(ctx: AppRouterContext, body: object, client: Client | undefined): void {
  ctx.status = 200;
  ctx.set('Content-Type', client?.jsonAnswers ? 'application/json; charset=utf-8' : 'text/plain');
  ctx.body = Buffer.from(JSON.stringify(body));
}

function errcodeOf(error: unknown): Errcode {
  if (error instanceof WechatError) return error.errcode;
  if (error instanceof ExchangeRefused) return ERRCODE_OF[error.problem];
  return -1;
}
