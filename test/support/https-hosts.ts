/** Names of the internet that lead to this machine: what stands at https://shop.example in a test's own browser. */
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { newCertificate } from './certificate.js';

export interface HttpsHosts {
  /** For openBrowser: these names come here, and every other one comes to nothing. Contexts ignore HTTPS errors. */
  readonly browserArgs: readonly string[];
  /** The port of this machine that answers for a name, over plain http. */
  put(name: string, port: number): void;
  stop(): Promise<void>;
}

/** Ends TLS as a proxy does, and passes everything on as it came, Host included. */
export async function startHttpsHosts(names: readonly string[]): Promise<HttpsHosts> {
  const ports = new Map<string, number>();
  const server = createServer(newCertificate('tests'), (incoming, answer) => {
    const port = ports.get(incoming.headers.host ?? '');
    if (port === undefined) return void answer.writeHead(502).end();
    const { method, url: path, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rules = [
    ...names.map((name) => `MAP ${name}:443 ${here}`),
    'MAP * ~NOTFOUND',
    'EXCLUDE 127.0.0.1',
    'EXCLUDE localhost',
  ];
  return {
    // A proxy that this machine's settings name would resolve names itself.
    browserArgs: [`--host-resolver-rules=${rules.join(', ')}`, '--no-proxy-server'],
    put: (name, port) => void ports.set(name, port),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
