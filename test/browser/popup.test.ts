/** `<qr-connect mode="popup">`: a click opens our page in a window of its own, and the site's page makes the last move. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { send } from '../support/http.js';
import { approveOnPhone, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { scanScreen } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let good: PlainSite;
let bad: PlainSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, good, bad] = await Promise.all([startApp(), openBrowser(), startPlainSite(), startPlainSite()]);
  house = await oauthSite(server.app, server, { redirectUris: [`${good.url}/callback`] });
  good.put('/callback', '<p>back at the site</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([good?.stop(), bad?.stop(), server?.stop()]);
});

const query = () => house.request({ redirect_uri: `${good.url}/callback` }).query;
const element = (more = '', words = '') => {
  const q = query();
  return `<script src="${server.url}/widget.js" async></script><qr-connect mode="popup" client-id="${q.client_id}"
    redirect-uri="${q.redirect_uri}" scope="openid" state="${q.state}" nonce="${q.nonce}"
    code-challenge="${q.code_challenge}" ${more}>${words}</qr-connect>`;
};
const openedPage = (more: Record<string, string> = {}) =>
  `${server.url}/connect/qrconnect?${new URLSearchParams({ ...query(), login_type: 'popup', ...more })}`;

interface Heard {
  readonly name: string;
  readonly detail: { error?: string; message?: string };
}

/** Every event of the element, and every message to the site's page. */
async function hear({ context }: Actor): Promise<{ events: Heard[]; messages: string[] }> {
  const events: Heard[] = [];
  const messages: string[] = [];
  await context.exposeFunction('heard', (name: string, detail: Heard['detail']) => void events.push({ name, detail }));
  await context.exposeFunction('noted', (message: string) => void messages.push(message));
  await context.addInitScript(`
    for (const name of ['ready', 'scanned', 'confirmed', 'denied', 'expired', 'error'])
      document.addEventListener(name, (event) => event.target.localName === 'qr-connect' && heard(name, event.detail), true);
    addEventListener('message', (event) => noted(location.origin + ' ' + JSON.stringify(event.data)));`);
  return { events, messages };
}

async function openPopup(page: Page): Promise<Page> {
  const opened = page.waitForEvent('popup');
  await page.locator('qr-connect a').click();
  const popup = await opened;
  await popup.locator('#box[data-phase=waiting] #qr svg').waitFor();
  return popup;
}

const names = (events: readonly Heard[]) => events.map(({ name }) => name);

