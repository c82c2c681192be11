/** A closed loop over kept-alive connections: a fixed number of lanes, bounded by a count. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface LoadRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export type Send = (request: LoadRequest) => Promise<Answer>;

export interface LoadResult {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  failed: number;
}

/** As many lanes as connections: each has its own state in chains such as refresh tokens. */
export const LANES = 32;

/** Runs `operation` `count` times; each of the lanes begins its next as soon as its last has ended. False is a failure. */
export async function closedLoop(
  origin: string,
  count: number,
  operation: (send: Send, lane: number) => Promise<boolean>,
  lanes = LANES,
): Promise<LoadResult> {
  const { send, close } = openSender(origin, { lanes });
  const times: number[] = [];
  let failed = 0;
  let begun = 0;
  const started = performance.now();
  const run = async (lane: number) => {
    while (begun++ < count) {
      const before = performance.now();
      const good = await operation(send, lane);
      times.push(performance.now() - before);
      if (!good) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  const seconds = (performance.now() - started) / 1000;
  close();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { perSecond: count / seconds, p50: at(0.5), p99: at(0.99), failed };
}

/** Sends a list of requests; `isGood` looks at status and body, everything else counts as failed. */
export function load(
  origin: string,
  requests: LoadRequest[],
  isGood: (status: number, body: string) => boolean,
  inFlight = LANES,
): Promise<LoadResult> {
  let next = 0;
  const one = async (send: Send) => {
    const { status, text } = await send(requests[next++] as LoadRequest);
    return isGood(status, text);
  };
  return closedLoop(origin, requests.length, one, inFlight);
}

/** Kept-alive connections to a server; `port` reaches another node of the same name, `from` is the address they come from. */
export function openSender(
  origin: string,
  { lanes = LANES, port, from }: { lanes?: number; port?: number; from?: string } = {},
): { send: Send; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const { hostname, port: named, host } = new URL(origin);
  const to = { hostname: hostname === 'localhost' ? '127.0.0.1' : hostname, port: port ?? named };
  const where = { ...to, agent, ...(from === undefined ? {} : { localAddress: from }) };
  const send: Send = ({ headers, body, ...rest }) =>
    new Promise((resolve, reject) => {
      const req = request({ ...where, ...rest, headers: { host, ...headers } }, (res) => {
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => {
          text += chunk;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
        res.on('error', reject);
      });
      req.on('error', reject);
      req.end(body);
    });
  return { send, close: () => agent.destroy() };
}
