/** T77: pages that wait cost little, have an end, and leave nothing behind. */
import { connect, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type RawAnswer, send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp, until } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { eventsOf, longPollOf, socketOf, type Waiting } from '../support/transports.js';

const [PER_ADDRESS, PER_NODE] = [40, 110];
const NOTHING = { watched: 0, waiters: 0, beating: 0 };

describe('connections that are held', () => {
  let server: TestApp;
  let shop: WechatSite;
  let anna: Phone;
  const warnings: string[] = [];
  const warn = (warning: Error) => warnings.push(warning.message);
  beforeAll(async () => {
    process.on('warning', warn);
    server = await startApp({
      TRUSTED_PROXIES: 'loopback',
      WAITERS_PER_ADDRESS: String(PER_ADDRESS),
      WAITERS_PER_NODE: String(PER_NODE),
    });
    shop = await wechatSite(server.app, server);
    anna = await person(server.app, server);
  });
  beforeEach(() => forgetScans(server.database));
  // Whatever was tried, everything that it held is given back.
  afterEach(async () => {
    await until(
      () => server.app.held().waiters === 0,
      () => JSON.stringify(server.app.held()),
    );
    await until(
      () => Object.values(server.app.held()).every((count) => count === 0),
      () => JSON.stringify(server.app.held()),
    );
    expect(server.app.held()).toEqual(NOTHING);
    await until(async () => (await connections()) === 0, 'the server keeps connections');
    expect(warnings.filter((text) => /listener/i.test(text))).toEqual([]);
  });
  afterAll(async () => {
    process.off('warning', warn);
    await server?.stop();
  });

  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const pages = (count: number) => Promise.all(Array.from({ length: count }, () => openPage(server, shop.request())));
  /** One long poll, as a page's script sends it. */
  const poll = (page: WaitingPage, address: string, query = '?wait=25&seen=pending') =>
    send(`${server.url}/api/qr/tickets/${page.ticketId}${query}`, {
      headers: { authorization: `Bearer ${page.waitSecret}`, ...from(address) },
    });
  const hold = (turn: number, page: WaitingPage, address: string): Waiting =>
    turn % 2 === 0 ? socketOf(server, page, { headers: from(address) }) : eventsOf(server, page, from(address));

  it('T77: of a hundred waiters at one ticket, by every transport, one is held, and that one is told', async () => {
    const page = await openPage(server, shop.request());
    const ended: Array<string | number> = [];
    const waiting: Waiting[] = [];
    const polls: Promise<RawAnswer>[] = [];
    for (let turn = 0; turn < 99; turn += 1) {
      const address = `192.0.2.${turn % 3}`;
      if (turn % 3 === 2) polls.push(poll(page, address));
      else waiting.push(hold(turn % 3, page, address));
    }
    for (const one of waiting) void one.ended.then((how) => ended.push(how));
    await until(
      () => server.app.held().waiters === 1,
      () => `${server.app.held().waiters} are held`,
    );
    // Whoever is last, this one is later.
    const last = socketOf(server, page, { headers: from('192.0.2.9') });
    await last.next();
    await until(() => ended.length === waiting.length, 'some are neither held nor let go');
    expect(new Set(ended)).toEqual(new Set([4409, 'superseded']));
    for (const answer of await Promise.all(polls)) expect(answer.json()).toMatchObject({ status: 'pending' });
    expect(server.app.held()).toEqual({ watched: 1, waiters: 1, beating: 1 });
    expect((await anna.scan(page.qr)).answer.status).toBe(200);
    expect(await last.next()).toMatchObject({ status: 'scanned' });
    last.hangUp();
  });

  it('T77: an address has so many places; beyond them pages poll; whoever leaves makes room', async () => {
    const [first, ...more] = await pages(PER_ADDRESS + 1);
    const held = more.map((page, turn) => hold(turn, page, '192.0.2.10'));
    await Promise.all(held.map((one) => one.next()));
    const late = first as WaitingPage;
    expect(await socketOf(server, late, { headers: from('192.0.2.10') }).ended).toBe(429);
    expect(await eventsOf(server, late, from('192.0.2.10')).ended).toBe(429);
    const refused = await poll(late, '192.0.2.10');
    expect([refused.status, refused.headers['retry-after'], refused.json().error]).toEqual([
      429,
      '3',
      'too_many_requests',
    ]);
    // What it does then, and what the neighbours notice of it.
    expect((await poll(late, '192.0.2.10', '')).json()).toMatchObject({ status: 'pending' });
    const neighbour = socketOf(server, late, { headers: from('192.0.2.11') });
    await neighbour.next();
    neighbour.hangUp();
    held[0]?.hangUp();
    await until(() => server.app.held().waiters === PER_ADDRESS - 1, 'the place is not free');
    const admitted = socketOf(server, late, { headers: from('192.0.2.10') });
    await admitted.next();
    for (const one of [...held, admitted]) one.hangUp();
  });

  it('T77: a node that holds all it may says so, signs people in meanwhile, and asks the database no more than before', async () => {
    const all = await pages(PER_NODE);
    const held = all.map((page, turn) => hold(turn, page, `198.51.100.${turn % 4}`));
    await Promise.all(held.map((one) => one.next()));
    expect(server.app.held().waiters).toBe(PER_NODE);
    const [extra] = (await pages(1)) as [WaitingPage];
    expect(await socketOf(server, extra, { headers: from('203.0.113.1') }).ended).toBe(503);
    expect(await eventsOf(server, extra, from('203.0.113.1')).ended).toBe(503);
    const refused = await poll(extra, '203.0.113.1');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '3']);

    const { code } = await login(server, anna, shop.request());
    expect((await shop.exchange(code)).json()).toHaveProperty('openid');
    // One that listens, four for statements, and what transactions and migrations have left idle.
    const [used] = await server.database.sql<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(used?.count).toBeLessThanOrEqual(14);
    for (const one of held) one.hangUp();
  });

  it('T77: three hundred that come and go, politely or not, before, during and after the handshake, leave nothing', async () => {
    const [page] = (await pages(1)) as [WaitingPage];
    for (let round = 0; round < 6; round += 1) {
      const coming = Array.from({ length: 50 }, (_, turn) => hold(turn, page, `198.51.100.${turn}`));
      coming.forEach((one, turn) => {
        if (turn % 3 === 0) one.hangUp();
        else if (turn % 3 === 1)
          void one.next().then(
            () => one.hangUp(),
            () => {},
          );
      });
      // No page of ours: it says nothing after the handshake, and goes.
      const strange = socketOf(server, page, { first: null });
      await strange.opened;
      strange.hangUp();
      for (const one of coming) one.hangUp();
    }
  });

  it('T77: whoever hangs up while the ticket is read leaves nothing either', async () => {
    const asked = await pages(3);
    const lock = new pg.Client({ connectionString: server.database.url });
    await lock.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE');
      const ways = [socketOf, eventsOf, longPollOf] as const;
      const coming = ways.map((wait, turn) => wait(server, asked[turn] as WaitingPage));
      for (const one of coming) one.ended.catch(() => {});
      await until(
        () => server.app.held().watched === ways.length,
        () => JSON.stringify(server.app.held()),
      );
      for (const one of coming) one.hangUp();
      await until(async () => (await connections()) === 0, 'the server has not noticed');
    } finally {
      await lock.end();
    }
  });

  it('T77: upgrades that are reset before they are read, whatever they ask for, end nothing', async () => {
    const { host, port } = new URL(server.url);
    for (let turn = 0; turn < 200; turn += 1) {
      const protocol = turn % 2 === 0 ? 'websocket' : 'h2c';
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      const question = `GET /api/qr/socket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
      socket.write(question, () => socket.resetAndDestroy());
    }
    await until(async () => (await connections()) === 0, 'the server keeps connections');
    expect((await send(`${server.url}/health/live`)).status).toBe(200);
  });

  it('T77: an upgrade behind a request that waits for its answer ends the connection, and nothing else', async () => {
    const { host, port } = new URL(server.url);
    const live = `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n`;
    for (const protocol of ['h2c', 'websocket']) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(`${live}\r\n${live}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
      setTimeout(() => socket.write(`${live}\r\n`), 200);
      await closed;
    }
    expect((await send(`${server.url}/health/live`)).status).toBe(200);
  });

  it('T77: questions that wait behind another on one connection hold no seat that nobody would give back', async () => {
    const all = await pages(6);
    const { host, port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const ask = ({ ticketId, waitSecret }: WaitingPage, turn: number) =>
      `GET /api/qr/tickets/${ticketId}${turn % 2 === 0 ? '/events' : '?wait=25&seen=pending'} HTTP/1.1\r\nHost: ${host}\r\n` +
      `Authorization: Bearer ${waitSecret}\r\n\r\n`;
    socket.write(all.map(ask).join(''));
    await new Promise((resolve) => socket.once('data', resolve));
    await until(() => server.app.held().beating === 1, 'the first is not held');
    socket.destroy();
    // The tickets live for two minutes more; what watches them must not.
    await until(
      () => server.app.held().waiters === 0,
      () => JSON.stringify(server.app.held()),
    );
    expect(server.app.held()).toEqual(NOTHING);
  });

  it('T77: whoever leaves an answer unread is cut off', async () => {
    const { app } = server;
    expect(app.server.timeout).toBe(40_000);
    app.server.timeout = 500;
    try {
      const { host, port } = new URL(server.url);
      const accepted = new Promise<Socket>((resolve) => app.server.once('connection', resolve));
      const lazy = connect(Number(port), '127.0.0.1').pause();
      lazy.on('error', () => {});
      // More than the system takes off the server's hands.
      lazy.write(`GET /widget.js HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(2000));
      const closed = new Promise<void>(
        (resolve) => void accepted.then((socket) => socket.once('close', () => resolve())),
      );
      await closed;
      lazy.destroy();
    } finally {
      app.server.timeout = 40_000;
    }
  });

  it('T77: a peer that has died without a word is dropped when it misses its sign of life, a living one is kept', async () => {
    const [one, two] = (await pages(2)) as [WaitingPage, WaitingPage];
    // The heart of the held connections beats by this alone; it begins with the first of them.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { host, port } = new URL(server.url);
      const dead = new WebSocket(`ws://127.0.0.1:${port}/api/qr/socket`, {
        headers: { host },
        origin: server.url,
        autoPong: false,
      });
      const pings = { dead: 0, alive: 0 };
      dead.on('ping', () => (pings.dead += 1));
      dead.on('open', () => dead.send(JSON.stringify({ ticket_id: one.ticketId, wait_secret: one.waitSecret })));
      const closed = new Promise<number>((resolve) => dead.once('close', resolve));
      await new Promise((resolve) => dead.once('message', resolve));
      const alive = socketOf(server, two);
      alive.ws.on('ping', () => (pings.alive += 1));
      await alive.next();
      vi.advanceTimersByTime(15_000);
      await vi.waitUntil(() => pings.dead === 1 && pings.alive === 1);
      // Its answer has come back by the time this has.
      alive.ws.send('ping');
      await new Promise((resolve) => alive.ws.once('message', resolve));
      vi.advanceTimersByTime(15_000);
      expect(await closed).toBe(1006);
      expect(alive.ws.readyState).toBe(WebSocket.OPEN);
      expect(server.app.held().waiters).toBe(1);
      alive.hangUp();
      await vi.waitUntil(() => server.app.held().waiters === 0);
    } finally {
      vi.useRealTimers();
    }
  });
});
