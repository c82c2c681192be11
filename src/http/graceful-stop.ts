/** Ends a server politely: no new connections, held requests answered, the rest finished, all within ten seconds. */
import type { Server } from 'node:http';
import type { Waiters } from './qr/waiters.js';

const LIMIT_MS = 10_000;
/** How often connections that fell idle meanwhile are closed. */
const SWEEP_MS = 50;

export async function stopGracefully(server: Server, waiters: Waiters): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  waiters.endAll();
  // A kept-alive connection would stay for its whole idle time, and its client would send the next request to us.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const late = setTimeout(() => server.closeAllConnections(), LIMIT_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(late);
}
