/** The React and Vue components: one frame and one watch each, typed news, nothing left behind; and the example sites that use them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Page, WebSocket } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { openPage } from '../support/page.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { scanScreen, widgetFrame } from '../support/screen.js';
import { freePort, startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  house = await oauthSite(server.app, server, { redirectUris: [`${site.url}/callback`] });
  site.put('/callback', '<p>back at the site</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

/** What a test's page is told through `show()`; both frameworks show the same of it. */
interface Shown {
  element?: Record<string, string>;
  ticket?: { server: string; ticketId: string; waitSecret: string };
}
interface Harness {
  show(what: Shown | null): void;
  news: string[];
  /** Each drawing of a ticket, with the status that it was given. */
  drawn: string[];
}
const on = '(event) => { news.push(event.type); if (what.element.stay) event.preventDefault(); }';
const handlers = ['Ready', 'Scanned', 'Confirmed', 'Denied', 'Expired', 'Error'].map((name) => `on${name}: ${on}`);

/** A component that comes too late with its attributes shows here, and here only. */
const WITNESS = `document.addEventListener('error', (event) => event.detail && news.push(event.detail.error), true);`;

const HARNESS = {
  react: `
    import { QrConnect, useTicket } from '@qrconnect/react';
    import { createElement as h, StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    const [news, drawn] = [(window.news = []), (window.drawn = [])];
    ${WITNESS}
    function Watch({ ticket }) {
      const { status, matchCode } = useTicket(ticket);
      drawn.push(ticket.ticketId + ' ' + status);
      return h('p', { id: 'watch' }, status, ' ', matchCode);
    }
    function Element({ what }) {
      const { stay, ...options } = what.element;
      return h(QrConnect, { ...options, className: 'mine', 'data-mine': 'yes', 'aria-label': 'Mine', ${handlers} });
    }
    const root = createRoot(document.getElementById('app'));
    window.show = (what) => root.render(h(StrictMode, null,
      what?.element && h(Element, { what }), what?.ticket && h(Watch, { ticket: what.ticket })));`,
  vue: `
    import { QrConnect, useTicket } from '@qrconnect/vue';
    import { createApp, defineComponent, h, shallowRef } from 'vue';
    const [news, drawn] = [(window.news = []), (window.drawn = [])];
    ${WITNESS}
    const shown = shallowRef(null);
    const Watch = defineComponent((props) => {
      const { status, matchCode } = useTicket(() => props.ticket);
      return () => {
        drawn.push(props.ticket.ticketId + ' ' + status.value);
        return h('p', { id: 'watch' }, [status.value, ' ', matchCode.value]);
      };
    }, { props: ['ticket'] });
    const Element = defineComponent((props) => () => {
      const what = props.what;
      const { stay, ...options } = what.element;
      return h(QrConnect, { ...options, class: 'mine', 'data-mine': 'yes', 'aria-label': 'Mine', ${handlers} });
    }, { props: ['what'] });
    createApp(() => [shown.value?.element && h(Element, { what: shown.value }),
      shown.value?.ticket && h(Watch, { ticket: shown.value.ticket })]).mount('#app');
    window.show = (what) => { shown.value = what; };`,
};

async function bundle(contents: string): Promise<string> {
  const clients = join(projectRoot, 'clients');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: projectRoot },
    bundle: true,
    write: false,
    format: 'iife',
    alias: {
      '@qrconnect/web': join(clients, 'web/src/qrconnect.ts'),
      '@qrconnect/react': join(clients, 'react/src/react.ts'),
      '@qrconnect/vue': join(clients, 'vue/src/vue.ts'),
    },
    // The developers' builds: React mounts everything twice there.
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

const signIn = (): Record<string, string> => {
  const q = house.request({ redirect_uri: `${site.url}/callback` }).query as Record<string, string>;
  const { client_id: clientId, redirect_uri: redirectUri, scope, state, nonce, code_challenge: codeChallenge } = q;
  return { server: server.url, clientId, redirectUri, scope, state, nonce, codeChallenge } as Record<string, string>;
};
const show = (page: Page, what: Shown | null) =>
  page.evaluate((one) => (globalThis as never as Harness).show(one), what);
const newsOf = (page: Page) => page.evaluate(() => (globalThis as never as Harness).news);
const tickets = () => server.database.sql<{ status: string }>('SELECT status FROM ticket ORDER BY created_at');

