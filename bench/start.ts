/** How long does a first and a second start take, and what do server and private Postgres hold while idle? */
import { rmSync } from 'node:fs';
import { memoryOf, newDataDir, postgresPids, startServer } from './server-process.js';
import { median, type Table } from './table.js';

const SECOND_STARTS = 5;
const IDLE_MS = 5_000;

export async function start(): Promise<Table> {
  const dataDir = newDataDir();
  const env = { DATA_DIR: dataDir, DEMO_PORT: '3465', LOG_LEVEL: 'info' };
  // As a user starts it: npm, the freshness check of the build, the server.
  const command = ['npm', 'start', '--silent'];
  const first = await startServer(3464, env, command);
  await first.stop();
  const seconds: number[] = [];
  for (let i = 0; i < SECOND_STARTS; i++) {
    const again = await startServer(3464, env, command);
    seconds.push(again.startMs);
    await again.stop();
  }
  const idle = await startServer(3464, env);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const server = memoryOf(idle.child.pid as number);
  const postgres = postgresPids(dataDir).reduce((sum, pid) => sum + memoryOf(pid).pss, 0);
  await idle.stop();
  rmSync(dataDir, { recursive: true, force: true });
  return {
    title: 'Start and idle',
    note: `npm start to /health/ready; second start: median of ${SECOND_STARTS}. Memory ${IDLE_MS / 1000} s after start, demo site included; Postgres as the sum of its processes' proportional shares.`,
    columns: ['what', 'figure'],
    rows: [
      ['first start (initdb, migrations, keys)', `${(first.startMs / 1000).toFixed(2)} s`],
      ['second start', `${(median(seconds) / 1000).toFixed(2)} s`],
      ['server, idle, RSS', `${server.rss.toFixed(0)} MB`],
      ['server, idle, PSS', `${server.pss.toFixed(0)} MB`],
      ['private Postgres, idle, PSS', `${postgres.toFixed(0)} MB`],
    ],
  };
}
