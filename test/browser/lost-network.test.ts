/** The network goes away while a page waits: it says so, recovers without a reload, and the login is not lost. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, startSites } from '../support/demo-site.js';
import { allowWith, approveOnPhone, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { matchCodeOn, scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

async function openDesk(path: '/wechat' | '/oauth') {
  const person = await newPerson(sites.server);
  const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
  desk.foretell(/ERR_INTERNET_DISCONNECTED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
  await desk.page.goto(sites.site.url + path);
  const frame = widgetFrame(desk.page);
  const documents = () => desk.requests.filter(({ kind }) => kind === 'document').length;
  return { person, desk, phone, frame, documents, qr: await scanScreen(desk.page, frame) };
}

describe('a waiting page without a network', () => {
  it('says that the connection is lost and, when it is back, goes on without a reload', async () => {
    const { person, desk, phone, frame, documents, qr } = await openDesk('/wechat');
    const before = documents();
    await cut(desk.page);
    await desk.context.setOffline(false);
    await expect.poll(() => frame.locator('#headline').textContent()).toBe('Scan with your phone');
    expect(documents()).toBe(before);
    expect(await scanScreen(desk.page, frame)).toBe(qr);
    expect(await approveOnPhone(phone, qr, person, frame)).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/wechat?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
  });

  it('finds out on its return that the phone allowed it meanwhile', async () => {
    const { person, desk, phone, frame, qr } = await openDesk('/oauth');
    await openOnPhone(phone, qr, person);
    const code = await matchCodeOn(frame);
    await cut(desk.page);
    // The number stays readable: the person may be typing it.
    expect(await matchCodeOn(frame)).toBe(code);
    await allowWith(phone, code);
    expect(await outcomeOn(phone)).toBe('confirmed');
    await desk.context.setOffline(false);
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
  });

  it('says nothing else on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});

/** Going offline leaves connections that are already open alone, and a browser quietly tries again on those; a dead network does not. */
async function cut(page: Page): Promise<void> {
  await page.context().setOffline(true);
  const headline = widgetFrame(page).locator('#headline');
  const dead = () => {
    sites.server.app.server.closeAllConnections();
    return headline.textContent();
  };
  await expect.poll(dead, { timeout: 10_000 }).toBe('Connection lost');
}
