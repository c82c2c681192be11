/** Three nodes on one database behind a balancer: two server processes, and the app in this process that registers for them. */
import { once } from 'node:events';
import { type Node, startApp, startNode, type TestApp } from './start-app.js';
import { startWireProxy, type WireProxy } from './wire-proxy.js';

type Where = { url: string; port: number };

/** A server process of the cluster. */
export type ClusterNode = Where & Node & { kill(): Promise<void> };

export interface Cluster {
  /** Registers clients and accounts; asked at its URL, the balancer chooses the node. */
  readonly registry: TestApp;
  readonly balancer: WireProxy;
  readonly a: ClusterNode;
  readonly b: ClusterNode;
  /** The registry's own server. */
  readonly c: Where;
  /** Alternates between the processes. */
  either(turn: number): Where;
  /** One process more; the balancer does not know it yet. */
  join(): Promise<ClusterNode>;
  stop(): Promise<void>;
}

export async function startCluster(env: Record<string, string> = {}): Promise<Cluster> {
  const balancer = await startWireProxy();
  const registry = await startApp({ PUBLIC_URL: `http://localhost:${balancer.port}`, ...env });
  const { url, database } = registry;
  const nodes: ClusterNode[] = [];
  const join = async () => {
    const node = await startNode({ databaseUrl: database.url, publicUrl: url, env });
    const kill = async () => {
      if (node.process.kill('SIGKILL')) await once(node.process, 'exit');
    };
    const joined = { ...node, url, kill };
    nodes.push(joined);
    return joined;
  };
  const [a, b] = await Promise.all([join(), join()]);
  const c = { url, port: registry.config.port };
  balancer.backends = [a.port, b.port, c.port];
  return {
    registry,
    balancer,
    a,
    b,
    c,
    join,
    either: (turn) => (turn % 2 === 0 ? a : b),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await registry.stop();
      await balancer.stop();
    },
  };
}
