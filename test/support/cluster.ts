/** Two server processes on one database, as behind a balancer; and the app in this process that registers for them. */
import { type Node, startApp, startNode, type TestApp } from './start-app.js';

type Where = { url: string; port: number };

export interface Cluster {
  /** Registers clients and accounts; its own server takes no part. */
  readonly registry: TestApp;
  readonly a: Where & Node;
  readonly b: Where & Node;
  /** Alternates between the nodes. */
  either(turn: number): Where;
  stop(): Promise<void>;
}

export async function startCluster(env: Record<string, string> = {}): Promise<Cluster> {
  const registry = await startApp();
  const node = async () => {
    const started = await startNode({ databaseUrl: registry.database.url, publicUrl: registry.url, env });
    return { ...started, url: registry.url };
  };
  const [a, b] = await Promise.all([node(), node()]);
  return {
    registry,
    a,
    b,
    either: (turn) => (turn % 2 === 0 ? a : b),
    async stop() {
      await Promise.all([a.stop(), b.stop()]);
      await registry.stop();
    },
  };
}
