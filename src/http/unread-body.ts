/** What is left of a body when its request has been answered: Node would read all of it, however much is sent (T78). */
import type { Server } from 'node:http';

/** So much is read and thrown away, that whoever is still sending sees the answer and keeps the connection. */
const MOST = 512 * 1024;

export function boundUnreadBodies(server: Server): void {
  server.on('request', (req, res) => {
    // Before Node's own listener, which would have the rest thrown away where nobody can count it.
    res.prependListener('finish', () => {
      if (req.complete || req.destroyed) return;
      let read = 0;
      req.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > MOST) req.destroy();
      });
      req.resume();
      req.read(0);
    });
  });
}
