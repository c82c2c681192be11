/** POST /api/qr/tickets: a site or app that draws its own QR code asks for one. Sets no cookie and reads none. */
import type { Client } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import { type Authorization, AuthorizationRefused } from '../../engine/authorization.js';
import { noteCertificate } from '../../engine/client-certificate.js';
import { type Caller, ClientRefused, createPushedRequests, type PushedRequests } from '../../engine/pushed-request.js';
import { AppError } from '../../error.js';
import type { Limit } from '../../rate-limit.js';
import type { TicketCaps } from '../../ticket/ticket-caps.js';
import type { OpenedTicket, TicketService } from '../../ticket/ticket-service.js';
import type { AppRouterContext } from '../context.js';
import { readJson } from '../middleware/read-body.js';
import { noteSameRequest } from '../middleware/request-log.js';
import { guessesFrom } from '../middleware/secret-guesses.js';
import { readCertificate } from '../oauth/certificate-header.js';
import type { EngineHandler } from '../oauth/engine-door.js';
import { openedBySite, openedFrom } from '../opened-from.js';
import { originAllowed } from './cors.js';
import { drawQr, scanUrl } from './draw.js';
import { drawQrPng } from './png.js';
import { TICKET_REQUEST, type TicketRequest, toForm } from './ticket-request.js';

export interface OpenDeps {
  publicUrl: string;
  clients: ClientService;
  authorization: Authorization;
  engine: EngineHandler;
  tickets: TicketService;
  caps: TicketCaps;
  /** Wrong client secrets by client and address, counted together with those at the engine's own endpoints (T56). */
  secretGuesses: Limit;
  /** Requests kept for callers who prove nothing, counted together with those at the engine's own endpoints (T76). */
  strangers: Limit;
}

/** 201 {ticket_id, wait_secret, qr_url, qr_svg, qr_png, expires_in, interval}. */
export function openTicket(given: OpenDeps) {
  const deps = { ...given, pushed: createPushedRequests(given.engine) };
  return async (ctx: AppRouterContext): Promise<void> => {
    const asked = await readJson(ctx.req, TICKET_REQUEST);
    const client = await deps.clients.active(asked.client_id);
    requireItsOwnWay(client, ctx.get('Origin'));
    try {
      // Nobody's request is kept, and no client named, before it has proved that it is one.
      if (!client) await push(deps, ctx, asked);
      if (!client) throw new AppError('gone');
      // A page counts by its address; a site's own server, which proves who it is, for its client alone (T76).
      const bySite = client.authMethod !== 'none';
      const addressKey = bySite ? undefined : ctx.state.addressKey;
      const opened = await deps.caps.admit({ addressKey, clientId: client.id }, async () => {
        const requestUri = await (bySite ? push : pushForStranger)(deps, ctx, asked);
        const request = await deps.authorization.begin({ client_id: client.id, request_uri: requestUri });
        return deps.tickets.open({
          door: 'headless',
          requestUid: request.uid,
          requestEndsAt: request.endsAt,
          clientId: client.id,
          matchRequired: client.matchCode === 'type',
          openedFrom: bySite ? openedBySite(ctx) : openedFrom(ctx),
          addressKey,
        });
      });
      ctx.status = 201;
      ctx.body = await shownTicket(deps.publicUrl, opened);
    } catch (error) {
      refuse(ctx, error);
    }
  };
}

/** Seconds between two polls. */
const INTERVAL = 3;

/** All that a site needs to show a ticket and to wait for it; the pictures always inline (T36). */
export async function shownTicket(publicUrl: string, opened: OpenedTicket) {
  const qrUrl = scanUrl(publicUrl, opened.scanToken);
  return {
    ticket_id: opened.id,
    wait_secret: opened.waitSecret,
    qr_url: qrUrl,
    qr_svg: await drawQr(qrUrl),
    qr_png: drawQrPng(qrUrl),
    expires_in: opened.expiresIn,
    interval: INTERVAL,
  };
}

/**
 * A public client has nothing but its origins to be known by, so it asks from one of them; a client with a secret or a
 * key never asks from a browser, where everybody could read them (T56, T59). An unknown one is told the same as these.
 */
function requireItsOwnWay(client: Client | undefined, origin: string): void {
  if (client?.dialect === 'wechat') {
    throw refused(
      'a client of the WeChat dialect shows /connect/qrconnect?appid=…; register a client of the oauth dialect for this API',
    );
  }
  if (client?.authMethod === 'none') {
    if (originAllowed(origin, client)) return;
    throw refused(
      'a public client asks from a page of one of its embed origins ("clients update --embed-origin" adds one); a server registers a client with a secret or a key',
    );
  }
  if (origin === '') return;
  throw refused(
    'only a public client asks from a browser; one with a secret or a key asks from its own server, without an Origin header',
  );
}

function refused(message: string): AppError {
  return new AppError('forbidden', { message });
}

/** The engine's own pushed-authorization endpoint: who the client is, and what it may ask, is the engine's to say. */
async function push(
  deps: OpenDeps & { pushed: PushedRequests },
  ctx: AppRouterContext,
  asked: TicketRequest,
): Promise<string> {
  const { certificate, addressKey } = ctx.state;
  const caller: Caller = {
    authorization: ctx.get('Authorization') || undefined,
    guesses: guessesFrom(deps.secretGuesses, addressKey),
    note(req) {
      noteSameRequest(req, ctx.req);
      if (certificate) noteCertificate(req, readCertificate(certificate));
    },
  };
  const { proof, form, requestUri } = toForm(asked);
  if (form) return deps.pushed.push(form, caller);
  await deps.pushed.authenticate(proof, caller);
  return requestUri;
}

/** What was pushed is kept, whether a ticket comes of it or not: `prompt=none` is refused only when it is begun. */
async function pushForStranger(...args: Parameters<typeof push>): Promise<string> {
  const [{ strangers }, ctx] = args;
  const notKept = strangers.spend(ctx.state.addressKey);
  try {
    return await push(...args);
  } catch (error) {
    notKept();
    throw error;
  }
}

/** In the engine's words, whichever of its endpoints spoke them. */
function refuse(ctx: AppRouterContext, error: unknown): void {
  if (error instanceof ClientRefused) {
    ctx.set(error.headers);
    ctx.status = error.status;
    ctx.body = error.body;
    return;
  }
  if (!(error instanceof AuthorizationRefused)) throw error;
  ctx.status = 400;
  ctx.body = { error: error.error, error_description: error.description };
}
