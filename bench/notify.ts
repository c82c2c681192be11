/** How many tickets a second may move until the nodes hear of it late? LISTEN/NOTIFY and the reading after it, on one machine. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '../src/database/database.js';
import type { Statement } from '../src/database/statement.js';
import { newSecret } from '../src/secret.js';
import { createNudge } from '../src/ticket/nudge.js';
import type { Postgres } from './private-postgres.js';
import { percentile, type Table } from './table.js';

const LISTENERS = [1, 2, 4] as const;
const RATES = [250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 12_000];
const SECONDS = 2;
/** Part of the offered rate that must get through for a higher one to be tried. */
const ENOUGH = 0.8;
/** So many that one rests for half a second before it moves again, and no news is lost in the next. */
const TICKETS = 8000;

interface Cell {
  readonly reached: number;
  readonly p50: number;
  readonly p99: number;
}

export async function notify(postgres: Postgres): Promise<Table> {
  const database = openDatabase(postgres.url);
  await database.migrate();
  const cells = new Map<string, Cell>();
  try {
    for (const count of LISTENERS) {
      const ids = await openTickets(database);
      const listeners = await Promise.all(Array.from({ length: count }, () => startListener(postgres.url, ids)));
      try {
        await move(database, ids, listeners, 200);
        for (const rate of RATES) {
          const cell = await move(database, ids, listeners, rate);
          cells.set(`${rate} ${count}`, cell);
          // Far past the bend everything only waits.
          if (cell.reached < rate * ENOUGH) break;
        }
      } finally {
        for (const listener of listeners) listener.kill();
      }
    }
  } finally {
    await database.close();
  }
  return {
    title: 'Nudges between nodes',
    note: `Offered rates for ${SECONDS} s each: a change is one UPDATE and its nudge, all from one process; ${TICKETS} tickets are watched by every listener, each a process with the watcher of a node. p50 / p99 in ms from the change being sent until a listener has read it; in brackets the changes a second that got through. Everything shares one machine: the bend is the processor's, NOTIFY's own comes later.`,
    columns: ['changes /s', ...LISTENERS.map((count) => `${count} listener${count > 1 ? 's' : ''}`)],
    rows: RATES.map((rate) => [
      String(rate),
      ...LISTENERS.map((count) => {
        const cell = cells.get(`${rate} ${count}`);
        if (!cell) return '–';
        const { p50, p99, reached } = cell;
        return `${p50.toFixed(1)} / ${p99.toFixed(1)} (${reached.toFixed(0)})`;
      }),
    ]),
  };
}

const OPEN: Statement = {
  name: 'bench-open-tickets',
  text: `INSERT INTO ticket (id, door, request_uid, client_id, match_required, status, scan_token_hash, wait_secret_hash,
           opened_from, created_at, expires_at, request_ends_at)
         SELECT id, 'embed', id, 'none', false, 'pending', id, id, '{}', now(), now() + interval '5 minutes',
           now() + interval '10 minutes' FROM unnest($1::text[]) AS new (id)`,
};
/** There and back again: no ticket is ever over. */
const MOVE: Statement = {
  name: 'bench-move-ticket',
  text: `UPDATE ticket SET revision = revision + 1, status = CASE status WHEN 'pending' THEN 'scanned' ELSE 'pending' END
         WHERE id = $1`,
};

async function openTickets(database: Database): Promise<string[]> {
  const ids = Array.from({ length: TICKETS }, () => newSecret(16));
  await database.query(OPEN, [ids]);
  return ids;
}

async function startListener(databaseUrl: string, ids: string[]): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./listener.ts', import.meta.url));
  const listener = fork(program, [databaseUrl], { execArgv: ['--import', 'tsx'] });
  listener.send(ids);
  const ended = once(listener, 'exit').then(([status]) => Promise.reject(new Error(`a listener ended with ${status}`)));
  await Promise.race([once(listener, 'message'), ended]);
  ended.catch(() => {});
  return listener;
}

async function move(database: Database, ids: string[], listeners: ChildProcess[], rate: number): Promise<Cell> {
  const nudge = await createNudge(database, (error) => console.error(error));
  const sent = new Map<string, number>();
  const under = new Set<Promise<void>>();
  const began = performance.now();
  let [begun, turn, moved, lastAt] = [0, 0, 0, began];
  while (performance.now() - began < SECONDS * 1000) {
    const wanted = Math.min(SECONDS * rate, Math.floor(((performance.now() - began) * rate) / 1000));
    for (; begun < wanted; begun++) {
      const id = ids[turn++ % ids.length] as string;
      sent.set(id, Number(process.hrtime.bigint() / 1000n));
      const one = database.query(MOVE, [id]).then(
        async () => {
          await nudge.publish(id);
          moved += 1;
          lastAt = performance.now();
        },
        // It waited too long to be answered; whatever is over the limit does not get through.
        () => {},
      );
      under.add(one);
      void one.finally(() => under.delete(one));
    }
    await delay(1);
  }
  await Promise.all(under);
  // Whatever was lost is found by the next re-read.
  await delay(2_300);
  const times: number[] = [];
  for (const listener of listeners) {
    listener.send('told?');
    const [told] = (await once(listener, 'message')) as [Array<[string, number]>];
    const last = new Map(told);
    for (const [id, at] of sent) {
      const heard = last.get(id);
      if (heard !== undefined && heard >= at) times.push((heard - at) / 1000);
    }
  }
  await nudge.close();
  return { reached: (moved * 1000) / (lastAt - began), p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