describe.each(['react', 'vue'] as const)('the %s client', (framework) => {
  let script: string;
  beforeAll(async () => {
    script = await bundle(HARNESS[framework]);
  });

  async function openHarness() {
    const desk = await chrome.desktop();
    const bare = `<!doctype html><title>site</title><link rel="icon" href="data:,"><div id="app"></div>
      <script>${script.replaceAll('</script', '<\\/script')}</script>`;
    await desk.page.goto(site.put(`/${framework}`, { html: bare, bare: true }));
    return desk;
  }

  it('shows one frame with one ticket, hands the news on, lets a handler keep the page, and cleans up', async () => {
    const before = (await tickets()).length;
    const [desk, phone] = await Promise.all([openHarness(), chrome.phone()]);
    const { page } = desk;
    const element = signIn();
    await show(page, { element: { ...element, stay: 'yes' } });
    const qr = await scanScreen(page, widgetFrame(page));
    expect(await page.locator('qr-connect.mine[data-mine=yes][aria-label=Mine]').count()).toBe(1);
    // The same again is no change, however often a framework says it; the theme is told to the frame there is.
    await show(page, { element: { ...element, stay: 'yes' } });
    await show(page, { element: { ...element, stay: 'yes', theme: 'dark' } });
    await expect.poll(() => widgetFrame(page).locator('html').getAttribute('data-theme')).toBe('dark');
    expect([page.frames().length, (await tickets()).length - before]).toEqual([2, 1]);
    await approveOnPhone(phone, qr, await newPerson(server), widgetFrame(page));
    await expect.poll(() => newsOf(page)).toEqual(['ready', 'scanned', 'confirmed']);
    // The handler prevented it: the page is where it was, and the next request has a frame of its own.
    await show(page, { element: signIn() });
    await expect.poll(async () => (await newsOf(page)).slice(3)).toEqual(['ready']);
    expect(page.url()).toBe(`${site.url}/${framework}`);
    await show(page, null);
    await show(page, { element: signIn() });
    await expect.poll(async () => (await newsOf(page)).slice(4)).toEqual(['ready']);
    await show(page, null);
    await expect.poll(async () => (await tickets()).at(-1)?.status).toBe('cancelled');
    expect([page.frames().length, (await tickets()).length - before]).toEqual([1, 3]);
    expect(await newsOf(page)).toHaveLength(5);
  });

  it('follows a ticket that the page holds, then another, and lets go of it', async () => {
    const { page } = await openHarness();
    const sockets: WebSocket[] = [];
    page.on('websocket', (socket) => sockets.push(socket));
    const open = () => sockets.filter((socket) => !socket.isClosed()).length;
    const anna = await person(server.app, server, 'Anna');
    for (let round = 0; round < 2; round += 1) {
      const waiting = await openPage(server, house.request({ redirect_uri: `${site.url}/callback` }).query);
      const { ticketId, waitSecret } = waiting;
      await show(page, { ticket: { server: server.url, ticketId, waitSecret } });
      const words = () => page.locator('#watch').innerText();
      await expect.poll(words).toBe('pending');
      await expect.poll(open).toBe(1);
      const scanned = await anna.scan(waiting.qr);
      await expect.poll(words).toMatch(/^scanned \d\d$/);
      // Not even at the first look: a page that sees "expired" of the one before would ask for yet another.
      const drawn = await page.evaluate(() => (globalThis as never as Harness).drawn);
      expect(drawn.find((one) => one.startsWith(ticketId))).toBe(`${ticketId} null`);
      if (round > 0) break;
      await anna.confirm(scanned, (await words()).split(' ')[1]);
      await expect.poll(words).toBe('confirmed');
    }
    await show(page, null);
    await expect.poll(open).toBe(0);
  });
});

interface Example {
  createSinglePageSite(options: {
    entry: string;
    qrconnectUrl: string;
    url: string;
    clientId: string;
    clientSecret: string;
  }): Promise<{ listen(port: number, host: string): Promise<unknown>; close(): Promise<void> }>;
}

describe('the example sites', () => {
  it.each([
    ['react', 'app.jsx', 'frame', 'en-GB'],
    ['vue', 'app.mjs', 'popup', 'zh-CN'],
  ])('in %s signs a person in, from %s', async (framework, file, mode, locale) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const client = await oauthSite(server.app, server, { redirectUris: [`${url}/callback`] });
    const examples = join(projectRoot, 'examples');
    const { createSinglePageSite } = (await import(
      pathToFileURL(join(examples, 'single-page', 'site.mjs')).href
    )) as Example;
    const example = await createSinglePageSite({
      entry: join(examples, framework, file),
      qrconnectUrl: server.url,
      url,
      clientId: client.clientId,
      clientSecret: client.secret,
    });
    await example.listen(port, '127.0.0.1');
    try {
      const visitor = await newPerson(server);
      const [desk, phone] = await Promise.all([chrome.desktop({ locale }), chrome.phone()]);
      const { page } = desk;
      await page.goto(url);
      let place: Page | ReturnType<typeof widgetFrame> = widgetFrame(page);
      if (mode === 'popup') {
        await page.getByRole('button', { name: '新窗口' }).click();
        const opened = page.waitForEvent('popup');
        await page.locator('qr-connect a').click();
        place = await opened;
      }
      const qr = await scanScreen('locator' in place && 'goto' in place ? place : page, place);
      expect(await approveOnPhone(phone, qr, visitor, place)).toBe('confirmed');
      await page.locator('#nickname').waitFor();
      expect([page.url(), await page.locator('#nickname').innerText()]).toEqual([`${url}/`, visitor.nickname]);
      await page.locator('form button').click();
      await page.locator('qr-connect').waitFor();
      // A code that another browser was given, or nobody, is no way in.
      const stolen = await fetch(`${url}/callback?code=x&state=y&iss=${encodeURIComponent(server.url)}`);
      expect(stolen.status).toBe(400);
    } finally {
      await example.close();
    }
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