describe('<qr-connect mode="popup">', () => {
  it('T29 T30 tells every step, closes its window, and takes the site’s page to the callback by a handle alone', async () => {
    const person = await newPerson(server);
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const { events, messages } = await hear(desk);
    // A site that keeps its own address to itself: the link says it all the same.
    await desk.page.goto(good.put('/page', { html: element(), headers: { 'referrer-policy': 'no-referrer' } }));
    await desk.page.locator('qr-connect a').waitFor();
    expect([desk.context.pages().length, names(events)]).toEqual([1, []]);
    const popup = await openPopup(desk.page);
    const qr = await scanScreen(popup);
    expect(await approveOnPhone(phone, qr, person, popup)).toBe('confirmed');
    await desk.page.waitForURL(`${good.url}/callback?*`);
    await expect.poll(() => desk.context.pages().length).toBe(1);
    expect(names(events)).toEqual(['ready', 'scanned', 'confirmed']);
    const code = new URL(desk.page.url()).searchParams.get('code') as string;
    expect(messages.filter((message) => message.includes('/connect/continue/'))).toHaveLength(1);
    expect(messages.join('\n')).not.toContain(code);
    expect(messages.every((message) => message.startsWith(good.url))).toBe(true);
    expect(desk.requests.some(({ url }) => url.includes('/redeem'))).toBe(false);
    expect(await desk.context.cookies(server.url)).toEqual([]);
  });

  it('brings a denial to the callback too, and says so', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const { events } = await hear(desk);
    await desk.page.goto(good.put('/page', element()));
    const popup = await openPopup(desk.page);
    await openOnPhone(phone, await scanScreen(popup), await newPerson(server));
    await phone.page.locator('#deny').tap();
    expect(await outcomeOn(phone)).toBe('denied');
    await desk.page.waitForURL(`${good.url}/callback?*`);
    expect(new URL(desk.page.url()).searchParams.get('error')).toBe('access_denied');
    expect(names(events)).toEqual(['ready', 'scanned', 'denied']);
  });

  it('says popup_closed when the person closes the window, gives the ticket up, and opens another at the next click', async () => {
    const desk = await chrome.desktop();
    const { events } = await hear(desk);
    await desk.page.goto(good.put('/page', element('theme="dark" lang="zh"', '扫码')));
    expect(await desk.page.locator('qr-connect').innerText()).toBe('扫码');
    const popup = await openPopup(desk.page);
    // A second click fetches the window there is.
    await desk.page.locator('qr-connect a').click();
    expect(desk.context.pages()).toHaveLength(2);
    expect(await popup.locator('html').getAttribute('lang')).toBe('zh-CN');
    expect(await popup.locator('html').getAttribute('data-theme')).toBe('dark');
    await desk.page.evaluate('window.onerror = () => { window.uncaught = true; }');
    await popup.close({ runBeforeUnload: true });
    await expect.poll(() => events.at(-1)?.detail.error).toBe('popup_closed');
    // A person who closes a window is no mistake of the page.
    expect(await desk.page.evaluate('window.uncaught === true')).toBe(false);
    await expect.poll(() => statuses()).toContain('cancelled');
    const again = await openPopup(desk.page);
    // With the element goes its window.
    await desk.page.evaluate("document.querySelector('qr-connect').remove()");
    await expect.poll(() => again.isClosed()).toBe(true);
    expect(names(events)).toEqual(['ready', 'error', 'ready']);
  });

  it('opens nothing unasked: without a click of a person, and where no window may be, it says popup_blocked', async () => {
    const desk = await chrome.desktop();
    const { events } = await hear(desk);
    const unasked = `<script>customElements.whenDefined('qr-connect').then(() => setTimeout(() =>
      document.querySelector('qr-connect').shadowRoot.querySelector('a').click()))</script>`;
    await desk.page.goto(good.put('/unasked', element() + unasked));
    await expect.poll(() => events.map(({ detail }) => detail.error)).toEqual(['popup_blocked']);
    good.put('/boxed', element());
    desk.foretell(/Blocked opening/);
    await desk.page.goto(
      good.put('/page', `<iframe sandbox="allow-scripts allow-same-origin" src="${good.url}/boxed"></iframe>`),
    );
    await desk.page.frameLocator('iframe').locator('qr-connect a').click();
    await expect.poll(() => events.map(({ detail }) => detail.error)).toEqual(['popup_blocked', 'popup_blocked']);
    expect(desk.context.pages()).toHaveLength(1);
  });

  it('signs in in its own window where the site’s page parts it from its windows, and says what to change', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const { events } = await hear(desk);
    const headers = { 'cross-origin-opener-policy': 'same-origin' };
    await desk.page.goto(good.put('/page', { html: element(), headers }));
    const opened = desk.context.waitForEvent('page');
    await desk.page.locator('qr-connect a').click();
    const popup = await opened;
    const qr = await scanScreen(popup);
    await expect.poll(() => events.at(-1)?.detail.message).toContain('same-origin-allow-popups');
    expect(await approveOnPhone(phone, qr, await newPerson(server), popup)).toBe('confirmed');
    await popup.waitForURL(`${good.url}/callback?*`);
  });

  it('goes to the site in its own window when nobody is left to close it', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    await desk.page.goto(good.put('/page', element()));
    const popup = await openPopup(desk.page);
    const qr = await scanScreen(popup);
    // Kept from closing its window, as a page that crashed does not close it either.
    await desk.page.evaluate(
      "document.querySelector('qr-connect').addEventListener('confirmed', () => location.assign('about:blank'))",
    );
    expect(await approveOnPhone(phone, qr, await newPerson(server), popup)).toBe('confirmed');
    await popup.waitForURL(`${good.url}/callback?*`);
  });
});

