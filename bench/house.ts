/** One to three server processes on one database, a site of each dialect, and as many signed-in phones as wanted. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createServices, type Services } from '../src/app.js';
import { loadConfig } from '../src/config.js';
import { type Database, openDatabase } from '../src/database/database.js';
import type { Statement } from '../src/database/statement.js';
import { hashSecret, newSecret } from '../src/secret.js';
import { signIn } from '../test/support/phone.js';
import { freePort } from '../test/support/start-app.js';
import type { Postgres } from './private-postgres.js';
import { type RunningServer, SERVER_PROGRAM, startServer } from './server-process.js';
import { type Site, sitesOf } from './site.js';

/** One server process; `ask` has its probe answer. */
export interface BenchNode {
  readonly port: number;
  readonly pid: number;
  ask<T>(question: 'memory' | 'collected' | 'queries' | 'profile' | 'profiled'): Promise<T>;
}

export interface BenchHouse {
  /** What all nodes answer as. */
  readonly url: string;
  readonly nodes: readonly [BenchNode, ...BenchNode[]];
  readonly postgres: Postgres;
  readonly database: Database;
  readonly sites: { readonly oauth: Site; readonly wechat: Site };
  /** Cookies of phones, each of a person of its own; a person scans ten times in ten minutes at most. */
  phones(count: number): Promise<string[]>;
  stop(): Promise<void>;
}

/** Nothing that is measured is to meet a limit: all load comes from one machine. */
const SETTINGS = {
  DEMO: 'on',
  LOG_LEVEL: 'silent',
  TICKET_SECONDS: '300',
  WAITERS_PER_ADDRESS: '100000',
  WAITERS_PER_NODE: '100000',
  TICKETS_PER_ADDRESS: '100000',
  TICKETS_PER_CLIENT: '1000000',
  TICKETS_IN_ALL: '1000000',
};

export async function openHouse(
  postgres: Postgres,
  nodeCount = 1,
  settings: Record<string, string> = {},
): Promise<BenchHouse> {
  const port = await freePort();
  const env = {
    ...SETTINGS,
    ...settings,
    DATABASE_URL: postgres.url,
    PUBLIC_URL: `http://localhost:${port}`,
    HOST: '127.0.0.1',
  };
  const servers: RunningServer[] = [];
  const nodes: BenchNode[] = [];
  let services: (Services & { close(): Promise<void> }) | undefined;
  let database: Database | undefined;
  const stop = async () => {
    await services?.close();
    await database?.close();
    for (const server of servers.splice(0)) await server.stop();
  };
  try {
    for (let i = 0; i < nodeCount; i++) {
      const at = i === 0 ? port : await freePort();
      servers.push(await startNode(at, { ...env, DEMO_PORT: String(await freePort()) }));
      nodes.push(nodeOf(servers[i] as RunningServer, at));
    }
    const opened = openDatabase(postgres.url);
    database = opened;
    const served = await createServices(loadConfig({ ...env, PORT: String(port) }), postgres.url);
    services = served;
    const url = env.PUBLIC_URL;
    return {
      url,
      nodes: nodes as [BenchNode, ...BenchNode[]],
      postgres,
      database,
      sites: await sitesOf(services),
      phones: (count) => signedInPhones(opened, served, { url, port }, count),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNode(port: number, env: Record<string, string>): Promise<RunningServer> {
  const probe = fileURLToPath(new URL('./probe.mjs', import.meta.url));
  return startServer(port, env, [process.execPath, '--expose-gc', '--import', probe, SERVER_PROGRAM], { ipc: true });
}

function nodeOf({ child }: RunningServer, port: number): BenchNode {
  let asked = 0;
  const waiting = new Map<number, (answer: never) => void>();
  child.on('message', ({ id, answer }: { id: number; answer: never }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  return {
    port,
    pid: child.pid as number,
    ask: (question) =>
      new Promise((resolve) => {
        asked += 1;
        waiting.set(asked, resolve);
        child.send({ id: asked, ask: question });
      }),
  };
}

// The rows of one person who signed in with a password, again and again under other names: hashing passwords would take minutes.
const MORE_ACCOUNTS: Statement = {
  name: 'bench-accounts',
  text: `INSERT INTO account SELECT more.* FROM account a, unnest($2::text[]) AS new (id),
           jsonb_populate_record(a, jsonb_build_object('id', new.id, 'username', new.id)) AS more WHERE a.id = $1`,
};
const MORE_SESSIONS: Statement = {
  name: 'bench-sessions',
  text: `INSERT INTO phone_session SELECT more.* FROM phone_session s, unnest($2::text[], $3::text[]) AS new (id, hash),
           jsonb_populate_record(s, jsonb_build_object('id', new.id, 'account_id', new.id, 'secret_hash', new.hash)) AS more
         WHERE s.account_id = $1`,
};

async function signedInPhones(
  database: Database,
  { accounts }: Services,
  where: { url: string; port: number },
  count: number,
): Promise<string[]> {
  const [username, password] = [`bench${randomBytes(6).toString('hex')}`, randomBytes(12).toString('hex')];
  const { id } = await accounts.create('bench', { username, password, nickname: '张三😀' });
  const first = await signIn(where, username, password);
  const [cookieName] = first.cookie.split('=');
  const ids = Array.from({ length: count }, () => newSecret(16).toLowerCase());
  const secrets = ids.map(() => newSecret());
  await database.query(MORE_ACCOUNTS, [id, ids]);
  await database.query(MORE_SESSIONS, [id, ids, secrets.map(hashSecret)]);
  return secrets.map((secret) => `${cookieName}=${secret}`);
}
