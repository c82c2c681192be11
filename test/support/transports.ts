/** The ways of waiting for a ticket as actors: each says what it is told, in order, and how it ended. */
import { type ClientRequest, request } from 'node:http';
import { WebSocket } from 'ws';

type Where = { url: string; port?: number };
type Ticket = { ticketId: string; waitSecret: string };

export interface Told {
  status: string;
  match_code?: string;
  expires_in: number;
}

export interface Waiting {
  /** Everything told so far. */
  readonly told: Told[];
  /** The next thing told that was not asked for before; rejects when the wait ends instead. */
  next(): Promise<Told>;
  /** How it ended: a close code, an HTTP status, or the name of the last event. */
  readonly ended: Promise<string | number>;
  hangUp(): void;
}

export type Transport = 'socket' | 'events' | 'long-poll';

export function waitBy(transport: Transport, where: Where, ticket: Ticket): Waiting {
  if (transport === 'socket') return socketOf(where, ticket);
  return transport === 'events' ? eventsOf(where, ticket) : longPollOf(where, ticket);
}

function inbox() {
  const told: Told[] = [];
  const readers: Array<{ resolve(one: Told): void; reject(error: Error): void }> = [];
  let taken = 0;
  let over: string | number | undefined;
  let finish: (how: string | number) => void = () => {};
  const ended = new Promise<string | number>((resolve) => {
    finish = resolve;
  });
  const end = () => new Error(`the wait ended: ${over}`);
  return {
    told,
    ended,
    hear(one: Told) {
      told.push(one);
      const reader = readers.shift();
      if (!reader) return;
      taken += 1;
      reader.resolve(one);
    },
    end(how: string | number) {
      over ??= how;
      finish(over);
      for (const reader of readers.splice(0)) reader.reject(end());
    },
    next(): Promise<Told> {
      const one = told[taken];
      if (one) {
        taken += 1;
        return Promise.resolve(one);
      }
      if (over !== undefined) return Promise.reject(end());
      return new Promise((resolve, reject) => readers.push({ resolve, reject }));
    },
  };
}

export interface SocketOptions {
  origin?: string | null;
  /** Sent instead of the ticket and its secret; null: nothing. */
  first?: string | Buffer | null;
  headers?: Record<string, string>;
  path?: string;
}

/** A WebSocket, with everything a page's would send; `ended` is its close code, or the status its upgrade was refused with. */
export function socketOf(
  where: Where,
  { ticketId, waitSecret }: Ticket,
  { origin = where.url, first, headers, path = '/api/qr/socket' }: SocketOptions = {},
): Waiting & { readonly ws: WebSocket; readonly opened: Promise<void> } {
  const box = inbox();
  const { host, port } = new URL(where.url);
  const ws = new WebSocket(`ws://127.0.0.1:${where.port ?? port}${path}`, {
    headers: { host, ...headers },
    ...(origin === null ? {} : { origin }),
  });
  const opened = new Promise<void>((resolve) => ws.once('open', resolve));
  ws.on('open', () => {
    if (first !== null) ws.send(first ?? JSON.stringify({ ticket_id: ticketId, wait_secret: waitSecret }));
  });
  ws.on('message', (data) => {
    if (String(data) !== 'pong') box.hear(JSON.parse(String(data)) as Told);
  });
  ws.on('unexpected-response', (_req, res) => {
    box.end(res.statusCode ?? 0);
    res.destroy();
  });
  ws.on('error', () => {});
  ws.on('close', (code) => box.end(code));
  return { ...box, ws, opened, hangUp: () => ws.terminate() };
}

/** The event stream; `ended` is the name of its last event, or the status it was refused with. */
export function eventsOf(
  where: Where,
  { ticketId, waitSecret }: Ticket,
  headers: Record<string, string> = {},
): Waiting & { readonly req: ClientRequest; readonly raw: () => string } {
  const box = inbox();
  const { host, port } = new URL(where.url);
  let [raw, rest, last] = ['', '', 'nothing'];
  const req = request(
    {
      hostname: '127.0.0.1',
      port: where.port ?? port,
      path: `/api/qr/tickets/${ticketId}/events`,
      headers: { host, authorization: `Bearer ${waitSecret}`, accept: 'text/event-stream', ...headers },
      agent: false,
    },
    (res) => {
      if (res.statusCode !== 200) return box.end(res.statusCode ?? 0);
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        raw += chunk;
        const events = (rest + chunk).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          const { name, data } = /^event: (?<name>\w+)\ndata: (?<data>.*)$/.exec(event)?.groups ?? {};
          if (name) last = name;
          if (name === 'status') box.hear(JSON.parse(data ?? '') as Told);
        }
      });
      res.on('close', () => box.end(last));
      res.on('error', () => {});
    },
  );
  req.on('error', () => box.end('cut'));
  req.end();
  return { ...box, req, raw: () => raw, hangUp: () => req.destroy() };
}

/** One held request after the other, until there is nothing more to tell. */
export function longPollOf(where: Where, { ticketId, waitSecret }: Ticket): Waiting {
  const box = inbox();
  const { host, port } = new URL(where.url);
  const end = new AbortController();
  const round = (seen: string) => {
    const req = request(
      {
        hostname: '127.0.0.1',
        port: where.port ?? port,
        path: `/api/qr/tickets/${ticketId}?wait=25&seen=${seen}`,
        headers: { host, authorization: `Bearer ${waitSecret}` },
        agent: false,
        signal: end.signal,
      },
      async (res) => {
        let body = '';
        for await (const chunk of res) body += chunk;
        if (res.statusCode !== 200) return box.end(res.statusCode ?? 0);
        const one = JSON.parse(body) as Told;
        if (one.status !== seen) box.hear(one);
        if (['pending', 'scanned', 'confirmed'].includes(one.status)) round(one.status);
        else box.end(200);
      },
    );
    req.on('error', () => box.end('cut'));
    req.end();
  };
  round('nothing');
  return { ...box, hangUp: () => end.abort() };
}
