/** Which pages of other sites may read the ticket API's answers (T34): those of a client's registered embed origins. */
import type { Middleware } from 'koa';
import type { Client } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import { AppError } from '../../error.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { RequestState } from '../context.js';

export interface CorsDeps {
  publicUrl: string;
  clients: Pick<ClientService, 'active' | 'embedOrigin'>;
  tickets: Pick<TicketService, 'clientOf'>;
}

/** As the router reads addresses: capitals and percent-encoding make no other address. */
const API = /^\/api\/qr\//i;
const TICKET = /^\/api\/qr\/tickets\/([^/]+)/i;
/** Tickets whose client is remembered. */
const MOST_KNOWN = 10_000;
/** Seconds that browsers remember a preflight. */
const PREFLIGHT_SECONDS = 600;

/** Whether pages of this origin speak for the client: at this API, and when its QR page is framed. */
export function originAllowed(origin: string, client: Pick<Client, 'embedOrigins'> | undefined): boolean {
  // What is registered is an https origin, or plain http in demo mode: never "null", which is everybody's.
  return client?.embedOrigins.includes(origin) === true;
}

/**
 * Never with credentials of the browser: nothing here looks at a cookie. A ticket's answers are for the origins of its
 * own client; where there is no such ticket, for any registered one, so that a page can read that there is none.
 */
export function ticketCors(deps: CorsDeps): Middleware<RequestState> {
  // Whose a ticket is never changes, and a page that polls asks often.
  const clientIds = new Map<string, string>();
  const clientOf = async (ticketId: string): Promise<string | undefined> => {
    const clientId = clientIds.get(ticketId) ?? (await deps.tickets.clientOf(ticketId));
    if (clientId === undefined) return undefined;
    clientIds.set(ticketId, clientId);
    if (clientIds.size > MOST_KNOWN) clientIds.delete(clientIds.keys().next().value as string);
    return clientId;
  };
  const mayRead = async (origin: string, path: string): Promise<boolean> => {
    const ticketId = decoded(TICKET.exec(path)?.[1] ?? '');
    const clientId = ticketId === '' ? undefined : await clientOf(ticketId);
    return clientId === undefined
      ? deps.clients.embedOrigin(origin)
      : originAllowed(origin, await deps.clients.active(clientId));
  };
  return async (ctx, next) => {
    if (!API.test(ctx.path)) return next();
    ctx.vary('Origin');
    const origin = ctx.get('Origin');
    // Our own pages need nobody's leave.
    if (origin === '' || origin === deps.publicUrl) return next();
    const allowed = await mayRead(origin, ctx.path);
    if (allowed) {
      ctx.set('Access-Control-Allow-Origin', origin);
      // How long a page that was refused has to wait.
      ctx.set('Access-Control-Expose-Headers', 'Retry-After');
    }
    if (ctx.method !== 'OPTIONS' || ctx.get('Access-Control-Request-Method') === '') return next();
    ctx.state.route = 'preflight';
    if (!allowed) {
      throw new AppError('forbidden', {
        message:
          'only pages of a registered embed origin may call from a browser; "clients update --embed-origin" adds one',
      });
    }
    ctx.set('Access-Control-Allow-Methods', 'GET, POST, DELETE');
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type');
    ctx.set('Access-Control-Max-Age', String(PREFLIGHT_SECONDS));
    ctx.status = 204;
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
