/** GET /api/qr/socket: the WebSocket (RFC 6455). Its first message names ticket and wait secret; then a message at each change. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { ClientService } from '../../client/client-service.js';
import { AppError, type ErrorCode } from '../../error.js';
import type { Logger } from '../../log.js';
import type { Limit } from '../../rate-limit.js';
import { isFinal } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { TicketView } from '../../ticket/ticket-view.js';
import { callerReader } from '../middleware/client-address.js';
import { isForHost } from '../middleware/host-check.js';
import { logUpgrade } from '../middleware/request-log.js';
import type { UpgradeDoor } from '../upgrade.js';
import { originAllowed } from './cors.js';
import type { Heartbeat } from './heartbeat.js';
import { countMisses, statusMessage } from './holder.js';
import type { Seat, Waiters } from './waiters.js';

export interface SocketDeps {
  publicUrl: string;
  trustedProxies: readonly string[];
  log: Logger;
  clients: ClientService;
  tickets: TicketService;
  waiters: Waiters;
  heartbeat: Heartbeat;
  /** Guesses at wait secrets, per address (T3). */
  misses: Limit;
}

const ROUTE = '/api/qr/socket';
/** The first message is all a page ever has to say. */
export const FIRST_MESSAGE = z.strictObject({
  ticket_id: z.string().min(1).max(64),
  wait_secret: z.string().min(1).max(128),
});
const MOST_BYTES = 1024;
const FIRST_WITHIN_MS = 5_000;
/** Between two `ping`s of a page; a faster one is no page of ours. */
const PING_APART_MS = 1_000;
/** A reader that leaves this many bytes lying is not reading (T77). */
const MOST_UNREAD = 4096;

/** What a close says (RFC 6455 7.4.2: 4000 to 4999 are for applications): 4000 and the HTTP status that would have said it. */
const CLOSE = {
  malformed: 4400,
  otherSite: 4403,
  silent: 4408,
  superseded: 4409,
  over: 1000,
  stopping: 1001,
  later: 1013,
};
const CLOSE_OF: Partial<Record<ErrorCode, number>> = { not_found: 4404, gone: 4410, too_many_requests: 4429 };

interface Page {
  readonly ws: WebSocket;
  readonly seat: Seat;
  readonly addressKey: string;
  readonly origin: string;
}

export function socketDoor(deps: SocketDeps): UpgradeDoor {
  const { host, origin: ownOrigin } = new URL(deps.publicUrl);
  const callerOf = callerReader(deps.trustedProxies);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MOST_BYTES,
    // Thirty bytes do not get shorter, and each deflating connection would cost a hundred times as much memory.
    perMessageDeflate: false,
    // A peer that does not close when it was told to is cut off.
    closeTimeout: 2_000,
  } as ConstructorParameters<typeof WebSocketServer>[0]);

  /** Throws what the upgrade is refused with. */
  async function admit(req: IncomingMessage): Promise<string> {
    if (!isForHost(req, host)) throw new AppError('misdirected');
    if (req.url !== ROUTE) throw new AppError('not_found');
    const { origin } = req.headers;
    // An upgrade is no CORS request: nobody but us asks where it comes from (T34).
    if (origin === undefined) throw new AppError('forbidden');
    if (origin !== ownOrigin && !(await deps.clients.embedOrigin(origin))) throw new AppError('forbidden');
    return origin;
  }

  return (req, socket, head) => {
    const { addressKey } = callerOf(req);
    admit(req)
      .then((origin) => {
        const seat = deps.waiters.enter(addressKey);
        leaveWith(socket, seat);
        if (socket.destroyed) return seat.leave();
        server.handleUpgrade(req, socket, head, (ws) => {
          logUpgrade(deps.log, { route: ROUTE, status: 101 });
          wait(deps, { ws, seat, addressKey, origin: origin === ownOrigin ? '' : origin });
        });
      })
      .catch((error: unknown) => refuse(deps.log, socket, error));
  };
}

