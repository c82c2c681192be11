/** T30: what our frame says is heard by the registered page alone, and nobody else's words move anything. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let good: PlainSite;
let bad: PlainSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, good, bad] = await Promise.all([startApp(), openBrowser(), startPlainSite(), startPlainSite()]);
  house = await oauthSite(server.app, server, { redirectUris: [`${good.url}/callback`] });
  bad.put('/stranger', '<p>stranger</p>');
  good.put('/callback', '<p>back at the site</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([good?.stop(), bad?.stop(), server?.stop()]);
});

/** Every message each window is given, with the page that window shows. */
async function overhear({ context }: Actor) {
  const heard: { at: string; from: string; data: unknown }[] = [];
  await context.exposeFunction('overheard', (at: string, from: string, data: string) =>
    heard.push({ at, from, data: JSON.parse(data) }),
  );
  await context.addInitScript(`addEventListener('message', (event) =>
    overheard(location.origin, event.origin, JSON.stringify(event.data)));`);
  return heard;
}

const request = () => house.request({ redirect_uri: `${good.url}/callback` }).query;
const rawFrame = () =>
  `<iframe id="raw" width="320" height="420" src="${server.url}/connect/qrconnect?${new URLSearchParams({ ...request(), login_type: 'qr-connect' })}"></iframe>`;
const element = () => {
  const q = request();
  return `<script src="${server.url}/widget.js" async></script><qr-connect client-id="${q.client_id}" redirect-uri="${q.redirect_uri}"
    scope="openid profile" state="${q.state}" nonce="${q.nonce}" code-challenge="${q.code_challenge}"></qr-connect>`;
};
const stranger = () => `<iframe id="stranger" src="${bad.url}/stranger"></iframe>`;

async function frameAt(page: Page, url: string): Promise<Frame> {
  const find = () => page.frames().find((frame) => frame.url().startsWith(url));
  await expect.poll(() => find() !== undefined).toBe(true);
  const frame = find() as Frame;
  await frame.waitForLoadState();
  return frame;
}

describe('T30 what our frame says', () => {
  it('reaches the registered page, and neither a stranger’s frame beside it nor the frame itself', async () => {
    const desk = await chrome.desktop();
    const heard = await overhear(desk);
    await desk.page.goto(good.put('/page', element() + stranger()));
    await desk.page.frameLocator('qr-connect iframe').locator('#qr svg').waitFor();
    const ready = { type: 'status', status: 'ready' };
    await expect.poll(() => heard.map(({ data }) => data)).toContainEqual(ready);
    const ours = heard.filter(({ from }) => from === server.url);
    expect(ours.length).toBeGreaterThan(0);
    expect(new Set(ours.map(({ at }) => at))).toEqual(new Set([good.url]));
  });

  it('is nothing at all when a stranger opens the page in a window', async () => {
    const desk = await chrome.desktop();
    const heard = await overhear(desk);
    await desk.page.goto(bad.put('/opens', '<button>open</button>'));
    const address = `${server.url}/connect/qrconnect?${new URLSearchParams({ ...request(), login_type: 'qr-connect' })}`;
    const opened = desk.page.waitForEvent('popup');
    await desk.page.evaluate(
      `document.querySelector('button').onclick = () => { window.w = open(${JSON.stringify(address)}) }`,
    );
    await desk.page.getByRole('button').click();
    const popup = await opened;
    await popup.locator('#qr svg').waitFor();
    // COOP parts the two: our page has no opener, and the opener sees a window that is gone.
    expect(await popup.evaluate('window.opener')).toBe(null);
    expect(await desk.page.evaluate('window.w.closed')).toBe(true);
    expect(heard).toEqual([]);
  });
});

