/** GET /interaction/:uid: the engine's login page for standard OpenID Connect requests; the same QR code, top level only. */
import type { ClientService } from '../../client/client-service.js';
import type { Authorization } from '../../engine/authorization.js';
import { AppError } from '../../error.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { waitingPage } from '../connect/waiting-page.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { openedFrom } from '../opened-from.js';
import type { View } from '../view.js';

export interface InteractionDeps {
  publicUrl: string;
  demo: boolean;
  view: View;
  clients: ClientService;
  authorization: Authorization;
  tickets: TicketService;
}

/** The request is found by the engine's cookie, so that a link to somebody else's request opens nothing (T19). */
export function showInteraction(deps: InteractionDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const request = await deps.authorization.readOwn(ctx.req, ctx.res, String(ctx.params.uid));
    const client = request && (await deps.clients.active(request.clientId));
    if (!request || !client) throw new AppError('gone');
    // WeChat clients have their own page and no PKCE; the standard door is not theirs (T93).
    if (client.dialect !== 'oauth')
      throw new AppError('invalid_request', { message: 'this client speaks the WeChat dialect' });
    const opened = await deps.tickets.openAnew({
      door: 'authorize',
      requestUid: request.uid,
      requestEndsAt: request.endsAt,
      clientId: client.id,
      matchRequired: client.matchCode === 'type',
      openedFrom: openedFrom(ctx),
    });
    const page = await waitingPage(deps, 'interaction/show.njk', {
      lang: ctx.state.lang,
      client,
      request,
      opened,
      wishes: { lang: undefined, layout: 'classic', tone: 'black', theme: undefined, navigate: 'top' },
      framed: false,
      parentOrigin: null,
      frameAncestors: [],
    });
    sendPage(ctx, page);
  };
}
