/** Every connection this process begins, at the last moment before it does; and where it lands instead, when a test says so. */
import { type LookupFunction, Socket, type TcpSocketConnectOpts } from 'node:net';

export interface ConnectionWatch {
  /** `address:port`, since the last call; what a test's `land` replaced is told as the client wanted it. */
  attempts(): string[];
  stop(): void;
}

type Anything = (...args: unknown[]) => unknown;

/** With `land`, connections to a name's addresses reach that port of this machine, so that nothing leaves it. */
export function watchConnections(land?: () => number): ConnectionWatch {
  const attempts: string[] = [];
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function watched(this: Socket, ...given: unknown[]) {
    const [first, ...rest] = (Array.isArray(given[0]) ? given[0] : given) as [TcpSocketConnectOpts, ...unknown[]];
    const callback = rest.find((one) => typeof one === 'function');
    if (!land || !first.lookup) {
      this.on('connectionAttempt', (address: string, port: number) => attempts.push(`${address}:${port}`));
      return (connect as Anything).apply(this, given);
    }
    const { lookup, port } = first;
    const landing: LookupFunction = (hostname, options, done) => {
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error) return done(error, '');
        const addresses = Array.isArray(found) ? found : [{ address: found }];
        attempts.push(...addresses.map(({ address }) => `${address}:${port}`));
        done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
      });
    };
    return (connect as Anything).call(this, { ...first, lookup: landing, port: land() }, callback);
  } as typeof connect;
  return {
    attempts: () => attempts.splice(0),
    stop() {
      Socket.prototype.connect = connect;
    },
  };
}
