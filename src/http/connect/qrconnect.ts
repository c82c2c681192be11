/** GET /connect/qrconnect: the waiting page for both dialects. Sets no cookie and reads none. */
import type { Client } from '../../client/client.js';
import { redirectUriAllowed } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import { type Authorization, AuthorizationRefused, type AuthorizationRequest } from '../../engine/authorization.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { chooseLanguage } from '../language.js';
import { renderErrorPage } from '../middleware/error-page.js';
import { openedFrom } from '../opened-from.js';
import type { View } from '../view.js';
import { type ConnectRequest, readConnectRequest } from './request.js';
import { chooseParent, waitingPage } from './waiting-page.js';

export interface QrConnectDeps {
  publicUrl: string;
  demo: boolean;
  view: View;
  clients: ClientService;
  authorization: Authorization;
  tickets: TicketService;
}

/** The three refusals of the wire format (1.2), in its order. */
type WechatProblem = 'wechat_appid' | 'wechat_scope' | 'wechat_redirect_uri';

/** Every way to hold a page in a page (Fetch 3.2.7: the destinations of navigables that are not top-level). */
const FRAME = /^(iframe|frame|embed|object|fencedframe)$/;

export function qrconnect(deps: QrConnectDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const request = readConnectRequest(ctx.querystring);
    ctx.state.lang = chooseLanguage(request.wishes.lang || undefined, ctx.get('Accept-Language'));
    const client = request.clientId ? await deps.clients.active(request.clientId) : undefined;
    if (request.dialect === 'wechat') {
      const problem = wechatProblem(request, client);
      // Status 200, as client code that reads this page expects; never a redirect.
      if (problem) return refuse(deps, ctx, problem, 200);
    }
    if (client?.dialect !== request.dialect) return refuse(deps, ctx, 'client_unknown', 400);
    if (isFramedByStranger(ctx, client, deps.publicUrl)) return refuse(deps, ctx, 'frame_refused', 403);
    let begun: AuthorizationRequest;
    try {
      begun = await deps.authorization.begin(request.parameters);
    } catch (error) {
      if (!(error instanceof AuthorizationRefused)) throw error;
      return refuse(deps, ctx, error.error, 400, error.description);
    }
    const opened = await deps.tickets.open({
      door: 'embed',
      requestUid: begun.uid,
      requestEndsAt: begun.endsAt,
      clientId: client.id,
      matchRequired: client.matchCode === 'type',
      openedFrom: openedFrom(ctx),
    });
    const { wishes } = request;
    const parentOrigin = chooseParent(refererOrigin(ctx), client, begun.redirectUri);
    const page = await waitingPage(deps, 'connect/waiting.njk', {
      lang: ctx.state.lang,
      client,
      request: begun,
      opened,
      wishes,
      framed: FRAME.test(ctx.get('Sec-Fetch-Dest')),
      parentOrigin,
      frameAncestors: client.embedOrigins,
    });
    // ALLOW-FROM is dead in browsers and DENY would forbid the invited frames: frame-ancestors alone decides here.
    ctx.remove('X-Frame-Options');
    sendPage(ctx, page);
  };
}

function wechatProblem(request: ConnectRequest, client: Client | undefined): WechatProblem | undefined {
  if (client?.dialect !== 'wechat') return 'wechat_appid';
  if (!request.scope.split(/[,\s]+/).includes('snsapi_login')) return 'wechat_scope';
  return request.redirectUri && redirectUriAllowed(client, request.redirectUri) ? undefined : 'wechat_redirect_uri';
}

function refuse(
  deps: QrConnectDeps,
  ctx: AppRouterContext,
  reason: string,
  status: number,
  developerHint?: string,
): void {
  const { lang, requestId } = ctx.state;
  sendPage(ctx, renderErrorPage(deps.view, { lang, requestId, reason, developerHint }), status);
}

/** frame-ancestors is what the browser enforces; a parent that names itself wrongly gets no ticket either (T28). */
function isFramedByStranger(ctx: AppRouterContext, client: Client, publicUrl: string): boolean {
  if (!FRAME.test(ctx.get('Sec-Fetch-Dest'))) return false;
  const parent = refererOrigin(ctx);
  return parent !== undefined && parent !== publicUrl && !client.embedOrigins.includes(parent);
}

function refererOrigin(ctx: AppRouterContext): string | undefined {
  return URL.parse(ctx.get('Referer'))?.origin;
}
