/** What does one address that opens waiting pages without end cost the others (T76): rows, memory, the time of their logins? */
import { setTimeout as delay } from 'node:timers/promises';
import type { Statement } from '../src/database/statement.js';
import { type BenchHouse, openHouse } from './house.js';
import { openSender } from './load.js';
import { login } from './login.js';
import type { Postgres } from './private-postgres.js';
import { memoryOf } from './server-process.js';
import { percentile, type Table } from './table.js';

const SECONDS = 30;
const FLOODER = '127.0.0.99';
/** Pages it asks for at the same moment. */
const FLOODING = 16;
/** Others sign in this often, in milliseconds, from so many addresses: each may open a hundred codes. */
const LOGIN_EVERY_MS = 200;
const ADDRESSES = 8;

/** As an operator gets them who sets nothing. */
const LIMITS = { TICKETS_PER_ADDRESS: '100', TICKETS_PER_CLIENT: '10000', TICKETS_IN_ALL: '50000' };

const LIVE: Statement = {
  name: 'bench-live',
  text: 'SELECT count(*)::int AS live FROM ticket WHERE address_key = $1 AND expires_at > now()',
};

export async function flood(postgres: Postgres): Promise<Table> {
  const house = await openHouse(postgres, 1, LIMITS);
  try {
    const [node] = house.nodes;
    const phones = await house.phones(Math.ceil((SECONDS * 1000 * 2) / LOGIN_EVERY_MS / 8));
    let turn = 0;
    const phone = () => phones[turn++ % phones.length] as string;
    await logins(house, 5, phone);
    const quiet = await logins(house, SECONDS / 3, phone);
    await node.ask('collected');
    const rss = memoryOf(node.pid).rss;
    const [asked, busy] = await Promise.all([floods(house), logins(house, SECONDS, phone)]);
    const grown = memoryOf(node.pid).rss - rss;
    const [row] = await house.database.query<{ live: number }>(LIVE, [FLOODER]);
    const shown = (times: number[]) =>
      `${percentile(times, 0.5).toFixed(1)} / ${percentile(times, 0.99).toFixed(1)} ms`;
    return {
      title: 'One address that opens pages without end',
      note: `${SECONDS} s, ${FLOODING} in flight, as fast as they are answered, on the same two cores as all the rest; meanwhile others sign in from ${ADDRESSES} addresses, a whole login each ${LOGIN_EVERY_MS} ms. Limits as they are unless set. Live: its rows in the ticket table at the end. RSS as it stands, garbage included.`,
      columns: ['pages asked for /s', 'opened', 'live', 'login p50 / p99 before', 'meanwhile', 'RSS grown'],
      rows: [
        [
          (asked.count / SECONDS).toFixed(0),
          String(asked.opened),
          String(row?.live),
          shown(quiet),
          shown(busy),
          `${grown.toFixed(0)} MB`,
        ],
      ],
    };
  } finally {
    await house.stop();
  }
}

async function floods({ url, sites }: BenchHouse): Promise<{ count: number; opened: number }> {
  const { send, close } = openSender(url, { lanes: FLOODING, from: FLOODER });
  const end = performance.now() + SECONDS * 1000;
  let [count, opened] = [0, 0];
  const lane = async () => {
    while (performance.now() < end) {
      const { status } = await send(sites.oauth.page());
      count += 1;
      if (status === 200) opened += 1;
      else if (status !== 429) throw new Error(`a page was answered with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: FLOODING }, lane));
  close();
  return { count, opened };
}

/** Milliseconds of each login begun in so many seconds, at an even pace. */
async function logins({ url, sites }: BenchHouse, seconds: number, phone: () => string): Promise<number[]> {
  const senders = Array.from({ length: ADDRESSES }, (_, i) => openSender(url, { lanes: 4, from: `127.0.0.${2 + i}` }));
  const one = async (i: number): Promise<number> => {
    const { send } = senders[i % ADDRESSES] as (typeof senders)[number];
    const started = performance.now();
    await login(send, { url, site: i % 2 === 0 ? sites.oauth : sites.wechat, phone: phone() });
    return performance.now() - started;
  };
  const under: Promise<number>[] = [];
  for (let i = 0; i < (seconds * 1000) / LOGIN_EVERY_MS; i++) {
    under.push(one(i));
    await delay(LOGIN_EVERY_MS);
  }
  const times = await Promise.all(under);
  for (const { close } of senders) close();
  return times;
}
