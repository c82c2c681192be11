/** WeChat's wire: parameters from query and form together, answers as text/plain JSON, errors as errcode with HTTP 200. */
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
  account_unavailable: 50002,
};

export type WechatParameters = ReadonlyMap<string, string>;

/**
 * Wraps one call of the API. Query and form body are read together (Auth.js splits them); a name with two different
 * values is refused. Stray headers and unknown parameters are ignored (wire format 4.1).
 */
export function wechatCall(
  log: Logger,
  handle: (parameters: WechatParameters, ctx: AppRouterContext) => Promise<object>,
) {
  return async (ctx: AppRouterContext): Promise<void> => {
    try {
      answer(ctx, 200, await handle(await readParameters(ctx), ctx));
    } catch (error) {
      const errcode = errcodeOf(error);
      const status = error instanceof AppError && error.code === 'unavailable' ? 503 : 200;
      if (errcode === -1) log.error({ rid: ctx.state.requestId, err: error }, 'sns');
      if (status === 503) ctx.set('Retry-After', '2');
      answer(ctx, status, { errcode, errmsg: `${new WechatError(errcode).message}, rid: ${ctx.state.requestId}` });
    }
  };
}

/** The value, or the error the table has for its absence; an empty string counts as absent. */
export function required(parameters: WechatParameters, name: string, missing: Errcode): string {
  const value = parameters.get(name);
  if (!value) throw new WechatError(missing);
  return value;
}

async function readParameters(ctx: AppRouterContext): Promise<WechatParameters> {
  try {
    const merged = new Map(flatten(new URLSearchParams(ctx.querystring)));
    if (ctx.method === 'POST') {
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

/** `text/plain` without a charset and raw UTF-8: clients that repair the nickname's bytes depend on it (wire format 4.1). */
function answer(ctx: AppRouterContext, status: number, body: object): void {
  ctx.status = status;
  ctx.set('Content-Type', 'text/plain');
  ctx.body = Buffer.from(JSON.stringify(body));
}

function errcodeOf(error: unknown): Errcode {
  if (error instanceof WechatError) return error.errcode;
  if (error instanceof ExchangeRefused) return ERRCODE_OF[error.problem];
  return -1;
}