describe('T30 a forged message', () => {
  it('"done" from a stranger’s frame, from a window and from the page itself moves nothing', async () => {
    const desk = await chrome.desktop();
    const heard = await overhear(desk);
    const page = good.put('/page', element() + stranger());
    await desk.page.goto(page);
    await desk.page.frameLocator('qr-connect iframe').locator('#qr svg').waitFor();
    const forged = { type: 'done', continue: `${server.url}/connect/continue/forged.handle` };
    const post = (to: string) => `${to}.postMessage(${JSON.stringify(forged)}, '*')`;
    await (await frameAt(desk.page, bad.url)).evaluate(post('parent'));
    await desk.page.evaluate(post('window'));
    await desk.page.evaluate(post('window.frames[0]'));
    await expect.poll(() => heard.filter(({ data }) => (data as typeof forged).type === 'done').length).toBe(3);
    // The element is alive and well: the next true message is obeyed.
    expect(desk.page.url()).toBe(page);
    expect(desk.requests.some(({ url }) => url.includes('/connect/continue/'))).toBe(false);
  });

  it('"done" from another frame of our own origin, with a true address, does not move the element’s page', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const heard = await overhear(desk);
    const page = good.put('/page', element() + rawFrame());
    await desk.page.goto(page);
    const raw = desk.page.frameLocator('#raw');
    const qr = (await raw.locator('#phone-link').getAttribute('href')) as string;
    expect(await approveOnPhone(phone, qr, await newPerson(server), raw)).toBe('confirmed');
    const done = () => heard.filter(({ data }) => (data as { type?: string }).type === 'done');
    await expect.poll(() => done().length).toBe(1);
    expect(done()[0]).toMatchObject({ at: good.url, from: server.url });
    expect(desk.page.url()).toBe(page);
    expect(desk.requests.some(({ url }) => url.includes('/connect/continue/'))).toBe(false);
  });

  it('"done" from a page that took the place of our frame moves nothing', async () => {
    const desk = await chrome.desktop();
    const heard = await overhear(desk);
    const forged = { type: 'done', continue: `${server.url}/connect/continue/forged.handle` };
    bad.put('/forger', `<script>parent.postMessage(${JSON.stringify(forged)}, '*')</script>`);
    const page = good.put('/page', element());
    await desk.page.goto(page);
    await desk.page.frameLocator('qr-connect iframe').locator('#qr svg').waitFor();
    await desk.page
      .locator('qr-connect iframe')
      .evaluate((frame, src) => Object.assign(frame, { src }), `${bad.url}/forger`);
    await expect.poll(() => heard.filter(({ from, at }) => from === bad.url && at === good.url).length).toBe(1);
    expect(desk.page.url()).toBe(page);
    expect(desk.requests.some(({ url }) => url.includes('/connect/continue/'))).toBe(false);
  });

  it('to our frame counts only from the registered parent, and only a theme', async () => {
    const desk = await chrome.desktop();
    const heard = await overhear(desk);
    const page = good.put('/page', rawFrame() + stranger());
    await desk.page.goto(page);
    const ours = await frameAt(desk.page, server.url);
    await ours.locator('#qr svg').waitFor();
    const atOurs = () => heard.filter(({ at }) => at === server.url).length;
    const theme = () => ours.locator('html').getAttribute('data-theme');
    const outsider = await frameAt(desk.page, bad.url);
    await outsider.evaluate("parent.frames[0].postMessage({ type: 'theme', theme: 'dark' }, '*')");
    await expect.poll(atOurs).toBe(1);
    expect(await theme()).toBe('auto');
    const wrongThemes = ['red', '"><style>', { toString: 'dark' }, null].map((value) => ({
      type: 'theme',
      theme: value,
    }));
    const others = [{ type: 'done', continue: bad.url }, { type: 'status', status: 'confirmed' }, 'theme', null];
    for (const message of [...wrongThemes, ...others])
      await desk.page.evaluate(`frames[0].postMessage(${JSON.stringify(message)}, '*')`);
    await expect.poll(atOurs).toBe(9);
    expect(await theme()).toBe('auto');
    await desk.page.evaluate("frames[0].postMessage({ type: 'theme', theme: 'dark' }, '*')");
    await expect.poll(theme).toBe('dark');
    expect(await ours.locator('#box').getAttribute('data-phase')).toBe('waiting');
    expect(desk.page.url()).toBe(page);
  });
});

describe('T30 our scripts', () => {
  it('name the window they speak to: no message goes to "*"', () => {
    const scripts = ['browser', 'clients'].flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
        .map((name) => readFileSync(join(projectRoot, folder, name), 'utf8')),
    );
    const calls = scripts.flatMap((text) => [...text.matchAll(/postMessage\([^;]*\)/g)].map(([call]) => call));
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.filter((call) => /['"`]\*['"`]/.test(call) || !call.includes(','))).toEqual([]);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
