/** The waiting page in the frames sites make for it, at each moment: nothing is cut off, covered, pale, or moves for no reason. */
import type { Frame, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

const LONG_HOST = `accounts.${'a-rather-long-name.'.repeat(4)}example-university.edu`;
/** The least sizes that WeChat’s documentation advises, and one between. */
const SIZES = [
  { width: 300, height: 400, stylelite: '' },
  { width: 220, height: 220, stylelite: '1' },
  { width: 260, height: 260, stylelite: '1' },
];

/** What is wrong with the page inside its frame. `shown`: the parts that must be there. */
const CHECKS = `(shown) => {
  const wrong = [];
  const { scrollWidth, scrollHeight } = document.body;
  if (scrollWidth > innerWidth || scrollHeight > innerHeight) wrong.push('overflows: ' + scrollWidth + ' x ' + scrollHeight);
  const parts = ['.waiting-brand', '#site-host', '.stage', '#headline', '#detail', '#act', '.demo-link']
    .map((name) => [name, document.querySelector(name)])
    .filter(([, element]) => element && element.checkVisibility() && element.getBoundingClientRect().height > 0);
  let above = 0;
  for (const [name, element] of parts) {
    const box = element.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth || box.bottom > innerHeight) wrong.push(name + ' is cut off by the frame');
    if (box.top < above - 0.5) wrong.push(name + ' covers what is above it');
    if (element.scrollWidth > Math.ceil(box.width)) wrong.push(name + ' is cut off');
    above = box.bottom;
  }
  for (const name of shown) if (!parts.some(([part]) => part === name)) wrong.push('no ' + name);

  const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (text) => channels(text).slice(0, 3)
    .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 0 ? ground(element.parentElement) : backgroundColor;
  };
  for (const element of document.querySelectorAll('.brand-name, #site-host, .site-lead, .site-name, #match-code, #headline, #detail, #act, a')) {
    if (!element.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push('pale: ' + element.outerHTML.slice(0, 60));
  }
  return wrong;
}`;

/** Every way a frame is asked for: each size in both languages, black with a short host, white with one too long to show. */
async function openFrames(desk: Actor): Promise<Frame[]> {
  const short = await wechatSite(server.app, server, { redirectUris: [`${site.url}/callback`] });
  const long = await wechatSite(server.app, server, {
    name: '名字很长的网上书店',
    redirectUris: [`https://${LONG_HOST}/callback`],
    embedOrigins: [site.url],
  });
  const frames = SIZES.flatMap(({ width, height, stylelite }) =>
    ['cn', 'en'].flatMap((lang) => {
      // Requests, which a test can hold; what a socket says it cannot.
      const look = { lang, stylelite, transports: 'long-poll' };
      return [
        short.request({ ...look, redirect_uri: `${site.url}/callback` }),
        long.request({ ...look, redirect_uri: `https://${LONG_HOST}/callback`, style: 'white' }),
      ].map((query) => {
        const src = `${server.url}/connect/qrconnect?${new URLSearchParams(query)}`.replaceAll('&', '&amp;');
        return `<iframe src="${src}" width="${width}" height="${height}" frameborder="0"></iframe>`;
      });
    }),
  );
  await desk.page.goto(site.put('/frames', frames.join('')));
  return desk.page.frames().slice(1);
}

describe('the waiting page in small frames', () => {
  it('fits, in both languages and tones, with the code, without a network, with the number and with the button', async () => {
    const desk = await chrome.desktop({ viewport: { width: 1300, height: 1400 } });
    desk.foretell(/ERR_FAILED/);
    // What the server says next, told by hand: all frames stand at the same moment.
    const held: Route[] = [];
    await desk.page.route('**/api/qr/tickets/**', (route) => void held.push(route));
    const frames = await openFrames(desk);
    const answerAll = async (answer: (route: Route) => Promise<void>) => {
      await expect.poll(() => held.length).toBe(frames.length);
      await Promise.all(held.splice(0).map(answer));
    };
    const status = (body: object) => answerAll((route) => route.fulfill({ json: { expires_in: 60, ...body } }));
    const expectWell = async (selector: string, ...shown: string[]) => {
      for (const frame of frames) {
        await frame.locator(selector).waitFor();
        const wrong = await frame.evaluate<string[]>(`(${CHECKS})(${JSON.stringify(['#site-host', ...shown])})`);
        expect([frame.url(), wrong]).toEqual([frame.url(), []]);
      }
    };
    const tops = () => Promise.all(frames.map((frame) => frame.evaluate<number>(TOP)));

    await expectWell('#box[data-phase=waiting]', '.stage', '#headline');
    const before = await tops();
    await answerAll((route) => route.abort());
    await expectWell('#box.is-lost', '.stage', '#headline', '#detail');
    await status({ status: 'scanned', match_code: '42' });
    await expectWell('#box[data-phase=scanned]', '.stage', '#headline', '#detail');
    await status({ status: 'cancelled' });
    await expectWell('#box[data-phase=cancelled]', '#headline', '#detail', '#act');
    // The site's name stays where it was, give or take the room a demo's link leaves.
    for (const [i, top] of (await tops()).entries()) expect(Math.abs(top - (before[i] as number))).toBeLessThan(16);
    expect(desk.complaints()).toEqual([]);
  });

  it('shows the end of a host that is too long, since that says whose it is', async () => {
    const desk = await chrome.desktop();
    const frames = await openFrames(desk);
    const hosts = await Promise.all(frames.map((frame) => frame.locator('#site-host').textContent()));
    const long = hosts.filter((host) => host !== new URL(site.url).host);
    expect(long).toHaveLength(SIZES.length * 2);
    for (const host of long) {
      expect(host).toMatch(/^….*example-university\.edu$/);
      expect(LONG_HOST.endsWith((host as string).slice(1))).toBe(true);
    }
  });
});

const TOP = "document.querySelector('#site-host').getBoundingClientRect().top";
