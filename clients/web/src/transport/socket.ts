// The WebSocket: names ticket and secret in its first message, hears each change, and makes sure by pings that somebody is there.
import { openSocket, type SocketLike } from '../surroundings.js';
import { readUpdate } from '../ticket-status.js';
import { Watchdog } from '../watchdog.js';
import type { Connection, Ending, Listener, Transport, Watched } from './transport.js';

/** By close code. What is not here broke: a proxy, a network, a server that died. */
const ENDINGS: Readonly<Record<number, Ending>> = {
  1000: { why: 'goodbye' },
  1001: { why: 'goodbye' },
  4400: { why: 'refused' },
  4403: { why: 'other-site' },
  4404: { why: 'unknown' },
  4409: { why: 'superseded' },
  4410: { why: 'gone' },
  4429: { why: 'busy', retryAfter: null },
};

export const socket: Transport = (watched, listener) => {
  try {
    return new Socket(watched, listener);
  } catch {
    const life = { over: false };
    queueMicrotask(() => life.over || listener.over({ why: 'refused' }));
    return {
      check: () => {},
      close: () => {
        life.over = true;
      },
    };
  }
};

class Socket implements Connection {
  private readonly ws: SocketLike;
  private readonly listener: Listener;
  private readonly watched: Watched;
  private readonly pong = new Watchdog(() => this.end({ why: 'mute' }));
  private beat: ReturnType<typeof setTimeout> | undefined;
  private pingedAt = Number.NEGATIVE_INFINITY;
  private spoken = false;

  constructor(watched: Watched, listener: Listener) {
    this.watched = watched;
    this.listener = listener;
    this.ws = openSocket(`${watched.server.replace(/^http/, 'ws')}/api/qr/socket`);
    this.ws.onopen = () => {
      this.ws.send(JSON.stringify({ ticket_id: watched.ticketId, wait_secret: watched.waitSecret }));
    };
    this.ws.onmessage = ({ data }) => this.hear(data);
    // The close that follows says it all; Node's `ws` throws where nobody listens.
    this.ws.onerror = () => {};
    this.ws.onclose = ({ code }) => this.end(ENDINGS[code] ?? { why: this.spoken ? 'lost' : 'refused' });
  }

  check(): void {
    if (!this.spoken || this.pong.isWaiting) return;
    this.pingIn(Math.max(0, this.pingedAt + this.watched.pace.pingsApart - performance.now()));
  }

  close(): void {
    clearTimeout(this.beat);
    this.pong.stop();
    this.ws.onopen = null;
    this.ws.onmessage = null;
    this.ws.onclose = null;
    this.ws.close();
  }

  private hear(data: unknown): void {
    // Anything at all is a sign of life.
    this.pong.stop();
    this.pingIn(this.watched.pace.ping);
    const update = data === 'pong' ? null : readUpdate(parsed(data));
    if (!update) return;
    this.spoken = true;
    this.listener.status(update);
  }

  private pingIn(milliseconds: number): void {
    clearTimeout(this.beat);
    this.beat = setTimeout(() => {
      this.pingedAt = performance.now();
      this.pong.expect(this.watched.pace.pong);
      this.ws.send('ping');
    }, milliseconds);
  }

  private end(ending: Ending): void {
    this.close();
    this.listener.over(ending);
  }
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}