/** A function of its own: written among the upgrade's it would keep the request and its headers as long as the socket. */
function leaveWith(socket: Duplex, seat: Seat): void {
  socket.once('close', () => seat.leave());
}

/** In plain HTTP, which scripts in browsers cannot read; people who look for the reason can. */
function refuse(log: Logger, socket: Duplex, thrown: unknown): void {
  const error = thrown instanceof AppError ? thrown : new AppError('server_error', { cause: thrown });
  if (error.status >= 500) log.error({ err: error.cause ?? error }, error.code);
  logUpgrade(log, { route: ROUTE, status: error.status });
  const body = JSON.stringify({ error: error.code, error_description: error.message });
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    ...(error.retryAfter === undefined ? [] : [`Retry-After: ${error.retryAfter}`]),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** From the upgrade to the first message. */
function wait(deps: SocketDeps, page: Page): void {
  const { ws } = page;
  const silent = setTimeout(() => ws.close(CLOSE.silent), FIRST_WITHIN_MS);
  // Too long a message, or one that is no WebSocket's: the library closes, and the seat goes with the connection.
  ws.on('error', () => {});
  ws.once('close', () => clearTimeout(silent));
  ws.once('message', (data, isBinary) => {
    clearTimeout(silent);
    const first = isBinary ? undefined : readFirst(String(data));
    if (!first) return ws.close(CLOSE.malformed);
    watch(deps, page, first).catch((error: unknown) => {
      const code = error instanceof AppError ? CLOSE_OF[error.code] : undefined;
      if (!(error instanceof AppError)) deps.log.error({ err: error }, 'server_error');
      ws.close(code ?? CLOSE.later);
    });
  });
}

function readFirst(text: string): z.infer<typeof FIRST_MESSAGE> | undefined {
  try {
    return FIRST_MESSAGE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function watch(
  deps: SocketDeps,
  { ws, seat, addressKey, origin }: Page,
  { ticket_id: id, wait_secret: waitSecret }: z.infer<typeof FIRST_MESSAGE>,
): Promise<void> {
  answerPings(ws);
  // What changes before the first message is sent is in it.
  let tell: (view: TicketView) => void = () => {};
  const watched = await countMisses(deps.misses, addressKey, () =>
    deps.tickets.watch(id, waitSecret, (view) => tell(view)),
  );
  let answered = true;
  ws.on('pong', () => {
    answered = true;
  });
  const leave = deps.heartbeat.join(() => {
    if (!answered || ws.bufferedAmount > MOST_UNREAD) return ws.terminate();
    answered = false;
    ws.ping();
  });
  const cleanUp = () => {
    leave();
    watched.stop();
    seat.leave();
  };
  ws.once('close', cleanUp);
  if (ws.readyState !== ws.OPEN) return cleanUp();
  const close = (code: number) => {
    cleanUp();
    ws.close(code);
  };
  // The page of another site may watch the tickets of its own clients alone.
  if (origin !== '' && !(await isOfClient(deps, id, origin))) return close(CLOSE.otherSite);
  const first = watched.view();
  if (first.status === 'expired' || first.status === 'cancelled') return close(CLOSE_OF.gone as number);
  tell = (view) => {
    ws.send(JSON.stringify(statusMessage(view)));
    if (isFinal(view.status)) close(CLOSE.over);
  };
  tell(first);
  if (!isFinal(first.status)) seat.hold(id, (why) => close(why === 'superseded' ? CLOSE.superseded : CLOSE.stopping));
}

async function isOfClient({ tickets, clients }: SocketDeps, ticketId: string, origin: string): Promise<boolean> {
  return originAllowed(origin, await clients.active((await tickets.clientOf(ticketId)) ?? ''));
}

/** A page cannot see the protocol's own pings, so it asks in its own words whether the line is still there. */
function answerPings(ws: WebSocket): void {
  let last = Number.NEGATIVE_INFINITY;
  ws.on('message', (data, isBinary) => {
    const now = performance.now();
    if (isBinary || String(data) !== 'ping' || now - last < PING_APART_MS) return ws.close(CLOSE.malformed);
    last = now;
    ws.send('pong');
  });
}
