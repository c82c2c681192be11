/** A server of somebody else's, on this machine: remembers whatever reaches it, and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.js';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Sink {
  readonly port: number;
  readonly received: Received[];
  /** Connections, whether or not a request came over them. */
  connections(): number;
  stop(): Promise<void>;
}

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** Over TLS with a certificate, else in plain text; 200 unless told otherwise. */
export async function startSink(
  answer: Answer = (_req, res) => void res.end(),
  certificate?: Certificate,
): Promise<Sink> {
  const received: Received[] = [];
  let connections = 0;
  const listener: RequestListener = async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const { method = '', url: path = '', headers } = req;
    received.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    answer(req, res);
  };
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connections: () => connections,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
