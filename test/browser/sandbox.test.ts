/** T33: frames that may not move the page around them, frames that may, frames that move themselves; windows and their openers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { allowWith, approveOnPhone, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { readQr } from '../support/qr.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { scanScreen, widgetFrame } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let elsewhere: PlainSite;
let shop: WechatSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, site, elsewhere] = await Promise.all([
    startApp(),
    openBrowser(),
    startPlainSite(),
    startPlainSite(),
  ]);
  const redirectUris = [`${site.url}/callback`, `${elsewhere.localhostUrl}/callback`];
  shop = await wechatSite(server.app, server, { redirectUris, embedOrigins: [site.url] });
  house = await oauthSite(server.app, server, { redirectUris, embedOrigins: [site.url] });
  site.put('/callback', '<p>signed in</p>');
  elsewhere.put('/callback', '<p>signed in elsewhere</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), elsewhere?.stop(), server?.stop()]);
});

const redirect = () => ({ redirect_uri: `${site.url}/callback` });
const wechatUrl = (more: Record<string, string> = {}) =>
  `${server.url}/connect/qrconnect?${new URLSearchParams({ ...shop.request(redirect()), ...more })}`;
const frame = (src: string, sandbox?: string) =>
  `<iframe width="320" height="420" ${sandbox === undefined ? '' : `sandbox="${sandbox}"`} src="${src}"></iframe>`;

async function signIn(html: string): Promise<{ desk: Actor; place: FrameLocator }> {
  const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
  await desk.page.goto(site.put('/start', html));
  const place = widgetFrame(desk.page);
  const qr = await scanScreen(desk.page, place);
  expect(await approveOnPhone(phone, qr, await newPerson(server), place)).toBe('confirmed');
  return { desk, place };
}

describe('T33 a frame without allow-top-navigation', () => {
  it('signs in through <qr-connect>: the site’s own page makes the move', async () => {
    const q = house.request(redirect()).query;
    const { desk } = await signIn(`<script>
        const make = document.createElement.bind(document);
        document.createElement = (name, options) => {
          const made = make(name, options);
          if (name === 'iframe') made.setAttribute('sandbox', 'allow-scripts allow-same-origin');
          return made;
        };
      </script>
      <script src="${server.url}/widget.js" async></script>
      <qr-connect client-id="${q.client_id}" redirect-uri="${q.redirect_uri}" scope="openid" state="${q.state}"
        nonce="${q.nonce}" code-challenge="${q.code_challenge}"></qr-connect>`);
    await desk.page.waitForURL(`${site.url}/callback?*`);
    expect(new URL(desk.page.url()).searchParams.get('state')).toBe(q.state);
    expect(desk.complaints()).toEqual([]);
  });

  it('signs in through a plain frame and six lines of the site’s own script', async () => {
    const { query } = house.request({ ...redirect(), login_type: 'qr-connect' });
    const src = `${server.url}/connect/qrconnect?${new URLSearchParams(query)}`;
    const { desk } = await signIn(`${frame(src, 'allow-scripts allow-same-origin')}<script>
      addEventListener('message', ({ origin, source, data }) => {
        const ours = origin === '${server.url}' && source === document.querySelector('iframe').contentWindow;
        if (ours && data.type === 'done') location.assign(data.continue);
      });</script>`);
    await desk.page.waitForURL(`${site.url}/callback?*`);
    expect(desk.complaints()).toEqual([]);
  });
});

describe('T33 the WeChat page', () => {
  it('works in the sandbox that vue-wxlogin gives it', async () => {
    const { desk } = await signIn(frame(wechatUrl(), 'allow-scripts allow-top-navigation allow-same-origin'));
    await desk.page.waitForURL(`${site.url}/callback?*`);
    expect(desk.page.frames()).toHaveLength(1);
  });

  it('moves the frame alone with self_redirect=true', async () => {
    const { desk, place } = await signIn(frame(wechatUrl({ self_redirect: 'true' })));
    await place.getByText('signed in').waitFor();
    expect(desk.page.url()).toBe(`${site.url}/start`);
    const inner = desk.page.frames()[1]?.url() ?? '';
    expect(inner.startsWith(`${site.url}/callback?code=`)).toBe(true);
  });

  it('asks for one click where the browser lets no untouched frame lead the tab to another site', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    desk.foretell(/Unsafe attempt to initiate navigation/);
    const away = { redirect_uri: `${elsewhere.localhostUrl}/callback` };
    const shown = desk.page.waitForResponse((response) => response.url().includes('/connect/qrconnect'));
    await desk.page.goto(site.put('/start', frame(wechatUrl(away))));
    // Nothing may touch the frame before: to the browser, a test that looks into it is a person who clicked.
    const qr = readQr(await (await shown).text());
    await openOnPhone(phone, qr, await newPerson(server));
    const [ticket] = await server.database.sql<{ match_code: string }>(
      'SELECT match_code FROM ticket ORDER BY created_at DESC LIMIT 1',
    );
    await allowWith(phone, ticket?.match_code ?? '');
    expect(await outcomeOn(phone)).toBe('confirmed');
    await expect.poll(() => desk.requests.some(({ url }) => url.endsWith('/redeem'))).toBe(true);
    const place = widgetFrame(desk.page);
    await place.locator('#box[data-phase=blocked]').waitFor();
    expect(desk.page.url()).toBe(`${site.url}/start`);
    await place.locator('#act').click();
    await desk.page.waitForURL(`${elsewhere.localhostUrl}/callback?*`);
  });
});

describe('T33 our page in a window that a site opens', () => {
  it.each([
    ['WeChat', () => wechatUrl({ state: 'popup' })],
    ['OAuth', () => `${server.url}/connect/qrconnect?${new URLSearchParams(house.request(redirect()).query)}`],
  ])('has no opener, cannot be steered by it, and ends at the site (%s)', async (_dialect, address) => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    await desk.page.goto(site.put('/start', '<button>sign in</button>'));
    const opens = `document.querySelector('button').onclick = () => { window.w = open(${JSON.stringify(address())}) }`;
    await desk.page.evaluate(opens);
    const opened = desk.page.waitForEvent('popup');
    await desk.page.getByRole('button').click();
    const popup = await opened;
    const qr = await scanScreen(popup);
    expect(await popup.evaluate('window.opener')).toBe(null);
    // What the site holds is a window that is gone: it can neither send it to a copy of our page nor close it.
    await desk.page.evaluate(`w.location = '${site.url}/fake'; w.postMessage('x', '*'); w.close();`);
    expect(await desk.page.evaluate('[w.closed, w.length]')).toEqual([true, 0]);
    expect(await approveOnPhone(phone, qr, await newPerson(server), popup)).toBe('confirmed');
    await popup.waitForURL(`${site.url}/callback?*`);
    expect(site.asked.filter(({ path }) => path === '/fake')).toEqual([]);
  });
});

describe('T33 a link of ours that opens another window', () => {
  it('gives it no way back', () => {
    const views = readdirSync(join(projectRoot, 'views'), { recursive: true, encoding: 'utf8' });
    const pages = views.filter((name) => name.endsWith('.njk'));
    const links = pages.flatMap((name) => {
      const text = readFileSync(join(projectRoot, 'views', name), 'utf8');
      return [...text.matchAll(/<(?:a|area|form|base)\b[^>]*\btarget=[^>]*>/g)].map(([tag]) => tag);
    });
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((tag) => !/\brel="[^"]*\bnoopener\b/.test(tag))).toEqual([]);
    const scripts = readdirSync(join(projectRoot, 'browser'), { recursive: true, encoding: 'utf8' });
    const opening = scripts
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => /\bopen\(|\.target\b|'target'/.test(readFileSync(join(projectRoot, 'browser', name), 'utf8')));
    expect(opening).toEqual([]);
  });
});

describe('the consoles', () => {
  it('show nothing unexpected', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
