/** T75: a page waits at one node while everything happens at others, by whatever transport; nudged, or not. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { pageData } from '../support/http.js';
import { openPage, type WaitingPage, waiter } from '../support/page.js';
import { type PatientPage, WAYS, waitPatiently } from '../support/patient-page.js';
import { type Phone, phoneWith, type Scanned } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { until } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';
import { wrongMatchCode } from '../support/ticket-house.js';
import { waitBy } from '../support/transports.js';

type Ticket = Pick<WaitingPage, 'ticketId' | 'waitSecret'>;

let cluster: Cluster;
let shop: WechatSite;
let house: OauthSite;
let phone: Phone;

beforeAll(async () => {
  cluster = await startCluster();
  const { registry } = cluster;
  shop = await wechatSite(registry.app, registry);
  house = await oauthSite(registry.app, registry);
  phone = await person(registry.app, registry);
});
afterAll(() => cluster?.stop());
beforeEach(() => forgetScans(cluster.registry.database));

const at = (node: { url: string; port: number }, page: Ticket) => waiter(node, page.ticketId, page.waitSecret);

describe.each(WAYS)('a page that waits by %s', (way) => {
  it('T75: is opened at one node, watched at another, scanned at a third, and collected at the first', async () => {
    const { a, b, c, registry } = cluster;
    const page = await openPage(a, shop.request());
    const waiting = waitPatiently(way, b, page);
    await waiting.until('pending');
    const scanned = await phoneWith(c, phone.cookie).scan(page.qr);
    const { match_code: code } = await waiting.until('scanned');
    expect((await phoneWith(registry, phone.cookie).confirm(scanned, code)).status).toBe(200);
    await waiting.until('confirmed');
    const redeemed = (await at(a, page).redeem()).json<{ code: string }>();
    await waiting.until('redeemed');
    expect(waiting.heard).toEqual(['pending', 'scanned', 'confirmed', 'redeemed']);
    expect(waiting.returns).toBe(0);
    expect((await shop.exchange(redeemed.code, {}, c)).json()).toHaveProperty('access_token');
  });
});

describe('the end of a ticket', () => {
  interface Story {
    readonly page: WaitingPage;
    readonly scanned: Scanned;
    readonly code: string;
    readonly who: Phone & { username: string };
  }
  const ENDS: Array<[what: string, status: string, how: (story: Story) => Promise<unknown>]> = [
    ['the person says no', 'denied', ({ who, scanned }) => phoneWith(cluster.a, who.cookie).deny(scanned)],
    [
      'the number is wrong',
      'denied',
      ({ who, scanned, code }) => phoneWith(cluster.b, who.cookie).confirm(scanned, wrongMatchCode(code)),
    ],
    ['the page gives up', 'cancelled', ({ page }) => at(cluster.a, page).cancel()],
    ['a fresh code is drawn', 'cancelled', ({ page }) => at(cluster.b, page).renew()],
    // Nobody says anything in these: it is found by looking.
    [
      'the person’s password is reset by the command line',
      'expired',
      ({ who }) => cluster.registry.app.accounts.resetPassword('test', who.username, 'another long enough one'),
    ],
    [
      'its time is over',
      'expired',
      ({ page }) =>
        cluster.registry.database.sql('UPDATE ticket SET expires_at = now() WHERE id = $1', [page.ticketId]),
    ],
  ];

  it.each(ENDS)('T75: travels to every node and transport: %s', async (_what, status, how) => {
    const { a, b, c, registry } = cluster;
    const page = await openPage(a, shop.request());
    const waiting = [waitBy('socket', a, page), waitBy('events', b, page), waitBy('long-poll', c, page)] as const;
    await Promise.all(waiting.map((one) => one.next()));
    const who = await person(registry.app, registry);
    const scanned = await who.scan(page.qr);
    const [{ match_code: code = '' } = {}] = await Promise.all(waiting.map((one) => one.next()));
    await how({ page, scanned, code, who });
    const [socket, events, longPoll] = waiting;
    expect((await socket.next()).status).toBe(status);
    expect(await socket.ended).toBe(1000);
    expect((await events.next()).status).toBe(status);
    expect(await events.ended).toBe('status');
    // A held request that meets the end of a ticket is answered as any request would be.
    expect(await longPoll.ended).toBe(status === 'denied' ? 200 : 410);
    expect((await at(b, page).redeem()).body).not.toContain('code=');
  });

  it('T75: travels: another tab of the same browser opens the same request at another node', async () => {
    const { a, b, c, registry } = cluster;
    const browser = new StandardBrowser(a);
    const first = await browser.open(browser.authorizeUrl(house.request().query));
    const page = pageData<Ticket>(first.body);
    const waiting = [waitBy('socket', b, page), waitBy('events', c, page)];
    await Promise.all(waiting.map((one) => one.next()));
    expect((await browser.copy(b).open(first.address)).status).toBe(200);
    for (const one of waiting) expect((await one.next()).status).toBe('cancelled');
    expect(registry.log()).not.toContain('"level":"error"');
  });
});

describe('nodes that cannot listen', () => {
  const listeners = () =>
    cluster.registry.database.sql<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
  /** Nobody gets a new connection to the database; those that stand go on. */
  const refuse = async (isClosed: boolean) => {
    const [{ name } = {}] = await cluster.registry.database.sql<{ name: string }>('SELECT current_database() AS name');
    // From another database, as Postgres asks for.
    const client = new pg.Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${!isClosed}`).finally(() => client.end());
  };

  it('T75: every LISTEN connection cut, and kept cut: pages at every node complete all the same', async () => {
    const { a, b, c, registry } = cluster;
    const pages = await Promise.all(WAYS.map(() => openPage(a, shop.request())));
    const waiting: PatientPage[] = WAYS.map((way, i) =>
      waitPatiently(way, [a, b, c][i % 3] as typeof a, pages[i] as Ticket),
    );
    await Promise.all(waiting.map((one) => one.until('pending')));
    const before = await listeners();
    expect(before).toHaveLength(3);
    await refuse(true);
    try {
      await registry.database.sql('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS lost (pid)', [
        before.map(({ pid }) => pid),
      ]);
      await until(async () => (await listeners()).length === 0, 'they still listen');
      const scans = [];
      for (const page of pages) scans.push(await phone.scan(page.qr));
      for (const [i, one] of waiting.entries()) {
        const { match_code: code } = await one.until('scanned');
        expect((await phone.confirm(scans[i] as Scanned, code)).status).toBe(200);
      }
      await Promise.all(waiting.map((one) => one.until('confirmed')));
      expect(await listeners()).toEqual([]);
    } finally {
      await refuse(false);
    }
    for (const page of pages) expect((await page.redeem()).json()).toHaveProperty('code');
    await Promise.all(waiting.map((one) => one.until('redeemed')));
    await until(async () => (await listeners()).length === 3, 'the nodes do not listen again');
  });
});
