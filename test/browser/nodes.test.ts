/** T75: a node dies under real browsers, behind a balancer: no page is lost, and the phone is told what to do. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import { newPerson } from '../support/demo-site.js';
import type { Phone, Scanned } from '../support/phone.js';
import { allowWith, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { matchCodeOn, scanScreen } from '../support/screen.js';
import { until } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

let cluster: Cluster;
let chrome: TestBrowser;
let site: PlainSite;
let shop: WechatSite;
let someone: Phone;

beforeAll(async () => {
  [cluster, chrome, site] = await Promise.all([startCluster(), openBrowser(), startPlainSite()]);
  const { registry } = cluster;
  site.put('/callback', '<p>back at the site</p>');
  shop = await wechatSite(registry.app, registry, { redirectUris: [`${site.url}/callback`] });
  someone = await person(registry.app, registry);
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), cluster?.stop()]);
});
beforeEach(() => forgetScans(cluster.registry.database));

const CUT =
  /net::ERR_(CONNECTION_RE(SET|FUSED)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED|SOCKET_NOT_CONNECTED)|WebSocket connection to .* failed/;
const balance = (...nodes: Array<{ port: number }>) => {
  cluster.balancer.backends = nodes.map(({ port }) => port);
};
async function openDesk(transports: string): Promise<Actor & { qr: string }> {
  const desk = await chrome.desktop();
  desk.foretell(CUT);
  const query = shop.request({ redirect_uri: `${site.url}/callback`, transports });
  await desk.page.goto(`${cluster.registry.url}/connect/qrconnect?${new URLSearchParams(query)}`);
  return { ...desk, qr: await scanScreen(desk.page) };
}
/** The site has its visitor back, by one page of ours that was never loaded anew. */
async function expectFinished({ page, requests }: Actor): Promise<void> {
  await page.waitForURL(`${site.url}/callback?*`);
  const code = new URL(page.url()).searchParams.get('code') as string;
  expect((await shop.exchange(code)).json()).toHaveProperty('openid');
  expect(requests.filter(({ kind }) => kind === 'document')).toHaveLength(2);
}

describe('a node that is killed', () => {
  it('T75: has its pages finish at another, by each transport that is held, before the scan and after it', async () => {
    const { a, b, c } = cluster;
    balance(a);
    const desks = [];
    for (const [way, isScanned] of [
      ['socket', false],
      ['socket', true],
      ['events', true],
      ['long-poll', false],
    ] as const) {
      const desk = await openDesk(way);
      const scanned = isScanned ? await someone.scan(desk.qr) : undefined;
      if (scanned) await matchCodeOn(desk.page);
      desks.push({ desk, scanned });
    }
    balance(a, b, c);
    await a.kill();
    for (const { desk, scanned } of desks) {
      const scan: Scanned = scanned ?? (await someone.scan(desk.qr));
      expect((await someone.confirm(scan, await matchCodeOn(desk.page))).status).toBe(200);
      await expectFinished(desk);
    }
  });

  it('T75: takes an "Allow" with it: the page goes on with what was done, and the phone hears that it was answered', async () => {
    const { b, c, registry } = cluster;
    balance(c);
    const desk = await openDesk('socket');
    balance(b);
    const [phone, holder] = [await chrome.phone(), new pg.Client({ connectionString: registry.database.url })];
    phone.foretell(CUT, /409/);
    await openOnPhone(phone, desk.qr, await newPerson(registry));
    const code = await matchCodeOn(desk.page);
    balance(b, c);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM ticket FOR UPDATE');
    await allowWith(phone, code);
    const stuck = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await until(async () => (await registry.database.sql(stuck)).length === 1, 'it does not get that far');
    await b.kill();
    await holder.end();
    await expectFinished(desk);
    // A browser sends it once more by itself when its connection had served before; else the person is asked to.
    const problem = phone.page.locator('#problem:not(:empty)');
    await problem.or(phone.page.locator('#outcome:not([hidden])')).waitFor();
    if (await problem.isVisible()) {
      expect(await problem.textContent()).toContain('press again');
      await phone.page.getByRole('button', { name: 'Allow' }).tap();
    }
    // Over: the first "Allow" was done when its node died. Confirmed: its wait for the lock had ended before, and the second was.
    expect(['over', 'confirmed']).toContain(await outcomeOn(phone));
  });

  it('leaves nothing else on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
