/** T30: wxLogin.js tells a site that the QR code is there, once, on our frame’s word and on nobody else’s (wire format 2.3). */
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let stranger: PlainSite;
let shop: WechatSite;

beforeAll(async () => {
  [server, chrome, site, stranger] = await Promise.all([startApp(), openBrowser(), startPlainSite(), startPlainSite()]);
  shop = await wechatSite(server.app, server, { redirectUris: [`${site.url}/callback`] });
  stranger.put('/page', '<p>stranger</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), stranger?.stop(), server?.stop()]);
});

const READY = JSON.stringify({ type: 'status', status: 'wxReady' });

/** A call of WxLogin into `id`, its options kept as window.options[id]; `more` is JavaScript inside the object. */
function widget(id: string, more = '', request = shop.request({ redirect_uri: `${site.url}/callback` })): string {
  const redirect_uri = encodeURIComponent(request.redirect_uri ?? '');
  return `<div id="${id}"></div><script>
    (window.options ??= {})['${id}'] = Object.assign(${JSON.stringify({ ...request, id, redirect_uri })}, { ${more} });
    new WxLogin(window.options['${id}']);</script>`;
}

/** Notes every call of onReady: for whom, with what, and whether that frame had drawn its QR code by then. */
const onReady = (id: string) => `onReady: (...given) => window.ready.push(['${id}', ...given])`;

async function open(...widgets: string[]): Promise<Page> {
  const { page } = await chrome.desktop();
  const script = `<script>
    window.ready = [];
    window.heard = 0;
    window.listeners = [];
    for (const name of ['addEventListener', 'removeEventListener']) {
      const original = window[name];
      window[name] = function (type) {
        if (type === 'message') window.listeners.push(name);
        return original.apply(this, arguments);
      };
    }
    EventTarget.prototype.addEventListener.call(window, 'message', () => { window.heard += 1; });
  </script>`;
  const load = `<script src="${server.url}/js/wxLogin.js"></script>`;
  await page.goto(site.put('/page', script + load + widgets.join('')));
  return page;
}

const readyOn = (page: Page) => page.evaluate<unknown[][]>('window.ready');
const heardOn = (page: Page) => page.evaluate<number>('window.heard');
const soon = { timeout: 15_000 };

async function frameIn(page: Page, id: string): Promise<Frame> {
  const handle = await page.locator(`#${id} iframe`).elementHandle();
  const frame = (await handle?.contentFrame()) as Frame;
  await frame.locator('#box[data-phase=waiting] #qr svg').waitFor();
  return frame;
}

describe('onReady', () => {
  it('is called once, with true, when the QR code can be seen', async () => {
    const page = await open(widget('box', onReady('box')));
    await expect.poll(() => readyOn(page), soon).toEqual([['box', true]]);
    const frame = page.frames()[1] as Frame;
    expect(await frame.locator('#qr svg').isVisible()).toBe(true);
    expect(await page.evaluate('window.listeners')).toEqual(['addEventListener']);
  });

  it('is not called again for the fresh code after a denial', async () => {
    const page = await open(widget('box', onReady('box')));
    const frame = await frameIn(page, 'box');
    const phone = await person(server.app, server);
    await forgetScans(server.database);
    const fresh = page.waitForResponse((response) => response.url().endsWith('/renew'));
    await phone.deny(await phone.scan((await frame.locator('#phone-link').getAttribute('href')) as string));
    await fresh;
    await frame.locator('#box[data-phase=waiting]').waitFor();
    // What our frame said before this has arrived before it.
    await frame.evaluate("parent.postMessage('last', '*')");
    await expect.poll(() => heardOn(page), soon).toBe(2);
    expect(await readyOn(page)).toEqual([['box', true]]);
  });

  it('is called for each of two widgets by its own frame alone', async () => {
    const page = await open(widget('one', onReady('one')), widget('two', onReady('two')));
    await expect
      .poll(async () => (await readyOn(page)).sort(), soon)
      .toEqual([
        ['one', true],
        ['two', true],
      ]);
    const [one, two] = await Promise.all([frameIn(page, 'one'), frameIn(page, 'two')]);
    expect(one).not.toBe(two);
    // Each says it once more: only the widget it belongs to listens to it.
    await two.evaluate(`parent.postMessage('${READY}', '${site.url}')`);
    await expect.poll(() => readyOn(page), soon).toHaveLength(3);
    expect((await readyOn(page))[2]).toEqual(['two', true]);
    await page.evaluate('window.options.two.onCleanup()');
    for (const frame of [two, one]) await frame.evaluate(`parent.postMessage('${READY}', '${site.url}')`);
    await expect.poll(() => readyOn(page), soon).toHaveLength(4);
    expect((await readyOn(page))[3]).toEqual(['one', true]);
    await expect.poll(() => heardOn(page), soon).toBe(5);
    expect(await readyOn(page)).toHaveLength(4);
  });

  it('is heard on a site of several origins that sends no Referer of its own accord', async () => {
    const away = `${stranger.url}/callback`;
    const chain = await wechatSite(server.app, server, {
      redirectUris: [away],
      embedOrigins: [stranger.url, site.url],
    });
    const { page } = await chrome.desktop();
    const html = `<script>window.ready = [];</script><script src="${server.url}/js/wxLogin.js"></script>`;
    const headers = { 'referrer-policy': 'no-referrer' };
    await page.goto(
      site.put('/quiet', {
        html: html + widget('box', onReady('box'), chain.request({ redirect_uri: away })),
        headers,
      }),
    );
    await expect.poll(() => readyOn(page), soon).toEqual([['box', true]]);
  });

  it('T30 is not called by the site itself, by another frame, by another origin, or by anything else our frame says', async () => {
    const strangers = `<iframe id="stranger" src="${stranger.url}/page"></iframe>`;
    const page = await open(widget('box', onReady('box')), widget('other'), strangers);
    const [ours, other] = await Promise.all([frameIn(page, 'box'), frameIn(page, 'other')]);
    // Two frames of ours, one of which is listened to.
    await expect.poll(() => heardOn(page), soon).toBe(2);
    const outsider = page.frames().find((frame) => frame.url().startsWith(stranger.url)) as Frame;
    const wrong = [
      'not JSON',
      '',
      'null',
      '1',
      '"wxReady"',
      '[]',
      '{"type":"status"}',
      '{"status":"wxReady"}',
      '{"type":"status","status":"ready"}',
      '{"type":"status","status":"wxready"}',
      '{"type":"other","status":"wxReady"}',
      ['type', 'status'],
      { type: 'status', status: 'wxReady' },
      null,
    ];
    for (const message of wrong) await ours.evaluate(`parent.postMessage(${JSON.stringify(message)}, '*')`);
    await page.evaluate(`postMessage('${READY}', '*')`);
    await outsider.evaluate(`parent.postMessage('${READY}', '*')`);
    await other.evaluate(`parent.postMessage('${READY}', '*')`);
    await expect.poll(() => heardOn(page), soon).toBe(2 + wrong.length + 3);
    expect(await readyOn(page)).toEqual([['box', true]]);
    // It was listening all the time.
    await ours.evaluate(`parent.postMessage('${READY}', '*')`);
    await expect.poll(() => readyOn(page), soon).toHaveLength(2);
  });

  it('T30 is not called by a page that took the place of ours in the frame', async () => {
    const page = await open(widget('box', onReady('box')));
    await frameIn(page, 'box');
    await expect.poll(() => readyOn(page), soon).toHaveLength(1);
    stranger.put('/forger', `<script>parent.postMessage('${READY}', '*')</script>`);
    await page.locator('#box iframe').evaluate((frame, src) => Object.assign(frame, { src }), `${stranger.url}/forger`);
    await expect.poll(() => heardOn(page), soon).toBe(2);
    expect(await readyOn(page)).toHaveLength(1);
  });
});

describe('onCleanup', () => {
  it('is put onto the options, and ends the listening', async () => {
    const page = await open(widget('box', onReady('box')));
    expect(await page.evaluate('typeof window.options.box.onCleanup')).toBe('function');
    const frame = await frameIn(page, 'box');
    await expect.poll(() => readyOn(page), soon).toHaveLength(1);
    await page.evaluate('window.options.box.onCleanup(); window.options.box.onCleanup();');
    await frame.evaluate(`parent.postMessage('${READY}', '*')`);
    await expect.poll(() => heardOn(page), soon).toBe(2);
    expect(await readyOn(page)).toHaveLength(1);
    const twice = ['removeEventListener', 'removeEventListener'];
    expect(await page.evaluate('window.listeners')).toEqual(['addEventListener', ...twice]);
  });

  it.each(['', 'onReady: null', 'onReady: "call me"', 'onReady: {}'])(
    'is not there, nor any listener, with { %s }',
    async (more) => {
      const page = await open(widget('box', more));
      await frameIn(page, 'box');
      await expect.poll(() => heardOn(page), soon).toBe(1);
      expect(await page.evaluate("'onCleanup' in window.options.box")).toBe(false);
      expect(await page.evaluate('window.listeners')).toEqual([]);
    },
  );
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
