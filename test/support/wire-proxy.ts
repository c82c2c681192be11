/** What stands between a browser and our servers, as bad as networks are: cuts, falls silent, refuses or swallows upgrades, keeps streams back. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface WireProxy {
  readonly port: number;
  /** The first line of every request seen, in order. */
  readonly seen: string[];
  /** `refuse`: 403. `swallow`: the server never hears of it, and the browser nothing. */
  upgrades: 'pass' | 'refuse' | 'swallow';
  /** `keep`: nothing of an event stream is passed on before its end. */
  streams: 'pass' | 'keep';
  /** Ports on this machine, or paths of Unix sockets, that new connections go to, in turn; one that is dead is passed over. */
  backends: Array<number | string>;
  /**
   * `down`: every connection is cut, and new ones too. `silent`: connections stand, and nothing passes in either direction
   * any more. `up`: new connections work; those that fell silent stay so.
   */
  set(network: 'up' | 'down' | 'silent'): void;
  /** Cuts what stands now, without a goodbye; `backend` alone, as when that one is killed. */
  cut(backend?: number | string): void;
  /** How many connections to a backend stand; browsers open some that are never used, and look late at those that ended. */
  readonly standing: number;
  stop(): Promise<void>;
}

interface Pair {
  readonly front: Socket;
  back: Socket | undefined;
  backend: number | string | undefined;
  /** What the server says goes no further until the response ends. */
  keeps: boolean;
  /** It fell silent, and stays so. */
  dead: boolean;
}

const REQUEST = /^(?:GET|POST|DELETE|OPTIONS|HEAD|PUT) \S+ HTTP\/1\.1/;

/** On a free port; a browser says its address, so PUBLIC_URL of the servers is `http://localhost:<port>`. */
export async function startWireProxy(backends: Array<number | string> = []): Promise<WireProxy> {
  const pairs = new Set<Pair>();
  let network: 'up' | 'down' | 'silent' = 'up';
  let turn = 0;
  const server = createServer((front) => {
    const pair: Pair = { front, back: undefined, backend: undefined, keeps: false, dead: false };
    front.on('error', () => {});
    pairs.add(pair);
    front.on('close', () => {
      pairs.delete(pair);
      pair.back?.destroy();
    });
    if (network === 'down') front.destroy();
    front.once('data', (first) => void (network === 'up' && join(pair, first)));
  });

  async function join(pair: Pair, first: Buffer): Promise<void> {
    const { front } = pair;
    front.pause();
    const line = note(first);
    if (/^GET \/api\/qr\/socket /.test(line)) {
      if (proxy.upgrades === 'refuse') return void front.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      if (proxy.upgrades === 'swallow') return void front.resume();
    }
    const back = await reach(pair);
    if (!back || front.destroyed) return void front.destroy();
    pair.back = back;
    let kept: Buffer[] = [];
    const upwards = (data: Buffer) => {
      const next = REQUEST.test(data.toString('latin1', 0, 200)) ? note(data) : undefined;
      if (next !== undefined) pair.keeps = proxy.streams === 'keep' && /^GET \S+\/events /.test(next);
      if (!pair.dead) back.write(data);
    };
    back.on('data', (data) => {
      if (pair.dead) return;
      if (pair.keeps && !data.toString('latin1').endsWith('0\r\n\r\n')) return void kept.push(data);
      front.write(Buffer.concat([...kept, data]));
      kept = [];
    });
    back.on('close', () => !pair.dead && front.end());
    pair.keeps = proxy.streams === 'keep' && /^GET \S+\/events /.test(line);
    back.write(first);
    front.on('data', upwards);
    front.resume();
  }

  function note(data: Buffer): string {
    const [line = ''] = data.toString('latin1').split('\r\n', 1);
    proxy.seen.push(line);
    return line;
  }

  /** The next backend that answers the phone. */
  async function reach(pair: Pair): Promise<Socket | undefined> {
    const first = turn++;
    const choice = proxy.backends;
    for (let i = 0; i < choice.length; i += 1) {
      const port = choice[(first + i) % choice.length] as number | string;
      const back = typeof port === 'number' ? connect(port, '127.0.0.1') : connect(port);
      back.on('error', () => {});
      const answers = await new Promise<boolean>((resolve) => {
        back.once('connect', () => resolve(true)).once('close', () => resolve(false));
      });
      if (!answers) continue;
      pair.backend = port;
      return back;
    }
    return undefined;
  }

  const proxy: WireProxy = {
    port: 0,
    seen: [],
    upgrades: 'pass',
    streams: 'pass',
    backends,
    set(next) {
      network = next;
      if (next === 'down') proxy.cut();
      if (next === 'silent') for (const pair of pairs) pair.dead = pair.back !== undefined;
    },
    cut(backend) {
      for (const pair of pairs) {
        if (backend !== undefined && pair.backend !== backend) continue;
        pair.front.resetAndDestroy();
        pair.back?.destroy();
      }
    },
    get standing() {
      return [...pairs].filter(({ back }) => back && !back.destroyed).length;
    },
    async stop() {
      server.close();
      for (const { front } of pairs) front.destroy();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port });
}
