/** What does a poll for an unchanged ticket cost, and what would a hundred thousand pages need that ask every three seconds? */
import { type BenchHouse, openHouse } from './house.js';
import { closedLoop, openSender } from './load.js';
import { type OpenTicket, open, waiting } from './login.js';
import type { Postgres } from './private-postgres.js';
import { cpuOf } from './server-process.js';
import { median, type Table } from './table.js';

const TICKETS = 64;
const ROUNDS = 5;
const PER_ROUND = 4000;
const PAGES = 100_000;
const EVERY_SECONDS = 3;

export async function polling(postgres: Postgres): Promise<Table> {
  const house = await openHouse(postgres);
  try {
    const [node] = house.nodes;
    const tickets = await openTickets(house);
    const rounds: Array<Record<'perSecond' | 'p50' | 'p99' | 'server' | 'database' | 'queries', number>> = [];
    for (let round = 0; round <= ROUNDS; round++) {
      await node.ask('queries');
      const [server, database] = [cpuOf(node.pid), postgres.cpu()];
      const { failed, ...load } = await closedLoop(house.url, PER_ROUND, async (send) => {
        const { status, text } = await send(waiting(tickets[Math.floor(Math.random() * TICKETS)] as OpenTicket));
        return status === 200 && text.includes('"pending"');
      });
      if (failed > 0) throw new Error(`${failed} of ${PER_ROUND} polls failed`);
      const queries = await node.ask<Record<string, number>>('queries');
      // The first round warms everything up.
      if (round === 0) continue;
      rounds.push({
        ...load,
        server: ((cpuOf(node.pid) - server) * 1000) / PER_ROUND,
        database: ((postgres.cpu() - database) * 1000) / PER_ROUND,
        queries: Object.values(queries).reduce((sum, n) => sum + n, 0) / PER_ROUND,
      });
    }
    const of = (what: keyof (typeof rounds)[number]) => median(rounds.map((round) => round[what]));
    const needed = PAGES / EVERY_SECONDS;
    const cores = (ms: number) => ((needed * ms) / 1000).toFixed(1);
    return {
      title: 'Polling',
      note: `${ROUNDS} rounds of ${PER_ROUND} polls of unchanged tickets, 32 in flight, one server process; medians. On paper: ${PAGES.toLocaleString('en')} pages that ask every ${EVERY_SECONDS} s are ${needed.toFixed(0)} polls/s, at this cost each.`,
      columns: ['polls /s', 'p50 / p99 ms', 'server CPU ms', 'Postgres CPU ms', 'statements', 'on paper'],
      rows: [
        [
          of('perSecond').toFixed(0),
          `${of('p50').toFixed(1)} / ${of('p99').toFixed(1)}`,
          of('server').toFixed(3),
          of('database').toFixed(3),
          of('queries').toFixed(2),
          `${cores(of('server'))} cores for nodes, ${cores(of('database'))} for Postgres`,
        ],
      ],
    };
  } finally {
    await house.stop();
  }
}

async function openTickets(house: BenchHouse): Promise<OpenTicket[]> {
  const { send, close } = openSender(house.url, { lanes: 4 });
  const tickets: OpenTicket[] = [];
  for (let i = 0; i < TICKETS; i++) tickets.push(await open(send, { site: house.sites.oauth }));
  close();
  return tickets;
}
