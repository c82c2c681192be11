/**
 * What do ten thousand waiting pages cost one node, by each transport: memory, processor while nothing happens, a new
 * login's time meanwhile, and the time to tell them all?
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Statement } from '../src/database/statement.js';
import { hashSecret, newSecret } from '../src/secret.js';
import { createNudge } from '../src/ticket/nudge.js';
import { type BenchHouse, type BenchNode, openHouse } from './house.js';
import { openSender } from './load.js';
import { login } from './login.js';
import type { Postgres } from './private-postgres.js';
import { HELD, type HeldTransport, openRawPage, type RawPage } from './raw-page.js';
import { cpuOf, memoryOf } from './server-process.js';
import { percentile, type Table } from './table.js';

const PAGES = 10_000;
/** As many addresses of this machine the pages come from. */
const ADDRESSES = 8;
/** Pages that open at the same moment. */
const OPENING = 50;
const TRIES = 5;
const LOGINS = 100;
const IDLE_MS = 8_000;

export async function held(postgres: Postgres): Promise<Table> {
  const rows: string[][] = [];
  for (const transport of HELD) {
    rows.push(await row(postgres, transport));
    // It takes a while; on a busy machine a long one.
    console.error(rows.at(-1)?.join(' | '));
  }
  return {
    title: `${PAGES.toLocaleString('en')} waiting pages on one node`,
    note: [
      'A server process a row, bare sockets from eight loopback addresses with the headers of a browser.',
      'RSS and heap a page: after collecting garbage, less what the server had after a hundred logins and pages; in brackets RSS as it stood.',
      `CPU idle: ${IDLE_MS / 1000} s, heartbeats and the re-read of all tickets every 2 s included, server + Postgres, in % of one core.`,
      `Login: ${LOGINS} whole ones, one after the other. Told: one UPDATE of all tickets, then their nudges; from the UPDATE sent to the last page.`,
      'After: RSS and heap once all pages hung up, less the same beginning.',
    ].join(' '),
    columns: [
      '',
      'RSS a page',
      'heap a page',
      'opened /s',
      'CPU idle',
      'login p50 / p99, nobody waits',
      'with all waiting',
      'all told: update, first, last',
      'after: RSS, heap',
    ],
    rows,
  };
}

async function row(postgres: Postgres, transport: HeldTransport): Promise<string[]> {
  const house = await openHouse(postgres);
  const pages: RawPage[] = [];
  try {
    const [node] = house.nodes;
    const phones = await house.phones(Math.ceil((LOGINS * 3) / 9));
    let turn = 0;
    const phone = () => phones[turn++ % phones.length] as string;
    // Everything has run once, and what runs once is loaded.
    await timeLogins(house, phone);
    await closeAll(await openAll(house, transport, 100));
    const before = await timeLogins(house, phone);
    const base = await node.ask<NodeJS.MemoryUsage>('collected');
    const rssBase = memoryOf(node.pid).rss;

    const began = performance.now();
    pages.push(...(await openAll(house, transport, PAGES)));
    const openedPerSecond = (PAGES * 1000) / (performance.now() - began);
    await delay(3_000);
    const asItStood = memoryOf(node.pid).rss;
    const full = await node.ask<NodeJS.MemoryUsage>('collected');
    const rssFull = memoryOf(node.pid).rss;
    const idle = await cpuWhile(node, postgres, () => delay(IDLE_MS));
    const meanwhile = await timeLogins(house, phone);
    const told = await tellAll(house, pages);
    await closeAll(pages);
    await delay(1_000);
    const after = await node.ask<NodeJS.MemoryUsage>('collected');
    const rssAfter = memoryOf(node.pid).rss;

    const kb = (mb: number) => `${((mb * 1024) / PAGES).toFixed(1)} KB`;
    const mb = (bytes: number) => bytes / 1024 / 1024;
    return [
      transport,
      `${kb(rssFull - rssBase)} (${kb(asItStood - rssBase)})`,
      kb(mb(heapOf(full) - heapOf(base))),
      openedPerSecond.toFixed(0),
      `${idle.server.toFixed(1)} + ${idle.postgres.toFixed(1)} %`,
      shown(before),
      shown(meanwhile),
      told
        .map((ms) => `${ms.toFixed(0)}`)
        .join(', ')
        .concat(' ms'),
      `${(rssAfter - rssBase).toFixed(0)} MB, ${mb(heapOf(after) - heapOf(base)).toFixed(1)} MB`,
    ];
  } finally {
    for (const page of pages) page.close();
    await house.stop();
  }
}

