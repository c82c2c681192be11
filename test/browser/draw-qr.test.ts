/** drawQr(): a site draws the server's code its own way, and what it draws is read off the screen; the rest is refused. */
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { decodeQR } from 'qr/decode.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkColours } from '../../clients/web/src/qr-colours.js';
import { readQrSvg } from '../../clients/web/src/qr-modules.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { openPage } from '../support/page.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let svg: string;
let address: string;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  const house = await oauthSite(server.app, server);
  const renewed = await (await openPage(server, house.request().query)).renew();
  ({ qr_svg: svg, qr_url: address } = renewed.json<{ qr_svg: string; qr_url: string }>());
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

/** A page with a strict policy that imports the module from its pinned address, by its hash. */
async function openSite(page: Page, ground: string): Promise<void> {
  const { module } = server.app.widgets.manifest;
  const policy = `default-src 'none'; script-src ${server.url} 'nonce-n'; style-src 'nonce-n'; img-src data:`;
  const html = `<!doctype html><title>site</title><link rel="icon" href="data:,"><style nonce="n">body{margin:40px;background:${ground}}</style>
    <script type="module" nonce="n" crossorigin="anonymous" src="${module.url}" integrity="${module.integrity}"></script>
    <script type="module" nonce="n">
      import { drawQr } from ${JSON.stringify(module.url)};
      window.draw = (svg, options) => document.body.replaceChildren(drawQr(svg, options));
    </script><body>`;
  await page.goto(site.put('/own-qr', { html, bare: true, headers: { 'content-security-policy': policy } }));
}

async function draw(page: Page, options: object): Promise<string> {
  await page.evaluate(([code, how]) => (globalThis as never as Drawing).draw(code as string, how), [
    svg,
    options,
  ] as const);
  const { x = 0, y = 0, width = 0, height = 0 } = (await page.locator('body > *').boundingBox()) ?? {};
  // With some of the page around it, as a camera sees it.
  const clip = { x: x - 30, y: y - 30, width: width + 60, height: height + 60 };
  // No hurry: on a busy machine a search may take its time.
  return decodeQR(PNG.sync.read(await page.screenshot({ clip })), { effort: 8, timeLimit: 20_000 });
}
interface Drawing {
  draw(svg: string, options: unknown): void;
}

describe('drawQr on a site’s page', () => {
  it.each([
    ['as SVG', '#ffffff', 1, {}],
    ['as SVG in a brand’s colours, on a dark page', '#101418', 1, { dark: '#0b3d2e', light: '#f4ead5', size: 180 }],
    ['as SVG with the least contrast, at the least size', '#101418', 2, { dark: '#7e7e7e', light: '#fff', size: 135 }],
    ['as canvas', '#ffffff', 1, { as: 'canvas' }],
    ['as canvas on a fine screen', '#101418', 1.75, { as: 'canvas', dark: '#51127c', light: '#fde725', size: 200 }],
  ])('is read by a camera %s', async (_how, ground, deviceScaleFactor, options) => {
    const { page } = await chrome.desktop({ deviceScaleFactor });
    await openSite(page, ground);
    expect(await draw(page, options)).toBe(address);
    const drawn = page.locator('body > *');
    const { size = 240 } = options as { size?: number };
    expect(await drawn.boundingBox()).toMatchObject({ width: size, height: size });
    if ('as' in options) {
      const pixels = Math.round(size * deviceScaleFactor);
      expect(await drawn.evaluate((one) => [(one as never as { width: number }).width])).toEqual([pixels]);
    }
  });

  it('has a name for those who cannot see it, and nothing of the ticket in it (T36)', async () => {
    const { page, requests } = await chrome.desktop();
    await openSite(page, '#fff');
    for (const as of ['svg', 'canvas']) {
      await draw(page, { as });
      expect(await page.getByRole('img', { name: 'QR code to sign in' }).count()).toBe(1);
      await draw(page, { as, label: '扫码登录' });
      expect(await page.getByRole('img', { name: '扫码登录' }).count()).toBe(1);
      expect(await page.content()).not.toContain(address.split('/').pop() as string);
    }
    expect(requests.every(({ url }) => !url.includes('/s/'))).toBe(true);
  });

  it('says what to change, and draws nothing, where a phone could not read it', async () => {
    const { page } = await chrome.desktop();
    await openSite(page, '#fff');
    for (const [options, message] of [
      [{ dark: '#fff', light: '#000' }, /many phones do not read light codes.*swap/],
      [{ dark: '#ff9900' }, /contrast of 2\.\d:1, and phones need 4:1: take a darker dark or a lighter light/],
      [{ dark: '#444', light: '#777' }, /contrast/],
      [{ dark: 'red' }, /dark must be #rgb or #rrggbb, it is "red"/],
      [{ light: '#fff8' }, /light must be #rgb or #rrggbb/],
      [{ dark: '#000" onload="x' }, /dark must be/],
      [{ size: 100 }, /size must be from 123 \(for this code\) to 4096 CSS pixels, it is 100/],
      [{ size: Number.NaN }, /size must be/],
    ] as const) {
      await expect(draw(page, options)).rejects.toThrow(message);
      expect(await page.locator('svg, canvas').count()).toBe(0);
    }
  });
});

describe('what drawQr takes for a QR code', () => {
  it('is what this server draws, and it is the same code', () => {
    const { side, runs } = readQrSvg(svg);
    expect(svg).toContain(`viewBox="0 0 ${side} ${side}"`);
    const dark = runs.reduce((sum, { length }) => sum + length, 0);
    const inPath = [...svg.matchAll(/h(\d+)/g)].slice(1).reduce((sum, [, length]) => sum + Number(length), 0);
    expect(dark).toBe(inPath);
  });

  it.each([
    ['nothing', () => ''],
    ['another document', () => '<html></html>'],
    ['a script beside it', () => svg.replace('</svg>', '<script>x</script></svg>')],
    ['a handler', () => svg.replace('<svg ', '<svg onload="x" ')],
    ['a link', () => svg.replace('<path stroke', '<image href="https://evil.example"/><path stroke')],
    ['another colour', () => svg.replace('#000000', 'url(https://evil.example)')],
    ['something before it', () => `<?xml version="1.0"?>${svg}`],
    ['another size of ground', () => svg.replace(/h(\d+)v\d+H0z/, 'h$1v9H0z')],
    ['a curve', () => svg.replace(/h7/, 'c7 7 7 7 7 7')],
    ['a dark quiet zone', () => svg.replace('M4 4.5', 'M3 4.5')],
    ['a run that leaves the code', () => svg.replace(/h7m/, 'h700m')],
    ['a run of nothing', () => svg.replace(/h7m/, 'h0m')],
    ['a step upwards', () => svg.replace(/m(\d+) 0/, 'm$1 1')],
  ])('is not %s', (_what, bad) => {
    expect(bad()).not.toBe(svg);
    expect(() => readQrSvg(bad())).toThrow(/not the qr_svg that the server answered/);
  });

  it('has colours that are far enough apart on both sides of the border', () => {
    expect(() => checkColours('#7e7e7e', '#FFF')).not.toThrow();
    expect(() => checkColours('#808080', '#ffffff')).toThrow(/3\.9:1/);
    expect(() => checkColours('#000', '#000')).toThrow(/1\.0:1/);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
