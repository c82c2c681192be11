/** A running server on a free port and a database of its own, in this process; and further nodes as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type App, createApp } from '../../src/app.js';
import { type Config, loadConfig } from '../../src/config.js';
import { createLogger } from '../../src/log.js';
import { projectRoot } from '../../src/project-root.js';
import { createTestDatabase, type TestDatabase } from './database.js';

export interface TestApp {
  readonly app: App;
  readonly config: Config;
  /** The issuer, http://localhost:PORT. */
  readonly url: string;
  readonly database: TestDatabase;
  /** Everything logged so far, at debug level. */
  log(): string;
  stop(): Promise<void>;
}

/** Tests play everybody from one address; what is tried at the limits sets its own. */
const LIMITS = { TICKETS_PER_ADDRESS: '100000' };

/** On a fresh database of the run's server, unless another is given. */
export async function startApp(settings: Record<string, string> = {}, given?: TestDatabase): Promise<TestApp> {
  // Keys that were stored in the open are no start for a server that seals them.
  const database = given ?? (await createTestDatabase({ keys: settings.KEYS_SECRET === undefined }));
  const port = await freePort();
  const config = loadConfig({
    PORT: String(port),
    DEMO: 'on',
    LOG_LEVEL: 'debug',
    DATABASE_URL: database.url,
    ...LIMITS,
    ...settings,
  });
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await createApp(config, database.url, createLogger('debug', sink));
  app.server.listen(config.port, '127.0.0.1');
  await once(app.server, 'listening');
  return {
    app,
    config,
    url: config.publicUrl,
    database,
    log: () => lines.join(''),
    async stop() {
      await app.stop();
      await database.drop();
    },
  };
}

export interface Node {
  /** Where this node listens; it answers under the cluster's public URL only. */
  readonly port: number;
  readonly process: ChildProcess;
  output(): string;
  stop(): Promise<void>;
}

/** A server process on `databaseUrl`, answering as `publicUrl`; ready when this resolves. */
export async function startNode(options: {
  databaseUrl: string;
  publicUrl: string;
  env?: Record<string, string>;
}): Promise<Node> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
    env: {
      PATH: process.env.PATH,
      // Who the database knows us as when its URL names nobody.
      ...(process.env.USER ? { USER: process.env.USER } : {}),
      ...(process.env.PGUSER ? { PGUSER: process.env.PGUSER } : {}),
      PORT: String(port),
      HOST: '127.0.0.1',
      PUBLIC_URL: options.publicUrl,
      DATABASE_URL: options.databaseUrl,
      LOG_LEVEL: 'debug',
      ...LIMITS,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`the node ended:\n${output}`);
      return (await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined))?.ok === true;
    },
    () => `the node is not ready:\n${output}`,
  );
  return {
    port,
    process: child,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Polls a condition; fails with `why` after 15 s. */
export async function until(condition: () => Promise<boolean> | boolean, why: string | (() => string)): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(typeof why === 'string' ? why : why());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Below what systems give to outgoing connections, and each process of the run has ports of its own: nobody else takes one before it is used. */
const PORTS = { first: 18_000, each: 2_800 };
const ownPorts = PORTS.first + (Number(process.env.VITEST_POOL_ID ?? 0) % 5) * PORTS.each;
let portTurn = Math.floor(Math.random() * PORTS.each);

export async function freePort(): Promise<number> {
  for (;;) {
    portTurn = (portTurn + 1) % PORTS.each;
    const port = ownPorts + portTurn;
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
