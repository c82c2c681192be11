/** Requests that ask for another protocol: the WebSocket's go to its door, all others are answered as if they had not asked. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

export type UpgradeDoor = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** `door` answers whatever asks for a WebSocket, at any address. */
export function takeUpgrades(server: Server, door: UpgradeDoor): void {
  const unanswered = new WeakMap<Duplex, number>();
  const count = (socket: Duplex, more: 1 | -1) => unanswered.set(socket, (unanswered.get(socket) ?? 0) + more);
  server.prependListener('request', ({ socket }, res) => {
    count(socket, 1);
    res.once('close', () => count(socket, -1));
  });
  server.on('upgrade', (req, socket, head) => {
    // Whatever becomes of it, a connection that breaks must not end the process.
    socket.on('error', () => socket.destroy());
    // What throws here ends the process. Reset before it was read: nobody to answer, and no address to count it by.
    // Behind a request that still waits for its answer: two parsers would mix up whose answer comes next.
    if (req.socket.remoteAddress === undefined || unanswered.get(socket)) return void socket.destroy();
    if (req.headers.upgrade?.toLowerCase() === 'websocket') door(req, socket, head);
    else asIfNotAsked(server, req, socket, head);
  });
}

/**
 * A server may ignore Upgrade (RFC 9110 7.8), and must here: Java's own client asks every plain server for h2c. Node has
 * taken the connection away from its parser by now; it gets it back with the same request, less the question.
 */
function asIfNotAsked(server: Server, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  const fields: string[] = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    if (!/^(upgrade|connection|http2-settings)$/i.test(name)) fields.push(`${name}: ${req.rawHeaders[i + 1]}\r\n`);
  }
  const start = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n${fields.join('')}\r\n`;
  socket.removeAllListeners('error');
  socket.unshift(Buffer.concat([Buffer.from(start, 'latin1'), head]));
  server.emit('connection', socket);
}
