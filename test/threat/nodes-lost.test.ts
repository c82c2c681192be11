/** T75: a node is lost, killed or told to stop, while pages wait on it and phones talk to it: nobody else is. */
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Cluster, type ClusterNode, startCluster } from '../support/cluster.js';
import { pageData } from '../support/http.js';
import { openPage, type WaitingPage, waiter } from '../support/page.js';
import { type PatientPage, WAYS, type Way, waitPatiently } from '../support/patient-page.js';
import { type Phone, phoneWith, type Scanned } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { until } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';
import { waitBy } from '../support/transports.js';

let cluster: Cluster;
let shop: WechatSite;
let phone: Phone;

beforeAll(async () => {
  cluster = await startCluster({ WAITERS_PER_ADDRESS: '1000' });
  const { registry } = cluster;
  shop = await wechatSite(registry.app, registry);
  phone = await person(registry.app, registry);
});
afterAll(() => cluster?.stop());
beforeEach(() => forgetScans(cluster.registry.database));

const open = () => openPage(cluster.registry, shop.request());
const wait = (page: WaitingPage, way: Way = 'events') => waitPatiently(way, cluster.registry, page);
/** Which nodes the balancer chooses from. */
const balance = (...nodes: Array<{ port: number }>) => {
  cluster.balancer.backends = nodes.map(({ port }) => port);
};
/** Collects, and the site gets its person. */
const collect = async (page: WaitingPage, waiting: PatientPage) => {
  await waiting.until('confirmed');
  const { code } = (await page.redeem()).json<{ code: string }>();
  expect((await shop.exchange(code)).json()).toHaveProperty('openid');
  await waiting.until('redeemed');
};

it('T75: of thirty pages at a node that is killed none is lost: they come back elsewhere and finish', async () => {
  const { a, b, c, registry } = cluster;
  balance(a);
  /** How far each sign-in has got when the node goes; the confirmed ones have the least time and come last. */
  const steps = Array.from({ length: 30 }, (_, i) => Math.floor(i / 10));
  const left: Array<{ way: Way; waiting: PatientPage; finish(): Promise<void> }> = [];
  for (const [i, step] of steps.entries()) {
    await forgetScans(registry.database);
    const way = WAYS[i % WAYS.length] as Way;
    const page = await open();
    const waiting = wait(page, way);
    await waiting.until('pending');
    const scanned = step > 0 ? await phone.scan(page.qr) : undefined;
    const confirm = async () => {
      const { match_code: code } = await waiting.until('scanned');
      expect((await phone.confirm(scanned as Scanned, code)).status).toBe(200);
    };
    if (step === 2) await confirm();
    const finish = async () => {
      if (step === 0) await approve(phone, page);
      if (step === 1) await confirm();
      await collect(page, waiting);
    };
    left.push({ way, waiting, finish });
  }
  balance(a, b, c);
  await a.kill();
  for (const { way, waiting, finish } of left.reverse()) {
    await forgetScans(registry.database);
    await finish();
    if (way !== 'poll') expect(waiting.returns).toBeGreaterThan(0);
  }
}, 90_000);

it('T75: a node that dies in the middle of a scan, of "allow" or of collecting leaves a clear state to whoever tries again', async () => {
  const { b, c, registry } = cluster;
  const { sql, url } = registry.database;
  const [first, second, third] = await Promise.all([cluster.join(), cluster.join(), cluster.join()]);
  balance(b, c);
  /** The database does as it is told only when whoever told it is gone: nobody answers, and nobody is nudged. */
  const dieAsking = async (node: ClusterNode, ask: () => Promise<unknown>) => {
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM ticket FOR UPDATE');
    const answer = ask().then(
      () => 'an answer',
      () => 'none',
    );
    const stuck = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await until(async () => (await sql(stuck)).length === 1, 'it does not get that far');
    await node.kill();
    await holder.end();
    expect(await answer).toBe('none');
  };

  // Scanned: the same phone may look again, and go on.
  const page = await open();
  const waiting = wait(page);
  const { scanToken, csrf } = pageData<{ scanToken: string; csrf: string }>((await phone.open(page.qr)).body);
  await dieAsking(first, () => phoneWith(first, phone.cookie).post('/phone/scan', { scan_token: scanToken, csrf }));
  const { match_code: code } = await waiting.until('scanned');
  const scanned = await phone.scan(page.qr);

  // Allowed: saying so twice changes nothing.
  await dieAsking(second, () => phoneWith(second, phone.cookie).confirm(scanned, code));
  await waiting.until('confirmed');
  expect((await phone.confirm(scanned, code)).status).toBe(409);

  // Collected by somebody who is dead: there is no code, and never will be one.
  await dieAsking(third, () => waiter(third, page.ticketId, page.waitSecret).redeem());
  await waiting.until('redeemed');
  for (const again of [await page.redeem(), await page.continue()]) {
    expect(again.status).toBe(410);
    expect(again.body).not.toContain('code=');
  }
  expect((await page.renew()).status).toBe(409);
}, 60_000);

it('T75: a node that is told to stop lets all its pages go at once, and they finish elsewhere', async () => {
  const { b, c } = cluster;
  balance(b);
  const there = [await open(), await open(), await open()] as const;
  const [socket, events] = [waitBy('socket', b, there[0]), waitBy('events', b, there[1])];
  await Promise.all([socket.next(), events.next()]);
  const held = there[2].status('?wait=25&seen=pending');
  const pages = await Promise.all(WAYS.map(open));
  const waiting = WAYS.map((way, i) => wait(pages[i] as WaitingPage, way));
  await Promise.all(waiting.map((one) => one.until('pending')));
  // As a balancer does that has not noticed yet.
  balance(b, c);
  const exit = once(b.process, 'exit');
  b.process.kill('SIGTERM');
  expect(await socket.ended).toBe(1001);
  expect(await events.ended).toBe('status');
  expect((await held).json()).toMatchObject({ status: 'pending' });
  for (const [i, page] of pages.entries()) {
    await approve(phone, page);
    await collect(page, waiting[i] as PatientPage);
  }
  expect((await exit)[0]).toBe(0);
});

it('T77: nothing is left of all those who waited, and no node has complained', async () => {
  const { registry, b } = cluster;
  await until(
    () => Object.values(registry.app.held()).every((count) => count === 0),
    () => JSON.stringify(registry.app.held()),
  );
  for (const output of [b.output(), registry.log()]) {
    expect(output).not.toMatch(/"level":"(error|fatal)"|Unhandled|\(node:\d+\)/);
  }
});
