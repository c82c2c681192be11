/** GET /connect/qrconnect: the waiting page for both dialects. Sets no cookie and reads none. */
import type { Client } from '../../client/client.js';
import { redirectUriAllowed } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import { type Authorization, AuthorizationRefused, type AuthorizationRequest } from '../../engine/authorization.js';
import { remember } from '../../engine/request-scope.js';
import { AppError } from '../../error.js';
import type { TicketCaps } from '../../ticket/ticket-caps.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { chooseLanguage } from '../language.js';
import { renderErrorPage } from '../middleware/error-page.js';
import { openedFrom } from '../opened-from.js';
import type { View } from '../view.js';
import { type ConnectRequest, readConnectRequest } from './request.js';
import { readStyleSheet } from './style-sheet.js';
import { chooseParent, waitingPage } from './waiting-page.js';

export interface QrConnectDeps {
  publicUrl: string;
  demo: boolean;
  view: View;
  clients: ClientService;
  authorization: Authorization;
  tickets: TicketService;
  caps: TicketCaps;
}

/** Every way to hold a page in a page (Fetch 3.2.7: the destinations of navigables that are not top-level). */
const FRAME = /^(iframe|frame|embed|object|fencedframe)$/;

export function qrconnect(deps: QrConnectDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const request = readConnectRequest(ctx.querystring);
    ctx.state.lang = chooseLanguage(request.wishes.lang || undefined, ctx.get('Accept-Language'));
    const found = request.clientId ? await deps.clients.active(request.clientId) : undefined;
    // A client of the other dialect does not exist at this door (T93).
    const client = found?.dialect === request.dialect ? found : undefined;
    if (!client) return sendRefusal(deps, ctx, NO_CLIENT[request.dialect]);
    if (request.dialect === 'wechat') {
      const refusal = wechatRefusal(request, client);
      if (refusal) return sendRefusal(deps, ctx, refusal, client);
    }
    if (isFramedByStranger(ctx, client, deps.publicUrl)) {
      return sendRefusal(deps, ctx, { reason: 'frame_refused', status: 403 });
    }
    remember('Client', client.id, client);
    const opener = { addressKey: ctx.state.addressKey, clientId: client.id };
    try {
      await deps.caps.admit(opener, async () =>
        showPage(deps, ctx, request, client, await deps.authorization.begin(request.parameters)),
      );
    } catch (error) {
      if (error instanceof AuthorizationRefused) {
        sendRefusal(deps, ctx, { reason: error.error, status: 400, developerHint: error.description }, client);
        return;
      }
      if (!(error instanceof AppError) || error.status !== 429) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      sendRefusal(deps, ctx, error, client);
    }
  };
}

async function showPage(
  deps: QrConnectDeps,
  ctx: AppRouterContext,
  { wishes, href }: ConnectRequest,
  client: Client,
  begun: AuthorizationRequest,
): Promise<void> {
  const opened = await deps.tickets.open({
    door: 'embed',
    requestUid: begun.uid,
    requestEndsAt: begun.endsAt,
    clientId: client.id,
    matchRequired: client.matchCode === 'type',
    openedFrom: openedFrom(ctx),
    addressKey: ctx.state.addressKey,
  });
  const framed = FRAME.test(ctx.get('Sec-Fetch-Dest'));
  const dressable = client.styleSheets && framed && wishes.layout === 'classic';
  const opener = wishes.navigate === 'opener' ? openerOrigin(ctx, client) : undefined;
  const page = await waitingPage(deps, 'connect/waiting.njk', {
    lang: ctx.state.lang,
    client,
    request: begun,
    opened,
    wishes,
    framed,
    styleSheet: dressable ? readStyleSheet(href, deps) : undefined,
    parentOrigin:
      wishes.navigate === 'opener' ? (opener ?? null) : chooseParent(refererOrigin(ctx), client, begun.redirectUri),
    frameAncestors: client.embedOrigins,
  });
  // ALLOW-FROM is dead in browsers and DENY would forbid the invited frames: frame-ancestors alone decides here.
  ctx.remove('X-Frame-Options');
  // The one page that keeps its opener: every other window, and every other opener, is parted from us (T33).
  if (opener !== undefined) ctx.set('Cross-Origin-Opener-Policy', 'unsafe-none');
  sendPage(ctx, page);
}

interface Refusal {
  readonly reason: string;
  readonly status: number;
  readonly developerHint?: string;
}

/** WeChat's three have status 200, as client code that reads this page expects; none ever redirects (wire format 1.2). */
const NO_CLIENT: Readonly<Record<ConnectRequest['dialect'], Refusal>> = {
  wechat: { reason: 'wechat_appid', status: 200 },
  oauth: { reason: 'client_unknown', status: 400 },
};

/** In the wire format's order. */
function wechatRefusal(request: ConnectRequest, client: Client): Refusal | undefined {
  if (!request.scope.split(/[,\s]+/).includes('snsapi_login')) return { reason: 'wechat_scope', status: 200 };
  if (!request.redirectUri || !redirectUriAllowed(client, request.redirectUri)) {
    return { reason: 'wechat_redirect_uri', status: 200 };
  }
  return client.stateRequired && !hasState(request) ? { reason: 'state_required', status: 400 } : undefined;
}

/** The widget sends the word "undefined" for a state that was left out (wire format 2.1). */
function hasState({ parameters: { state } }: ConnectRequest): boolean {
  return state !== undefined && state !== '' && state !== 'undefined';
}

/** Shown in the frames of a client that is known, as WeChat's are: most mistakes are made in a widget (T28). */
function sendRefusal(deps: QrConnectDeps, ctx: AppRouterContext, refusal: Refusal, client?: Client): void {
  const { lang, requestId } = ctx.state;
  const { status, reason, developerHint } = refusal;
  const frameAncestors = client?.embedOrigins;
  if (frameAncestors) ctx.remove('X-Frame-Options');
  sendPage(ctx, renderErrorPage(deps.view, { lang, requestId, reason, developerHint, frameAncestors }), status);
}

/** frame-ancestors is what the browser enforces; a parent that names itself wrongly gets no ticket either (T28). */
function isFramedByStranger(ctx: AppRouterContext, client: Client, publicUrl: string): boolean {
  if (!FRAME.test(ctx.get('Sec-Fetch-Dest'))) return false;
  const parent = refererOrigin(ctx);
  return parent !== undefined && parent !== publicUrl && !client.embedOrigins.includes(parent);
}

/** The registered page that opens us in a window of its own, if it says so: nothing else tells who an opener is. */
function openerOrigin(ctx: AppRouterContext, client: Client): string | undefined {
  const origin = refererOrigin(ctx);
  const isWindow = !FRAME.test(ctx.get('Sec-Fetch-Dest'));
  return isWindow && origin !== undefined && client.embedOrigins.includes(origin) ? origin : undefined;
}

function refererOrigin(ctx: AppRouterContext): string | undefined {
  return URL.parse(ctx.get('Referer'))?.origin;
}
