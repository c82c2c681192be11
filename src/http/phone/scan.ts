/** GET /s/:scanToken: what a camera opens. Safe and repeatable: it shows, it never moves the ticket (T14). */
import type { ClientService } from '../../client/client-service.js';
import type { Authorization } from '../../engine/authorization.js';
import { AppError } from '../../error.js';
import { isFinal, type Ticket, type TicketStatus } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { chooseLanguage } from '../language.js';
import { isPrefetch } from '../prefetch.js';
import type { View } from '../view.js';
import type { CsrfTokens } from './csrf-token.js';
import { placeOf } from './place.js';

export interface ScanPageDeps {
  view: View;
  tickets: TicketService;
  clients: ClientService;
  authorization: Authorization;
  csrf: CsrfTokens;
}

export function scanPage(deps: ScanPageDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    if (isPrefetch(ctx)) {
      ctx.status = 204;
      return;
    }
    const scanToken = String(ctx.params.scanToken);
    const found = await deps.tickets.preview(scanToken).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'not_found') return undefined;
      throw error;
    });
    const { phone } = ctx.state;
    ctx.state.lang = chooseLanguage(phone?.account.locale, ctx.get('Accept-Language'));
    const { lang } = ctx.state;
    const gone = goneReason(found, phone?.session.id);
    if (!found || gone) {
      sendPage(ctx, deps.view.render('phone/gone.njk', { reason: gone }, { lang }), gone === 'unknown' ? 404 : 410);
      return;
    }
    const client = await describeClient(deps, found.ticket);
    if (!phone) {
      sendPage(ctx, deps.view.render('phone/sign-in.njk', { client }, { lang, texts: 'sign-in', data: {} }));
      return;
    }
    const { ticket } = found;
    const matchCode = ticket.matchRequired ? 'required' : 'off';
    const page = deps.view.render(
      'phone/decide.njk',
      {
        account: { label: phone.account.username, nickname: phone.account.nickname },
        client,
        scopes: client.scopes,
        browser: ticket.openedFrom.browser,
        place: placeOf(ticket.openedFrom, ctx.state.address, lang),
        openedAt: ticket.createdAt.toISOString(),
        matchCode,
      },
      { lang, texts: 'decide', data: { scanToken, csrf: deps.csrf.make(phone.session.id, ticket.id), matchCode } },
    );
    sendPage(ctx, page);
  };
}

export interface DescribedClient {
  name: string;
  host: string;
  scopes: string[];
}

/** Who asks and for what, from the frozen request. */
export async function describeClient(
  deps: Pick<ScanPageDeps, 'clients' | 'authorization'>,
  ticket: Ticket,
): Promise<DescribedClient> {
  const [client, request] = await Promise.all([
    deps.clients.active(ticket.clientId),
    deps.authorization.read(ticket.requestUid),
  ]);
  const host = request && URL.parse(request.redirectUri)?.host;
  if (!client || !request || !host) throw new AppError('gone');
  return { name: client.name, host, scopes: request.scope.split(' ').filter(Boolean) };
}

type Gone = 'expired' | 'used' | 'taken' | 'denied' | 'unknown' | undefined;

function goneReason(found: { ticket: Ticket; status: TicketStatus } | undefined, sessionId: string | undefined): Gone {
  if (!found) return 'unknown';
  const { ticket, status } = found;
  if (status === 'expired' || status === 'cancelled') return 'expired';
  if (status === 'denied') return 'denied';
  if (isFinal(status) || status === 'confirmed') return 'used';
  return status === 'scanned' && ticket.scannedBy?.sessionId !== sessionId ? 'taken' : undefined;
}
