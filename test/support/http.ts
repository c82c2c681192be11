/** Requests as any program can send them, with every header and byte in the test's hand. */
import { request as nodeRequest } from 'node:http';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  json<T = Record<string, unknown>>(): T;
}

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: string;
  readonly answer: RawAnswer;
}

const observers = new Set<(sent: Sent) => void>();

/** Shows every exchange of this process to `observer`, until the returned function is called. */
export function observe(observer: (sent: Sent) => void): () => void {
  observers.add(observer);
  return () => observers.delete(observer);
}

/** No redirects are followed, no cookies kept; `host` and other forbidden headers may be set. `port` reaches another node. */
export function send(
  url: string,
  options: {
    method?: string;
    headers?: Record<string, string | string[]>;
    body?: string | Buffer;
    port?: number;
    path?: string;
  } = {},
): Promise<RawAnswer> {
  const { hostname, port, pathname, search, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const req = nodeRequest(
      {
        // A node's port is one of this machine, whatever it is called outside; so is localhost, on one of its addresses.
        hostname: options.port !== undefined || hostname === 'localhost' ? '127.0.0.1' : hostname,
        port: options.port ?? port,
        path: options.path ?? pathname + search,
        method: options.method ?? 'GET',
        headers: {
          host,
          ...(options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) }),
          ...options.headers,
        },
        agent: false,
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          const answer: RawAnswer = {
            status: res.statusCode ?? 0,
            headers: res.headers,
            body,
            json: <T>() => JSON.parse(body) as T,
          };
          const sent = { method: options.method ?? 'GET', url, headers: options.headers ?? {}, answer };
          for (const observer of observers) observer({ ...sent, body: String(options.body ?? '') });
          resolve(answer);
        });
      },
    );
    req.on('error', reject);
    req.end(options.body);
  });
}

/** The data a page of ours carries for its script. */
export function pageData<T = Record<string, unknown>>(html: string): T {
  const found = /<script type="application\/json" id="page-data"[^>]*>(.*?)<\/script>/s.exec(html)?.[1];
  if (found === undefined) throw new Error(`the page carries no data:\n${html.slice(0, 2000)}`);
  return JSON.parse(found) as T;
}
