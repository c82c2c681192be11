/** Who leaves for the site with the answer, and what the address is made of (wire format 1.4 to 1.6): real frames, on another site. */
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { type HttpsHosts, startHttpsHosts } from '../support/https-hosts.js';
import type { Phone } from '../support/phone.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { readQr } from '../support/qr.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const HOME = 'https://shop.example';
const CODE = '[\\w-]{20,}';

let server: TestApp;
let hosts: HttpsHosts;
let chrome: TestBrowser;
let site: PlainSite;
let shop: WechatSite;
let phone: Phone;

beforeAll(async () => {
  [server, hosts, site] = await Promise.all([startApp(), startHttpsHosts(['shop.example']), startPlainSite()]);
  chrome = await openBrowser(hosts.browserArgs);
  hosts.put('shop.example', Number(new URL(site.url).port));
  // Anywhere on the domain, and the hash routes that a domain alone does not open.
  const routes = ['/spa/#/login', '/spa/#/login?next=%2F', '/spa/?shop=7#/login', '/app#/login'];
  const redirectUris = routes.map((route) => HOME + route);
  shop = await wechatSite(server.app, server, { redirectUris, callbackDomain: 'shop.example' });
  phone = await person(server.app, server);
  site.put('/callback', '<p>signed in</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), hosts?.stop(), server?.stop()]);
});

/** The page's address, with whatever `more` asks for. */
const address = (more: Record<string, string> = {}) =>
  `${server.url}/connect/qrconnect?${new URLSearchParams(shop.request({ redirect_uri: `${HOME}/callback`, ...more }))}`;

interface Waiting {
  page: Page;
  /** What the code on the screen says. */
  qr: string;
  /** Every document the site was asked for since. */
  asked(): string[];
}

/** Opens our page as a window of its own, or in a frame on the site's page at `path`. */
async function openIn(place: 'window' | 'frame', url: string, path = '/start'): Promise<Waiting> {
  await forgetScans(server.database);
  const { page } = await chrome.desktop({ ignoreHTTPSErrors: true });
  const shown = page.waitForResponse((response) => response.url() === url);
  const frame = `<iframe width="320" height="420" src="${url.replaceAll('&', '&amp;')}"></iframe>`;
  site.put(path, place === 'frame' ? frame : '<p>start</p>');
  await page.goto(HOME + path);
  const before = site.asked.length;
  if (place === 'window') await page.goto(url);
  // Nothing looks into the frame: to the browser that would be a person who clicked in it, and may do more.
  const qr = readQr(await (await shown).text());
  return { page, qr, asked: () => site.asked.slice(before).map(({ path: asked }) => asked) };
}

async function allow(qr: string): Promise<void> {
  const scanned = await phone.scan(qr);
  const [ticket] = await server.database.sql<{ match_code: string }>(
    'SELECT match_code FROM ticket ORDER BY scanned_at DESC NULLS LAST LIMIT 1',
  );
  expect((await phone.confirm(scanned, ticket?.match_code)).status).toBe(200);
}

const landed = (frame: Page | Frame, path: string) =>
  expect.poll(() => frame.url(), { timeout: 15_000 }).toMatch(new RegExp(`^${HOME}${path}`));

/** Left out, the three documented values, and some that mean nothing. */
const WISHES: Record<string, string>[] = [
  {},
  ...['true', 'false', 'default', 'TRUE', '1', ''].map((self_redirect) => ({ self_redirect })),
];

describe('in a window of its own', () => {
  it.each(WISHES)('the page itself leaves, with %j', async (wish) => {
    const { page, qr, asked } = await openIn('window', address(wish));
    await allow(qr);
    await landed(page, `/callback\\?code=${CODE}&state=${CODE}$`);
    expect(page.frames()).toHaveLength(1);
    expect(asked()).toHaveLength(1);
  });
});

describe('in a frame on the site’s page', () => {
  it.each(WISHES.filter(({ self_redirect }) => self_redirect !== 'true'))(
    'the whole window leaves, with %j',
    async (wish) => {
      const { page, qr, asked } = await openIn('frame', address({ login_type: 'jssdk', ...wish }));
      await allow(qr);
      await landed(page, `/callback\\?code=${CODE}&state=${CODE}$`);
      expect(page.frames()).toHaveLength(1);
      expect(asked()).toHaveLength(1);
    },
  );

  it('the frame alone leaves, with {"self_redirect":"true"}', async () => {
    const { page, qr, asked } = await openIn('frame', address({ login_type: 'jssdk', self_redirect: 'true' }));
    await allow(qr);
    await landed(page.frames()[1] as Frame, `/callback\\?code=${CODE}&state=${CODE}$`);
    expect(page.url()).toBe(`${HOME}/start`);
    expect(asked()).toHaveLength(1);
  });
});

describe('the address the site is given', () => {
  const arrive = async (more: Record<string, string>) => {
    const { page, qr } = await openIn('frame', address(more));
    await allow(qr);
    await landed(page, '/.*code=');
    return page.url();
  };

  it('keeps the query that was there, to the letter', async () => {
    const url = await arrive({ redirect_uri: `${HOME}/callback?next=%2Fa%3Fb&x=1&x=&y`, state: 'plain' });
    expect(url).toMatch(new RegExp(`^${HOME}/callback\\?next=%2Fa%3Fb&x=1&x=&y&code=${CODE}&state=plain$`));
  });

  it.each([
    ['/spa/#/login', '/spa/#/login\\?'],
    ['/spa/#/login?next=%2F', '/spa/#/login\\?next=%2F&'],
    ['/spa/?shop=7#/login', '/spa/\\?shop=7#/login&'],
  ])('has the code after a hash route: %s', async (path, start) => {
    site.put('/spa/', '<p>single page</p>');
    const url = await arrive({ redirect_uri: HOME + path, state: 'plain' });
    expect(url).toMatch(new RegExp(`^${HOME}${start}code=${CODE}&state=plain$`));
  });

  it('reaches a single-page app that shows the frame itself, without loading it anew', async () => {
    const redirectUri = `${HOME}/app#/login`;
    const { page, qr, asked } = await openIn('frame', address({ redirect_uri: redirectUri, state: 'plain' }), '/app');
    const loaded = asked().length;
    await page.evaluate("addEventListener('hashchange', () => { document.body.textContent = 'routed'; })");
    await allow(qr);
    await page.getByText('routed').waitFor();
    expect(page.url()).toMatch(new RegExp(`^${HOME}/app#/login\\?code=${CODE}&state=plain$`));
    expect(asked()).toHaveLength(loaded);
  });

  it.each([
    ['nothing', undefined],
    ['every sign', 'a b&c=d?e#f%g+h/i;j"k<l>m\\n^{|}~`%2500\'&code=x&state=y'],
    ['1,500 characters', 'aZ0.-_=+%'.repeat(170).slice(0, 1500)],
  ])('T38 brings state back as it came, beside one code: %s', async (_what, state) => {
    const query = shop.request({ redirect_uri: `${HOME}/callback?x=1` });
    const { state: _fresh, ...rest } = query;
    const url = `${server.url}/connect/qrconnect?${new URLSearchParams(state === undefined ? rest : { ...rest, state })}`;
    const { page, qr } = await openIn('frame', url);
    await allow(qr);
    await landed(page, '/callback\\?x=1&code=');
    const { searchParams, hash } = new URL(page.url());
    expect([...searchParams.keys()]).toEqual(['x', 'code', 'state']);
    expect(searchParams.get('state')).toBe(state ?? '');
    expect(hash).toBe('');
  });
});

describe('a denial', () => {
  it.each([
    ['window', {}],
    ['frame', { login_type: 'jssdk' }],
    ['frame', { login_type: 'jssdk', self_redirect: 'true' }],
  ] as const)('moves nothing in a %s with %j; a fresh code appears, and it works', async (place, wish) => {
    const { page, qr, asked } = await openIn(place, address(wish));
    const start = page.url();
    const inner = page.frames().at(-1) as Frame;
    const ours = inner.url();
    const renewed = page.waitForResponse((response) => response.url().endsWith('/renew'));
    expect((await phone.deny(await phone.scan(qr))).status).toBe(200);
    const { qr_url: fresh } = (await (await renewed).json()) as { qr_url: string };
    expect([page.url(), inner.url()]).toEqual([start, ours]);
    expect(asked()).toEqual([]);
    expect(fresh).not.toBe(qr);
    await allow(fresh);
    await landed(wish && 'self_redirect' in wish ? inner : page, `/callback\\?code=${CODE}&state=${CODE}$`);
    expect(asked()).toHaveLength(1);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
