/** A visitor signs in through `<qr-connect>`: the site hears each step, and its own page makes the last move. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, startSites } from '../support/demo-site.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

const EVENTS = ['ready', 'scanned', 'confirmed', 'denied', 'expired', 'error'];

/** Every event the element fires, in order, whatever page comes after it. */
async function hear({ context }: Actor): Promise<string[]> {
  const heard: string[] = [];
  await context.exposeFunction('hear', (name: string) => void heard.push(name));
  const listen = `if (window === top) for (const name of ${JSON.stringify(EVENTS)})
    document.addEventListener(name, (event) => event.target.localName === 'qr-connect' && hear(name));`;
  await context.addInitScript(listen);
  return heard;
}

describe('<qr-connect> on a site’s page', () => {
  it('T29 tells the site ready, scanned and confirmed, in this order, and ends on its callback without a cookie of ours', async () => {
    const person = await newPerson(sites.server);
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const heard = await hear(desk);
    await desk.page.goto(`${sites.site.url}/oauth`);
    const qr = await scanScreen(desk.page, widgetFrame(desk.page));
    expect(await approveOnPhone(phone, qr, person, widgetFrame(desk.page))).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
    expect(heard).toEqual(['ready', 'scanned', 'confirmed']);
    expect(await desk.context.cookies(sites.server.url)).toEqual([]);
    const callback = new URL(desk.page.url()).searchParams;
    expect([...callback.keys()].sort()).toEqual(['code', 'iss', 'state']);
    expect(callback.get('iss')).toBe(sites.server.url);
  });

  it('gets there by the one-time address alone: no message and no script of the site ever has the code', async () => {
    const person = await newPerson(sites.server);
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const messages: string[] = [];
    await desk.context.exposeFunction('note', (message: string) => void messages.push(message));
    await desk.context.addInitScript(
      "if (window === top) addEventListener('message', (event) => note(JSON.stringify(event.data)));",
    );
    await desk.page.goto(`${sites.site.url}/oauth`);
    const qr = await scanScreen(desk.page, widgetFrame(desk.page));
    await approveOnPhone(phone, qr, person, widgetFrame(desk.page));
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    const code = new URL(desk.page.url()).searchParams.get('code') as string;
    const moves = desk.requests.filter(({ url }) => url.includes('/connect/continue/'));
    expect(moves.map(({ kind }) => kind)).toEqual(['document']);
    expect(messages.filter((message) => message.includes('/connect/continue/'))).toHaveLength(1);
    expect(messages.join('\n')).not.toContain(code);
    expect(desk.requests.some(({ url }) => url.includes('/redeem'))).toBe(false);
  });

  it('says nothing on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