describe('T33 the window of a popup', () => {
  it('keeps its opener only if that is a page of a registered origin, and says so itself', async () => {
    const policy = async (url: string, headers: Record<string, string> = {}) =>
      (await send(url, { headers })).headers['cross-origin-opener-policy'];
    const referer = `${good.url}/page`;
    expect(await policy(openedPage(), { referer })).toBe('unsafe-none');
    expect(await policy(openedPage(), { referer, 'sec-fetch-dest': 'iframe' })).toBe('same-origin');
    expect(await policy(openedPage(), { referer: `${bad.url}/page` })).toBe('same-origin');
    expect(await policy(openedPage(), { referer: server.url })).toBe('same-origin');
    expect(await policy(openedPage())).toBe('same-origin');
    for (const loginType of ['qr-connect', 'page', ''])
      expect(await policy(openedPage({ login_type: loginType }), { referer })).toBe('same-origin');
    expect(await policy(openedPage({ redirect_uri: bad.url }), { referer })).toBe('same-origin');
  });

  it('is parted from a stranger who opens it: nothing said, nothing heard, and the way ends at the site', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const { messages } = await hear(desk);
    await desk.page.goto(bad.put('/opens', '<button>open</button>'));
    await desk.page.evaluate(
      `document.querySelector('button').onclick = () => { window.w = open(${JSON.stringify(openedPage())}) }`,
    );
    const opened = desk.page.waitForEvent('popup');
    await desk.page.getByRole('button').click();
    const popup = await opened;
    const qr = await scanScreen(popup);
    expect([await popup.evaluate('window.opener'), await desk.page.evaluate('w.closed')]).toEqual([null, true]);
    expect(await approveOnPhone(phone, qr, await newPerson(server), popup)).toBe('confirmed');
    await popup.waitForURL(`${good.url}/callback?*`);
    expect(messages).toEqual([]);
  });

  it('heeds nobody but the page that opened it, and forged words from elsewhere move that page nowhere', async () => {
    const desk = await chrome.desktop();
    const { messages } = await hear(desk);
    const page = good.put('/page', `${element()}<iframe src="${bad.put('/stranger', '<p>stranger</p>')}"></iframe>`);
    await desk.page.goto(page);
    const popup = await openPopup(desk.page);
    const forged = JSON.stringify({ type: 'done', continue: `${server.url}/connect/continue/forged.handle` });
    const stranger = desk.page.frames().find((frame) => frame.url().startsWith(bad.url));
    await stranger?.evaluate(`parent.postMessage(${forged}, '*')`);
    await popup.evaluate("window.postMessage({ type: 'theme', theme: 'dark' }, '*')");
    await expect.poll(() => messages.filter((message) => /forged|"dark"/.test(message)).length).toBe(2);
    expect(desk.page.url()).toBe(page);
    expect(await popup.locator('html').getAttribute('data-theme')).toBe('auto');
    await desk.page.evaluate("document.querySelector('qr-connect').setAttribute('theme', 'dark')");
    await expect.poll(() => popup.locator('html').getAttribute('data-theme')).toBe('dark');
    expect(desk.requests.some(({ url }) => url.includes('/connect/continue/'))).toBe(false);
  });
});

describe('the consoles', () => {
  it('show nothing unexpected', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});

async function statuses(): Promise<string[]> {
  const rows = await server.database.sql<{ status: string }>('SELECT status FROM ticket ORDER BY created_at DESC');
  return rows.map(({ status }) => status);
}
