/** Turns whatever was thrown into the one answer the outside gets: JSON for programs, our page for people. */
import type { Middleware } from 'koa';
import { AppError } from '../../error.js';
import type { Logger } from '../../log.js';
import { type RequestState, sendPage } from '../context.js';
import { type Language, translator } from '../language.js';
import type { Page, View } from '../view.js';

export interface ErrorPageInput {
  lang: Language;
  requestId: string;
  /** Machine-readable, for the site's developer; also chooses the texts `error.<reason>.title`, `.message` and `.hint`. */
  reason: string;
  developerHint?: string;
  /** Origins that may show it in a frame; none unless given. */
  frameAncestors?: readonly string[];
}

export function renderErrorPage(view: View, input: ErrorPageInput): Page {
  const t = translator(input.lang);
  const known = (part: string) => {
    const key = `error.${input.reason}.${part}`;
    const found = t(key);
    return found === key ? undefined : found;
  };
  const text = (part: string) => known(part) ?? t(`error.invalid_request.${part}`);
  return view.render(
    'error.njk',
    {
      title: text('title'),
      message: text('message'),
      developerHint: input.developerHint ?? known('hint'),
      requestId: input.requestId,
      reason: input.reason,
    },
    { lang: input.lang, frameAncestors: input.frameAncestors },
  );
}

export function errorPage(deps: { view: View; log: Logger }): Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined && ctx.respond !== false) throw new AppError('not_found');
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'server_error' || error.code === 'unavailable') {
        deps.log.error({ rid: ctx.state.requestId, err: error.cause ?? error }, error.code);
      }
      if (error.retryAfter !== undefined) ctx.set('Retry-After', String(error.retryAfter));
      if (wantsPage(ctx.method, ctx.path)) {
        const { requestId } = ctx.state;
        const lang = ctx.state.lang ?? 'en';
        const developerHint =
          error.code === 'misdirected' || error.code === 'invalid_request' ? error.message : undefined;
        sendPage(
          ctx,
          renderErrorPage(deps.view, { lang, requestId, reason: error.reason, developerHint }),
          error.status,
        );
      } else {
        ctx.status = error.status;
        const { code, message, problems } = error;
        ctx.body = { error: code, error_description: message, ...(problems ? { problems } : {}) };
      }
    }
  };
}

function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('server_error', { cause: thrown });
}

function wantsPage(method: string, path: string): boolean {
  return (
    (method === 'GET' || method === 'HEAD') && !/^\/(api|admin\/api|sns|health|assets|oauth\/(?!authorize))/i.test(path)
  );
}
