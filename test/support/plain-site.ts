/** A web site of a test's own on 127.0.0.1: pages by path, and everything it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface PlainPage {
  html: string;
  headers?: Record<string, string>;
  /** Sent as it is, without a document around it. */
  bare?: boolean;
  /** Asked for, and never answered. */
  silent?: boolean;
}

export interface PlainSite {
  readonly url: string;
  /** The same site under the name the server under test has too. */
  readonly localhostUrl: string;
  readonly asked: readonly { path: string; headers: IncomingHttpHeaders }[];
  /** Adds or replaces a page. */
  put(path: string, page: string | PlainPage): string;
  stop(): Promise<void>;
}

export async function startPlainSite(): Promise<PlainSite> {
  const pages = new Map<string, PlainPage>();
  const asked: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] as string;
    asked.push({ path: request.url ?? '/', headers: request.headers });
    const page = pages.get(path);
    if (page?.silent) return;
    response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', ...page?.headers });
    response.end(page ? (page.bare ? page.html : document(page.html)) : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    localhostUrl: `http://localhost:${port}`,
    asked,
    put(path, page) {
      pages.set(path, typeof page === 'string' ? { html: page } : page);
      return url + path;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function document(body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>site</title><link rel="icon" href="data:,"></head><body>${body}</body></html>`;
}
