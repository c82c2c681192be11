/** Sends a list of requests with a fixed number in flight over kept-alive connections; bounded by the list. */
import { Agent, type RequestOptions, request } from 'node:http';

export interface LoadRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface LoadResult {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  failed: number;
}

/** `isGood` looks at status and body; everything else counts as failed. */
export async function load(
  origin: string,
  requests: LoadRequest[],
  isGood: (status: number, body: string) => boolean,
  inFlight = 32,
): Promise<LoadResult> {
  const { hostname, port, host } = new URL(origin);
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const times: number[] = [];
  let failed = 0;
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    for (let item = requests[next++]; item; item = requests[next++]) {
      const begun = performance.now();
      const { headers, body, ...rest } = item;
      const options = { hostname: hostname === 'localhost' ? '127.0.0.1' : hostname, port, agent, ...rest };
      const { status, text } = await send({ ...options, headers: { host, ...headers } }, body);
      times.push(performance.now() - begun);
      if (!isGood(status, text)) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { perSecond: requests.length / seconds, p50: at(0.5), p99: at(0.99), failed };
}

function send(options: RequestOptions, body: string | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const req = request(options, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }));
    });
    req.on('error', reject);
    req.end(body);
  });
}
