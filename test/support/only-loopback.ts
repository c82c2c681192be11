/** Nothing leaves this machine: looks at every connection this process asks for, refuses one to elsewhere, and remembers both. */
import dns from 'node:dns';
import { Socket, type TcpSocketConnectOpts } from 'node:net';
import { isLoopbackHost } from '../../src/config.js';

export interface LoopbackGuard {
  /** The ports of every connection asked for since the last call; sockets in the file system aside. */
  ports(): string[];
  /** The hosts other than this machine that were asked for, by connection or by name, since the last call. */
  strangers(): string[];
  stop(): void;
}

type Anything = (...args: unknown[]) => unknown;

/** `allowed` names further hosts, such as a database server of the run's. */
export function onlyLoopback(allowed: readonly string[] = []): LoopbackGuard {
  const ports: string[] = [];
  const strangers: string[] = [];
  const isOurs = (host: string) => isLoopbackHost(host) || host === '::1' || allowed.includes(host);
  /** Fails the way an unknown name does, so that a client handles it as it handles any. */
  const refuse = (host: string, callback: Anything) => {
    strangers.push(host);
    const error = Object.assign(new Error(`only this machine, not ${host}`), { code: 'ENOTFOUND' });
    process.nextTick(callback, error);
  };

  // Every client of Node's ends here, `fetch` and TLS included.
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function watched(this: Socket, ...given: unknown[]) {
    const { options, callback } = readArguments(given);
    const host = options?.host || 'localhost';
    if (options) ports.push(String(options.port));
    if (!options || isOurs(host)) return (connect as Anything).apply(this, given);
    const lookup = (_name: string, _options: unknown, done: Anything) => refuse(host, done);
    return (connect as Anything).call(this, { ...options, host: 'elsewhere.invalid', lookup }, callback);
  } as typeof connect;

  const lookup = dns.lookup;
  dns.lookup = ((host: string, ...rest: unknown[]) =>
    isOurs(host) ? (lookup as Anything)(host, ...rest) : refuse(host, rest.at(-1) as Anything)) as typeof lookup;

  return {
    ports: () => ports.splice(0),
    strangers: () => strangers.splice(0),
    stop() {
      Socket.prototype.connect = connect;
      dns.lookup = lookup;
    },
  };
}

/** `connect`'s arguments, or the array that net.connect has already made of them; no options for a socket in the file system. */
function readArguments(given: unknown[]): { options?: TcpSocketConnectOpts; callback: unknown } {
  const args = Array.isArray(given[0]) ? (given[0] as unknown[]) : given;
  const callback = args.find((one) => typeof one === 'function');
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    // An HTTP client's options hold the path of its URL too: it is the port that tells the two apart.
    const options = first as TcpSocketConnectOpts;
    return options.port ? { options, callback } : { callback };
  }
  if (Number.isNaN(Number(first))) return { callback };
  return { options: { port: Number(first), host: typeof second === 'string' ? second : undefined }, callback };
}
