/** How many whole QR logins a second: open, scan, confirm, redeem, exchange, userinfo; and where their time goes. */
import { type BenchHouse, openHouse } from './house.js';
import { closedLoop, openSender, type Send } from './load.js';
import { login, STEPS, type Step } from './login.js';
import type { Postgres } from './private-postgres.js';
import { type Profile, sharesOf } from './profile.js';
import { cpuOf } from './server-process.js';
import { median, type Table } from './table.js';

const ROUNDS = 4;
const PER_ROUND = 300;
const IN_FLIGHT = 16;
const ONE_BY_ONE = 60;
const DIALECTS = ['oauth', 'wechat'] as const;
type Dialect = (typeof DIALECTS)[number];

export async function logins(postgres: Postgres): Promise<Table[]> {
  const house = await openHouse(postgres);
  try {
    const phones = await house.phones(Math.ceil((DIALECTS.length * ((ROUNDS + 2) * PER_ROUND + 2 * ONE_BY_ONE)) / 9));
    let turn = 0;
    const one = (dialect: Dialect) => (send: Send) =>
      login(send, { url: house.url, site: house.sites[dialect], phone: phones[turn++ % phones.length] as string });
    const rates = await measureRates(house, one);
    return [
      rates,
      await measureSteps(house, () => phones[turn++ % phones.length] as string),
      await profile(house, one),
    ];
  } finally {
    await house.stop();
  }
}

type OneOf = (dialect: Dialect) => (send: Send) => Promise<void>;

async function measureRates({ url, nodes: [node], postgres }: BenchHouse, one: OneOf): Promise<Table> {
  const rows = new Map<Dialect, Record<'perSecond' | 'p50' | 'p99' | 'server' | 'database', number[]>>();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const dialect of DIALECTS) {
      const [server, database] = [cpuOf(node.pid), postgres.cpu()];
      const run = one(dialect);
      const { perSecond, p50, p99 } = await closedLoop(url, PER_ROUND, (send) => run(send).then(() => true), IN_FLIGHT);
      // The first round warms everything up.
      if (round === 0) continue;
      const row = rows.get(dialect) ?? { perSecond: [], p50: [], p99: [], server: [], database: [] };
      rows.set(dialect, row);
      row.perSecond.push(perSecond);
      row.p50.push(p50);
      row.p99.push(p99);
      row.server.push(((cpuOf(node.pid) - server) * 1000) / PER_ROUND);
      row.database.push(((postgres.cpu() - database) * 1000) / PER_ROUND);
    }
  }
  return {
    title: 'Whole QR logins',
    note: `${ROUNDS} rounds of ${PER_ROUND}, ${IN_FLIGHT} in flight, one server process, Postgres and the load generator on the same cores; medians. A login: ${STEPS.length} requests (${STEPS.join(', ')}), the waiting page's own apart.`,
    columns: ['', 'logins /s', 'p50 ms', 'p99 ms', 'server CPU ms', 'Postgres CPU ms'],
    rows: [...rows].map(([dialect, row]) => [
      dialect,
      median(row.perSecond).toFixed(0),
      median(row.p50).toFixed(0),
      median(row.p99).toFixed(0),
      median(row.server).toFixed(1),
      median(row.database).toFixed(1),
    ]),
  };
}

/** One login at a time, so that whatever the server does meanwhile is for this step. */
async function measureSteps({ url, nodes: [node], sites }: BenchHouse, phone: () => string): Promise<Table> {
  const cells = new Map<string, string[]>(STEPS.map((step) => [step, []]));
  const sums = ['all'];
  for (const dialect of DIALECTS) {
    const times = new Map<Step, number[]>(STEPS.map((step) => [step, []]));
    const statements = new Map<Step, Record<string, number>>();
    const { send, close } = openSender(url, { lanes: 1 });
    for (let i = 0; i < ONE_BY_ONE; i++) {
      await node.ask('queries');
      await login(send, {
        url,
        site: sites[dialect],
        phone: phone(),
        async timed(step, work) {
          const began = performance.now();
          const answer = await work();
          times.get(step)?.push(performance.now() - began);
          statements.set(step, await node.ask<Record<string, number>>('queries'));
          return answer;
        },
      });
    }
    close();
    let [count, ms] = [0, 0];
    for (const step of STEPS) {
      const sent = statements.get(step) ?? {};
      const number = Object.values(sent).reduce((sum, n) => sum + n, 0);
      const time = median(times.get(step) ?? []);
      count += number;
      ms += time;
      const names = Object.entries(sent).map(([name, n]) => (n > 1 ? `${name} ×${n}` : name));
      cells.get(step)?.push(time.toFixed(1), String(number), names.join(', '));
    }
    sums.push(ms.toFixed(1), String(count), '');
  }
  return {
    title: 'The steps of a login',
    note: `${ONE_BY_ONE} logins, one after the other: median ms of each request, and the statements of the last one.`,
    columns: ['', ...DIALECTS.flatMap((dialect) => [`${dialect} ms`, 'statements', 'which'])],
    rows: [...[...cells].map(([step, row]) => [step, ...row]), sums],
  };
}

async function profile({ url, nodes: [node] }: BenchHouse, one: OneOf): Promise<Table> {
  await node.ask('profile');
  for (const dialect of DIALECTS) {
    const run = one(dialect);
    await closedLoop(url, PER_ROUND, (send) => run(send).then(() => true), IN_FLIGHT);
  }
  const shares = sharesOf(await node.ask<Profile>('profiled'));
  return {
    title: "Where a login's time goes",
    note: `V8 profile of the server during ${PER_ROUND} logins of each dialect, ${IN_FLIGHT} in flight: self time in % of the time in which it worked.`,
    columns: ['whose code', '%', 'most of it'],
    rows: shares
      .slice(0, 12)
      .map(({ group, part, most }) => [group, (part * 100).toFixed(1), most.join(', ').replaceAll('|', '')]),
  };
}
