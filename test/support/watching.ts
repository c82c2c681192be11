/** A watch in Node: quick, with what a browser's window would send, and all that it says written down. */
import { setMaxListeners } from 'node:events';
import { WebSocket } from 'ws';
import { PACE, type Pace } from '../../clients/web/src/pace.js';
import { type TicketWatch, type WatchTicket, watchAt } from '../../clients/web/src/watch-ticket.js';
import type { WaitServer } from './wait-server.js';

/** Quick enough for a test, and slow enough for a busy machine. */
export const QUICK: Pace = {
  ...PACE,
  firstWord: 1_000,
  slow: 500,
  unnoticed: 300,
  hold: 1_000,
  poll: 20,
  firstRetry: 20,
  lastRetry: 100,
  spread: 20,
  busySpread: 20,
};

/** What a browser's window would send; Node has none. */
export const window = new EventTarget();
setMaxListeners(0, window);

export function giveWindow(): void {
  Object.assign(globalThis, {
    WebSocket,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
}

/** Watches the server's ticket; `heard` has statuses, and connections in brackets, in their order. */
export function watchAtServer(
  server: WaitServer,
  pace: Partial<Pace> = {},
  more: Partial<WatchTicket> = {},
): { watch: TicketWatch; heard: string[] } {
  const heard: string[] = [];
  const watch = watchAt(
    { ...QUICK, ...pace },
    {
      server: server.url,
      ...server.ticket,
      onStatus: ({ status }) => heard.push(status),
      onConnection: (connection) => heard.push(`(${connection})`),
      ...more,
    },
  );
  return { watch, heard };
}
