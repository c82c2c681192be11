/**
 * How long after "Allow" does the waiting page know, by each transport: on one node, and with the page on one node and the
 * phone on another; with nothing else going on, and with a thousand logins a minute?
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchHouse, openHouse } from './house.js';
import { openSender, type Send } from './load.js';
import { good, login, open, type ScannedTicket, scan, waiting as statusRequest } from './login.js';
import type { Postgres } from './private-postgres.js';
import { HELD, openRawPage, type RawPage } from './raw-page.js';
import { percentile, type Table } from './table.js';

const SAMPLES = 250;
const POLLED = 100;
/** Between two confirmations. */
const APART_MS = 12;
const LOGINS_PER_MINUTE = 1000;
/** What a page does that cannot be held. */
const POLL_MS = 3_000;

const TRANSPORTS = [...HELD, 'poll'] as const;
type Transport = (typeof TRANSPORTS)[number];

/** Milliseconds from the phone's request being sent, and from its answer: a page may know before the phone does. */
type Delays = Record<Transport, { sent: number[]; answered: number[] }>;

export async function waiting(postgres: Postgres): Promise<Table> {
  const cells: Delays[] = [];
  const loads: string[] = [];
  for (const nodeCount of [1, 2]) {
    const house = await openHouse(postgres, nodeCount);
    try {
      await measure(house, 30);
      cells.push(await measure(house, SAMPLES));
      const traffic = startTraffic(house);
      try {
        cells.push(await measure(house, SAMPLES));
      } finally {
        loads.push(`${(await traffic.stop()).toFixed(0)}`);
      }
    } finally {
      await house.stop();
    }
  }
  const shown = (times: number[]) => `${percentile(times, 0.5).toFixed(1)} / ${percentile(times, 0.99).toFixed(1)}`;
  const busy = `${LOGINS_PER_MINUTE} logins/min`;
  return {
    title: 'From "Allow" to the waiting page',
    note: [
      `p50 / p99 in ms of ${SAMPLES} confirmations a cell (poll: ${POLLED}), one every ${APART_MS} ms or when the one before is through; the transports take turns.`,
      'From the request of the phone being sent to the message at the page; in the second half from its 200, negative when the page knew first.',
      `Two nodes: the page waits at one, the phone allows at the other. Logins meanwhile at the node of the phone, whole ones of both dialects: ${loads.join(' and ')}/min were reached. A page that polls asks every ${POLL_MS / 1000} s.`,
    ].join(' '),
    columns: ['', 'one node', `one node, ${busy}`, 'two nodes', `two nodes, ${busy}`],
    rows: (['sent', 'answered'] as const).flatMap((from) =>
      TRANSPORTS.map((transport) => [
        `${transport}, from the request${from === 'sent' ? '' : "'s 200"}`,
        ...cells.map((cell) => shown(cell[transport][from])),
      ]),
    ),
  };
}

async function measure(house: BenchHouse, samples: number): Promise<Delays> {
  const delays = Object.fromEntries(TRANSPORTS.map((name) => [name, { sent: [], answered: [] }])) as unknown as Delays;
  const [phoneNode, pageNode = phoneNode] = house.nodes;
  const atPhone = openSender(house.url, { port: phoneNode.port, lanes: 8 });
  const atPage = openSender(house.url, { port: pageNode.port, lanes: 8 });
  try {
    const polled = Math.min(POLLED, samples);
    const turns = Array.from({ length: samples }, (_, i) =>
      TRANSPORTS.filter((transport) => transport !== 'poll' || i < polled),
    ).flat();
    const tickets = await scannedTickets(house, atPhone.send, turns.length);
    const pages: Array<Promise<void>> = [];
    const knownAt: Array<Promise<number>> = [];
    for (const [i, transport] of turns.entries()) {
      const page = waitFor(house.url, pageNode.port, transport, tickets[i] as ScannedTicket, atPage.send);
      // When something else fails before, that is what is told.
      page.confirmedAt.catch(() => {});
      knownAt.push(page.confirmedAt);
      pages.push(page.ready);
    }
    await Promise.all(pages);
    // A long poll's first answer was "scanned"; by now its next request is held.
    await delay(500);
    for (const [i, transport] of turns.entries()) {
      const { confirm } = tickets[i] as ScannedTicket;
      const sent = performance.now();
      good('confirm', await atPhone.send(confirm));
      const answered = performance.now();
      const known = knownAt[i]?.then((at) => {
        delays[transport].sent.push(at - sent);
        delays[transport].answered.push(at - answered);
      });
      if (transport !== 'poll') await known;
      await delay(Math.max(0, APART_MS - (performance.now() - sent)));
    }
    await Promise.all(knownAt);
    return delays;
  } finally {
    atPhone.close();
    atPage.close();
  }
}

async function scannedTickets(house: BenchHouse, send: Send, count: number): Promise<ScannedTicket[]> {
  const phones = await house.phones(Math.ceil(count / 9));
  const tickets: ScannedTicket[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      const site = i % 2 === 0 ? house.sites.oauth : house.sites.wechat;
      const phone = phones[i % phones.length] as string;
      tickets.push(await scan(send, { url: house.url, phone, opened: await open(send, { site }) }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return tickets;
}

function waitFor(url: string, port: number, transport: Transport, ticket: ScannedTicket, send: Send) {
  if (transport === 'poll') return { ready: Promise.resolve(), confirmedAt: poll(ticket, send) };
  let page: RawPage | undefined;
  const confirmedAt = new Promise<number>((resolve, reject) => {
    page = openRawPage(transport, {
      url,
      port,
      ticket,
      onStatus(status, at) {
        if (status !== 'confirmed') return;
        resolve(at);
        page?.close();
      },
      onClose: () => reject(new Error(`${transport}: closed before it was told`)),
    });
  });
  return { ready: page?.ready ?? Promise.resolve(), confirmedAt };
}

async function poll(ticket: ScannedTicket, send: Send): Promise<number> {
  // Pages did not open together.
  await delay(Math.random() * POLL_MS);
  for (;;) {
    const { text } = await send(statusRequest(ticket));
    if (text.includes('"confirmed"')) return performance.now();
    await delay(POLL_MS);
  }
}

/** Whole logins at an even pace, whatever happens to them. */
function startTraffic(house: BenchHouse): { stop(): Promise<number> } {
  const { send, close } = openSender(house.url, { port: house.nodes[0].port, lanes: 16 });
  const began = performance.now();
  const under = new Set<Promise<void>>();
  let phones: string[] = [];
  let [done, turn] = [0, 0];
  let failure: unknown;
  const ready = house.phones(400).then((cookies) => {
    phones = cookies;
  });
  const clock = setInterval(() => {
    if (phones.length === 0) return;
    turn += 1;
    const phone = phones[turn % phones.length] as string;
    const one = login(send, { url: house.url, site: turn % 2 ? house.sites.oauth : house.sites.wechat, phone }).then(
      () => {
        done += 1;
      },
      (error: unknown) => {
        failure ??= error;
      },
    );
    under.add(one);
    void one.finally(() => under.delete(one));
  }, 60_000 / LOGINS_PER_MINUTE);
  return {
    async stop() {
      clearInterval(clock);
      await ready;
      await Promise.all(under);
      close();
      if (failure) throw failure;
      return (done * 60_000) / (performance.now() - began);
    },
  };
}
