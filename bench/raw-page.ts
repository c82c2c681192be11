/** Waiting pages over bare sockets, so that ten thousand of them cost the load generator little. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { BROWSER_HEADERS, type OpenTicket } from './login.js';

export type HeldTransport = 'socket' | 'events' | 'long-poll';
export const HELD: readonly HeldTransport[] = ['socket', 'events', 'long-poll'];

export interface RawPage {
  /** Resolves once the server has said how the ticket is; a long poll's next request is on its way then. */
  readonly ready: Promise<void>;
  /** What it was told last, and when: milliseconds of `performance`. */
  readonly status: string;
  readonly toldAt: number;
  close(): void;
}

export interface PageOptions {
  url: string;
  port: number;
  ticket: Pick<OpenTicket, 'ticketId' | 'waitSecret'>;
  /** Where it comes from: any of 127.0.0.0/8. */
  from?: string;
  onStatus?: (status: string, at: number) => void;
  onClose?: () => void;
}

const STATUS = /"status":"(\w+)"/g;
const FINAL = new Set(['redeemed', 'denied', 'cancelled', 'expired']);

export function openRawPage(transport: HeldTransport, options: PageOptions): RawPage {
  const { url, port, ticket, from, onStatus, onClose } = options;
  const { host } = new URL(url);
  const page = { status: 'nothing', toldAt: 0, ready: Promise.resolve(), close: () => socket.destroy() };
  const socket: Socket = connect({ port, host: '127.0.0.1', localAddress: from ?? '127.0.0.1', noDelay: true });
  const head = (line: string, more: Record<string, string>) =>
    `${line} HTTP/1.1\r\n${Object.entries({ host, ...BROWSER_HEADERS, ...more })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`;
  const bearer = { authorization: `Bearer ${ticket.waitSecret}` };
  const path = `/api/qr/tickets/${ticket.ticketId}`;
  const ask = {
    events: () => head(`GET ${path}/events`, { ...bearer, accept: 'text/event-stream' }),
    'long-poll': () => head(`GET ${path}?wait=25&seen=${page.status}`, { ...bearer, accept: 'application/json' }),
    socket: () =>
      head('GET /api/qr/socket', {
        origin: url,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      }),
  }[transport];
  const first = () => frame(0x1, JSON.stringify({ ticket_id: ticket.ticketId, wait_secret: ticket.waitSecret }));

  page.ready = new Promise((resolve, reject) => {
    let failed: string | undefined;
    socket.on('connect', () => socket.write(ask()));
    socket.on('error', (error) => reject(error));
    socket.on('close', () => {
      onClose?.();
      reject(new Error(`a waiting page was closed: ${failed ?? 'without a word'}`));
    });
    socket.on('data', (data) => {
      const at = performance.now();
      const text = data.toString('latin1');
      const answer = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
      if (answer !== undefined && answer !== '200' && answer !== '101') {
        failed = text.slice(0, 600);
        return socket.destroy();
      }
      if (answer === '101') socket.write(first());
      // A ping of two bytes: no text of the server's is that short.
      if (transport === 'socket' && data[0] === 0x89) socket.write(frame(0xa, ''));
      for (const [, status = ''] of text.matchAll(STATUS)) {
        page.status = status;
        page.toldAt = at;
        onStatus?.(status, at);
        resolve();
      }
      if (transport === 'long-poll' && answer === '200' && !FINAL.has(page.status)) socket.write(ask());
    });
  });
  // Whoever does not look at it is told by onClose.
  page.ready.catch(() => {});
  return page;
}

/** A client's frame is masked (RFC 6455 5.3); a mask of zeros changes nothing. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const length =
    payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length, 0, 0, 0, 0]), payload]);
}
