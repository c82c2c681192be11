/** GET /s/:scanToken: what a camera opens. Safe and repeatable: it shows, it never moves the ticket (T14). */
import type { SignedIn } from '../../account/sign-in-service.js';
import type { Client } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import {
  type Authorization,
  type AuthorizationRequest,
  type Freshness,
  isFreshEnough,
} from '../../engine/authorization.js';
import type { DeviceAnswers } from '../../engine/device-answers.js';
import { AppError } from '../../error.js';
import type { ResourceService } from '../../resource/resource-service.js';
import { isFinal, type OpenedFrom, type Ticket, type TicketStatus } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import type { CsrfTokens } from '../csrf-token.js';
import { chooseLanguage } from '../language.js';
import { isPrefetch } from '../prefetch.js';
import { hostOf } from '../site-host.js';
import type { View } from '../view.js';
import { placeOf } from './place.js';

export interface ScanPageDeps {
  view: View;
  tickets: TicketService;
  clients: ClientService;
  authorization: Authorization;
  devices: Pick<DeviceAnswers, 'read'>;
  resources: ResourceService;
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
    sendDecidePage(deps, ctx, phone, {
      client,
      openedFrom: ticket.openedFrom,
      openedAt: ticket.createdAt,
      rememberOffered: ticket.door === 'authorize',
      data: { scanToken, csrf: deps.csrf.make(phone.session.id, ticket.id), matchCode },
    });
  };
}

/** What the phone shows before "allow" or "deny". */
export interface Asked {
  client: DescribedClient;
  openedFrom: OpenedFrom;
  openedAt: Date;
  rememberOffered?: boolean;
  /** Set when a device shows it, to be compared. */
  userCode?: string;
  /** For the page's script. */
  data: { csrf: string; matchCode: 'required' | 'off' } & ({ scanToken: string } | { userCode: string });
}

export function sendDecidePage(
  deps: Pick<ScanPageDeps, 'view'>,
  ctx: AppRouterContext,
  phone: SignedIn,
  { client, openedFrom, openedAt, rememberOffered = false, userCode, data }: Asked,
): void {
  const { lang, address } = ctx.state;
  const values = {
    account: { label: phone.account.username, nickname: phone.account.nickname },
    client,
    scopes: client.scopes,
    browser: openedFrom.browser,
    place: placeOf(openedFrom, address, lang),
    openedAt: openedAt.toISOString(),
    matchCode: data.matchCode,
    rememberOffered,
    userCode,
    freshSignIn: !isFreshEnough(client.freshness, phone.session.authTime),
  };
  sendPage(ctx, deps.view.render('phone/decide.njk', values, { lang, texts: 'decide', data }));
}

export interface DescribedClient {
  name: string;
  /** Undefined where the answer goes to no address, but to a device. */
  host: string | undefined;
  /** What the site gets: our own scopes by name; those of a resource server with its words for them. */
  scopes: DescribedScope[];
  freshness: Freshness | undefined;
}

export interface DescribedScope {
  name: string;
  /** Undefined: one of ours, which every language has a text for. */
  description?: string;
}

/** Who asks and for what, from the frozen request. */
export async function describeClient(
  deps: Pick<ScanPageDeps, 'clients' | 'authorization' | 'devices' | 'resources'>,
  ticket: Ticket,
): Promise<DescribedClient> {
  const [client, request] = await Promise.all([deps.clients.active(ticket.clientId), requestOf(deps, ticket)]);
  if (!client || !request) throw new AppError('gone');
  return describeRequest(deps, client, request);
}

/** The frozen request of a ticket; undefined when it is over. */
export function requestOf({ devices, authorization }: Pick<ScanPageDeps, 'authorization' | 'devices'>, ticket: Ticket) {
  return ticket.door === 'device' ? devices.read(ticket.requestUid) : authorization.read(ticket.requestUid);
}

/** The same for a request that is at hand. */
export async function describeRequest(
  deps: Pick<ScanPageDeps, 'resources'>,
  client: Client,
  request: Pick<AuthorizationRequest, 'scope' | 'resources' | 'freshness'> & { redirectUri?: string },
): Promise<DescribedClient> {
  const host = request.redirectUri === undefined ? undefined : hostOf(request.redirectUri);
  if (request.redirectUri !== undefined && !host) throw new AppError('gone');
  const own = request.scope.split(' ').filter(Boolean);
  const others = await Promise.all(request.resources.map((asked) => describeResource(deps.resources, asked)));
  return {
    name: client.name,
    host,
    scopes: [...own.map((name) => ({ name })), ...others.flat()],
    freshness: request.freshness,
  };
}

async function describeResource(
  resources: ScanPageDeps['resources'],
  { identifier, scopes }: AuthorizationRequest['resources'][number],
): Promise<DescribedScope[]> {
  const server = await resources.find(identifier);
  const words = new Map(server?.scopes.map(({ name, description }) => [name, description]));
  return scopes.map((name) => ({ name, description: `${server?.name ?? identifier}: ${words.get(name) || name}` }));
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
