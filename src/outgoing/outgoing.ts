/** The one client for requests to URLs that a relying party named (T60): where they may go, and how much they may cost. */
import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { isLoopbackHost } from '../config.js';
import { isForbiddenAddress, isLoopbackAddress } from './forbidden-address.js';

export interface Outgoing {
  /** Posts a form; resolves with any status but a redirect's. Throws `OutgoingFailed`, and nothing else. */
  post(url: string, form: Record<string, string>): Promise<{ status: number }>;
}

export type Resolve = (hostname: string) => Promise<ReadonlyArray<{ address: string; family: number }>>;

export interface OutgoingOptions {
  /** Demo mode: loopback hosts may be reached, over plain http and at any port. */
  allowLoopback: boolean;
  /** Name to addresses; the system's resolver unless given. */
  resolve?: Resolve;
}

/** The one failure: it does not tell closed from reachable from forbidden. `cause` does, for our own log alone. */
export class OutgoingFailed extends Error {
  constructor(cause: unknown) {
    super('the request could not be delivered', { cause });
    this.name = 'OutgoingFailed';
  }
}

/** From the first look at the name to the last byte of the answer. */
const TOTAL_MS = 2_500;
const MAX_ANSWER = 64 * 1024;
/** A name may have hundreds; nobody turns us into their port scanner. */
const MAX_ADDRESSES = 4;
/** Node's own quarter of a second is less than one round trip around the world. */
const ATTEMPT_MS = 600;
/** ASCII as URL leaves it, two labels at least, so that a resolver's search list has nothing to add. */
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `http` passes what it does not know on to the connection. */
type SendOptions = RequestOptions &
  Pick<ConnectionOptions, 'rejectUnauthorized' | 'minVersion'> &
  Pick<TcpNetConnectOpts, 'autoSelectFamilyAttemptTimeout'>;

interface Target {
  readonly url: URL;
  readonly mayConnect: (address: string) => boolean;
}

export function createOutgoing({ allowLoopback, resolve = resolveBySystem }: OutgoingOptions): Outgoing {
  return {
    async post(url, form) {
      try {
        return await send(readTarget(url, allowLoopback), new URLSearchParams(form).toString(), resolve);
      } catch (cause) {
        throw new OutgoingFailed(cause);
      }
    },
  };
}

const resolveBySystem: Resolve = (hostname) => systemLookup(hostname, { all: true, verbatim: true });

function readTarget(text: string, allowLoopback: boolean): Target {
  const url = new URL(text);
  if (url.username || url.password) throw new Error('the URL holds a user name or a password');
  if (allowLoopback && isLoopbackHost(url.hostname)) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('the URL is neither https nor http');
    return { url, mayConnect: isLoopbackAddress };
  }
  if (url.protocol !== 'https:') throw new Error('the URL is not https');
  if (url.port !== '') throw new Error('the URL names a port other than 443');
  // Node connects to an address without asking `lookup`; none gets past here.
  if (!HOST_NAME.test(url.hostname)) throw new Error('the URL has no host name');
  return { url, mayConnect: (address) => !isForbiddenAddress(address) };
}

function send({ url, mayConnect }: Target, body: string, resolve: Resolve): Promise<{ status: number }> {
  const options: SendOptions = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'qrconnect',
    },
    // A connection of its own, and no proxy that the environment may name.
    agent: false,
    // The name is looked up once, here: what was checked is what is connected to.
    lookup: checkedLookup(resolve, mayConnect),
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    maxHeaderSize: 16 * 1024,
    signal: AbortSignal.timeout(TOTAL_MS),
    // Whatever the environment says.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  };
  return new Promise((done, failed) => {
    const req = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    const fail = (error: Error) => {
      failed(error);
      req.destroy();
    };
    req.on('error', fail);
    req.on('close', () => failed(new Error('the connection ended before the answer did')));
    req.on('socket', (socket) => guardConnection(socket, mayConnect, fail));
    req.on('response', (answer) => readAnswer(answer, done, fail));
    req.end(body);
  });
}

function checkedLookup(resolve: Resolve, mayConnect: Target['mayConnect']): LookupFunction {
  const check = async (hostname: string) => {
    const allowed = (await resolve(hostname)).filter(({ address }) => mayConnect(address)).slice(0, MAX_ADDRESSES);
    const [first] = allowed;
    if (!first) throw new Error('the name has no address that may be connected to');
    return { allowed, first };
  };
  return (hostname, { all }, callback) => {
    check(hostname).then(
      ({ allowed, first }) => (all ? callback(null, allowed) : callback(null, first.address, first.family)),
      (error: Error) => callback(error, ''),
    );
  };
}

/** Once more where it counts: nothing is written to an address that was not checked. */
function guardConnection(socket: Socket, mayConnect: Target['mayConnect'], fail: (error: Error) => void): void {
  socket.prependOnceListener('connect', () => {
    if (!mayConnect(socket.remoteAddress ?? '')) fail(new Error('connected to a forbidden address'));
  });
}

function readAnswer(
  answer: IncomingMessage,
  done: (result: { status: number }) => void,
  fail: (error: Error) => void,
): void {
  const status = answer.statusCode ?? 0;
  // A redirect is not followed: nobody checked where it leads (T60).
  if (status < 200 || (status >= 300 && status < 400) || status > 599) {
    fail(new Error(`the answer has the status ${status}`));
    return;
  }
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER) fail(new Error('the answer is too large'));
  });
  answer.on('error', fail);
  answer.on('end', () => done({ status }));
}
