/** Who may show which of our pages in a frame: only the waiting page, only where every page around it is registered. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { openOnPhone } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let good: PlainSite;
let bad: PlainSite;
let shop: WechatSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, good, bad] = await Promise.all([startApp(), openBrowser(), startPlainSite(), startPlainSite()]);
  shop = await wechatSite(server.app, server, { embedOrigins: [good.url] });
  house = await oauthSite(server.app, server, { embedOrigins: [good.url] });
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([good?.stop(), bad?.stop(), server?.stop()]);
});

const frame = (address: string, more = '') => `<iframe src="${address.replaceAll('&', '&amp;')}" ${more}></iframe>`;
const wechatPage = () => `${server.url}/connect/qrconnect?${new URLSearchParams(shop.request())}`;
const oauthPage = () => `${server.url}/connect/qrconnect?${new URLSearchParams(house.request().query)}`;

/** Where each frame of the page has come to rest; a refused one shows the browser's own error page. */
async function framesOf(page: Page): Promise<string[]> {
  const urls = () =>
    page
      .frames()
      .slice(1)
      .map((inner) => inner.url());
  await expect.poll(() => urls().every((url) => url !== '' && url !== 'about:blank')).toBe(true);
  return urls();
}

const REFUSED = 'chrome-error://chromewebdata/';

async function openIn(site: PlainSite, html: string): Promise<Page> {
  const desk = await chrome.desktop();
  desk.foretell(/frame-ancestors|X-Frame-Options|status of 4\d\d/i);
  await desk.page.goto(site.put('/page', html));
  return desk.page;
}

describe('T28 the waiting page in a frame', () => {
  it.each([
    ['WeChat', wechatPage],
    ['OAuth', oauthPage],
  ])('is shown to the registered origin and to no other (%s)', async (_dialect, address) => {
    const invited = await openIn(good, frame(address()));
    await invited.frameLocator('iframe').locator('#qr svg').waitFor();
    const before = await tickets();
    const stranger = await openIn(bad, frame(address()));
    expect(await framesOf(stranger)).toEqual([REFUSED]);
    // The parent named itself in Referer, so not even a ticket was made.
    expect(await tickets()).toBe(before);
  });

  it('is refused to a stranger who sends no Referer', async () => {
    const page = await openIn(bad, frame(wechatPage(), 'referrerpolicy="no-referrer"'));
    expect(await framesOf(page)).toEqual([REFUSED]);
  });

  it('is refused to a stranger under the same host name, on another port', async () => {
    const desk = await chrome.desktop();
    desk.foretell(/frame-ancestors|X-Frame-Options|status of 4\d\d/i);
    bad.put('/page', frame(wechatPage()));
    await desk.page.goto(`${bad.localhostUrl}/page`);
    expect(await framesOf(desk.page)).toEqual([REFUSED]);
  });

  it('is refused inside a registered page that a stranger frames', async () => {
    const inner = good.put('/inner', frame(wechatPage()));
    const page = await openIn(bad, frame(inner));
    await page.frameLocator('iframe').locator('iframe').waitFor();
    await expect.poll(() => page.frames().length).toBe(3);
    expect(await framesOf(page)).toEqual([inner, REFUSED]);
    // The very same page is fine by itself.
    const { page: alone } = await chrome.desktop();
    await alone.goto(inner);
    await alone.frameLocator('iframe').locator('#qr svg').waitFor();
  });
});

describe('T17 every other page', () => {
  it('is in nobody’s frame: the phone’s pages, the sign-in, errors, home and set-up', async () => {
    const phone = await chrome.phone();
    const desk = await chrome.desktop();
    await desk.page.goto(wechatPage());
    const scan = (await desk.page.locator('#phone-link').getAttribute('href')) as string;
    await openOnPhone(phone, scan, await newPerson(server));
    phone.foretell(/frame-ancestors|X-Frame-Options|status of 4\d\d/i);
    const addresses = [
      scan,
      `${server.url}/s/unknown-unknown-unknown`,
      `${server.url}/oauth/authorize?${new URLSearchParams(house.request().query)}`,
      `${server.url}/connect/qrconnect?appid=nobody`,
      `${server.url}/`,
      `${server.url}/nothing-here`,
      `${server.url}/admin/setup?token=x`,
    ];
    // On the phone, where a session exists, and around the registered origin, which may frame the waiting page.
    await phone.page.goto(good.put('/all', addresses.map((address) => frame(address)).join('')));
    await expect.poll(() => phone.page.frames().length).toBe(addresses.length + 1);
    expect(await framesOf(phone.page)).toEqual(addresses.map(() => REFUSED));
  });
});

describe('the consoles', () => {
  it('show the refusals and nothing else', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});

async function tickets(): Promise<number> {
  const [row] = await server.database.sql<{ n: number }>('SELECT count(*)::int AS n FROM ticket');
  return row?.n ?? 0;
}