function heapOf({ heapUsed }: NodeJS.MemoryUsage): number {
  return heapUsed;
}

function shown(times: number[]): string {
  return `${percentile(times, 0.5).toFixed(1)} / ${percentile(times, 0.99).toFixed(1)} ms`;
}

const OPEN_TICKETS: Statement = {
  name: 'bench-open-tickets',
  text: `INSERT INTO ticket (id, door, request_uid, client_id, match_required, status, scan_token_hash, wait_secret_hash,
           opened_from, created_at, expires_at, request_ends_at)
         SELECT new.id, 'embed', new.id, $3, false, 'pending', 's' || new.id, new.hash, '{}', now(),
           now() + interval '5 minutes', now() + interval '10 minutes'
         FROM unnest($1::text[], $2::text[]) AS new (id, hash)`,
};

async function openAll(house: BenchHouse, transport: HeldTransport, count: number): Promise<RawPage[]> {
  const tickets = Array.from({ length: count }, () => ({ ticketId: newSecret(16), waitSecret: newSecret() }));
  const ids = tickets.map(({ ticketId }) => ticketId);
  const hashes = tickets.map(({ waitSecret }) => hashSecret(waitSecret));
  await house.database.query(OPEN_TICKETS, [ids, hashes, house.sites.oauth.clientId]);
  const pages: RawPage[] = [];
  let next = 0;
  const openOne = (i: number) =>
    openRawPage(transport, {
      url: house.url,
      port: house.nodes[0].port,
      ticket: tickets[i] as (typeof tickets)[number],
      from: `127.0.0.${2 + (i % ADDRESSES)}`,
    });
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      for (let tries = 1; ; tries++) {
        const page = openOne(i);
        try {
          await page.ready;
          pages.push(page);
          break;
        } catch (error) {
          // On a machine that is busy otherwise a 503 may come in between; a page of ours tries again as well.
          if (tries === TRIES) throw error;
          await delay(1_000);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: OPENING }, lane));
  return pages;
}

async function closeAll(pages: RawPage[]): Promise<void> {
  for (const page of pages.splice(0)) page.close();
  await delay(200);
}

async function timeLogins(house: BenchHouse, phone: () => string): Promise<number[]> {
  const { send, close } = openSender(house.url, { lanes: 1 });
  const times: number[] = [];
  for (let i = 0; i < LOGINS; i++) {
    const started = performance.now();
    await login(send, { url: house.url, site: i % 2 === 0 ? house.sites.oauth : house.sites.wechat, phone: phone() });
    times.push(performance.now() - started);
  }
  close();
  return times;
}

async function cpuWhile(node: BenchNode, postgres: Postgres, work: () => Promise<unknown>) {
  const [server, database, began] = [cpuOf(node.pid), postgres.cpu(), performance.now()];
  await work();
  const seconds = (performance.now() - began) / 1000;
  return {
    server: ((cpuOf(node.pid) - server) * 100) / seconds,
    postgres: ((postgres.cpu() - database) * 100) / seconds,
  };
}

const SCAN_ALL: Statement = {
  name: 'bench-scan-all',
  text: `UPDATE ticket SET revision = revision + 1, status = 'scanned', match_code = '42'
         WHERE door = 'embed' AND status = 'pending' AND opened_from = '{}' RETURNING id`,
};

/** Milliseconds until the UPDATE was answered, the first page knew, and the last one. */
async function tellAll({ database }: BenchHouse, pages: RawPage[]): Promise<[number, number, number]> {
  const nudge = await createNudge(database, (error) => console.error(error));
  const began = performance.now();
  const moved = (await database.query<{ id: string }>(SCAN_ALL)).map(({ id }) => id);
  const updated = performance.now() - began;
  for (const id of moved) void nudge.publish(id);
  const end = performance.now() + 20_000;
  while (pages.some(({ status }) => status !== 'scanned')) {
    if (performance.now() > end) throw new Error('not every page was told within 20 s');
    await delay(20);
  }
  const times = pages.map(({ toldAt }) => toldAt - began);
  await nudge.close();
  return [updated, Math.min(...times), Math.max(...times)];
}
