/** A server that knows one ticket, as badly behaved as a test wants it: what a watching page may meet between itself and ours. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

export type Way = 'socket' | 'events' | 'long-poll' | 'ask';
/**
 * `swallow`: taken and never answered. `mute`: one word, then silence. `fleeting`: one word, then cut. `proxy`: 503 in the
 * words of a proxy that has lost its server. Numbers refuse.
 */
export type Manner = 'work' | 'swallow' | 'mute' | 'fleeting' | 'proxy' | number;

const TICKET = { ticketId: 'ticket-1', waitSecret: 'a-secret-that-stays-out-of-addresses' };
const PATHS: ReadonlyArray<[RegExp, Way]> = [
  [/\/events$/, 'events'],
  [/\?wait=/, 'long-poll'],
  [/\/api\/qr\/tickets\/[\w-]+$/, 'ask'],
];

interface Held {
  way: Way;
  tell(): void;
  end(why: 'superseded' | 'goodbye'): void;
}

export class WaitServer {
  readonly ticket = TICKET;
  /** What was asked for, in order. */
  readonly asked: Way[] = [];
  readonly addresses: string[] = [];
  /** When each was asked for, on this process's clock. */
  readonly times: number[] = [];
  private readonly manners = new Map<Way, Manner>();
  private readonly sockets = new Set<Duplex>();
  private readonly upgrades = new WebSocketServer({ noServer: true });
  /** Connections that count, newest last. Without `onePlace` there may be more than one. */
  private held: Held[] = [];
  private said: Record<string, unknown> = { status: 'pending', expires_in: 60 };
  private server: Server | undefined;
  private port = 0;
  private readonly comments = setInterval(() => {
    for (const response of this.streams) response.write(':\n\n');
  }, 20);
  private readonly streams = new Set<ServerResponse>();

  constructor(private readonly onePlace = true) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The ways somebody is held by at the moment. */
  get holding(): Way[] {
    return this.held.map(({ way }) => way);
  }

  async listen(): Promise<this> {
    this.server = createServer((req, res) => this.answer(req, res));
    this.server.on('upgrade', (req, socket, head) => this.upgrade(req, socket, head));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    ({ port: this.port } = this.server.address() as { port: number });
    return this;
  }

  /** Nobody listens any more; what stood is gone without a word. */
  async down(): Promise<void> {
    this.server?.close();
    this.cut();
    if (this.server?.listening) await once(this.server, 'close');
  }

  async stop(): Promise<void> {
    clearInterval(this.comments);
    await this.down();
  }

  behave(way: Way, manner: Manner): this {
    this.manners.set(way, manner);
    return this;
  }

  /** The ticket moves, and everybody held is told. */
  say(status: string, more: Record<string, unknown> = {}): void {
    this.said = { status, expires_in: 60, ...more };
    for (const held of [...this.held]) held.tell();
  }

  cut(): void {
    this.held = [];
    this.streams.clear();
    for (const socket of this.sockets) socket.destroy();
  }

  goodbye(): void {
    for (const held of this.held.splice(0)) held.end('goodbye');
  }

  supersede(): void {
    for (const held of this.held.splice(0)) held.end('superseded');
  }

  private manner(way: Way): Manner {
    return this.manners.get(way) ?? 'work';
  }

  private note(way: Way, req: IncomingMessage): Manner {
    this.asked.push(way);
    this.times.push(performance.now());
    this.addresses.push(req.url ?? '');
    return this.manner(way);
  }

  private hold(held: Held): () => void {
    if (this.onePlace) this.supersede();
    this.held.push(held);
    return () => {
      this.held = this.held.filter((one) => one !== held);
    };
  }

  private answer(req: IncomingMessage, res: ServerResponse): void {
    const way = PATHS.find(([path]) => path.test(req.url ?? ''))?.[1];
    if (!way) return void res.writeHead(404).end();
    const manner = this.note(way, req);
    if (typeof manner === 'number') {
      res.writeHead(manner, manner === 429 || manner === 503 ? { 'retry-after': '0' } : {}).end('{}');
    } else if (manner === 'proxy') {
      res.writeHead(503).end('no server is available');
    } else if (req.headers.authorization !== `Bearer ${TICKET.waitSecret}`) {
      res.writeHead(404).end('{}');
    } else if (manner !== 'swallow') {
      if (way === 'events') this.stream(res, manner);
      else if (way === 'long-poll' && req.url?.endsWith(`seen=${this.said.status}`)) this.holdBack(res);
      else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.said));
    }
  }

  private stream(res: ServerResponse, manner: Manner): void {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const tell = () => res.write(`event: status\ndata: ${JSON.stringify(this.said)}\n\n`);
    tell();
    if (manner === 'fleeting') return void setImmediate(() => res.destroy());
    if (manner === 'mute') return;
    const end = (why: 'superseded' | 'goodbye') => {
      this.streams.delete(res);
      res.end(why === 'superseded' ? 'event: superseded\ndata: {}\n\n' : undefined);
    };
    this.streams.add(res);
    const leave = this.hold({ way: 'events', tell, end });
    res.on('close', () => {
      leave();
      this.streams.delete(res);
    });
  }

  private holdBack(res: ServerResponse): void {
    const tell = () => {
      leave();
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.said));
    };
    const leave = this.hold({ way: 'long-poll', tell, end: tell });
    res.on('close', leave);
  }

  private upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const manner = this.note('socket', req);
    socket.on('error', () => {});
    if (typeof manner === 'number') return void socket.end(`HTTP/1.1 ${manner} No\r\nConnection: close\r\n\r\n`);
    if (manner === 'swallow') return;
    this.upgrades.handleUpgrade(req, socket, head, (ws) => {
      ws.once('message', (data) => this.greet(ws, String(data), manner));
    });
  }

  private greet(ws: WebSocket, first: string, manner: Manner): void {
    const { ticket_id: id, wait_secret: secret } = JSON.parse(first);
    if (id !== TICKET.ticketId || secret !== TICKET.waitSecret) return void ws.close(4404);
    const tell = () => ws.send(JSON.stringify(this.said));
    tell();
    if (manner === 'mute') return;
    if (manner === 'fleeting') return void setImmediate(() => ws.terminate());
    ws.on('message', () => ws.send('pong'));
    const leave = this.hold({
      way: 'socket',
      tell,
      end: (why) => ws.close(why === 'superseded' ? 4409 : 1001),
    });
    ws.on('close', leave);
  }
}
