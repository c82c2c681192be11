/** The standard door: an OpenID Connect request in the whole tab, the QR page as login page, in the browser's own language. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { allowWith, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { matchCodeOn, scanScreen } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  house = await oauthSite(server.app, server, { redirectUris: [`${site.url}/callback`] });
  site.put('/callback', '<p>signed in</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

const authorize = (query: Record<string, string>) => `${server.url}/oauth/authorize?${new URLSearchParams(query)}`;

describe.each([
  ['en', 'en-GB', 'Sign in to'],
  ['zh-CN', 'zh-CN', '登录到'],
])('the standard door in %s', (lang, locale, lead) => {
  it('shows the QR page at /interaction and ends at the redirect URI with code, state and iss', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop({ locale }), chrome.phone()]);
    const { query, verifier } = house.request({ redirect_uri: `${site.url}/callback` });
    await desk.page.goto(authorize(query));
    expect(new URL(desk.page.url()).pathname).toMatch(/^\/interaction\/[\w-]+$/);
    expect(await desk.page.locator('html').getAttribute('lang')).toBe(lang);
    expect(await desk.page.locator('h1 .site-lead').innerText()).toBe(lead);
    const qr = await scanScreen(desk.page);
    const demoLink = desk.page.locator('#phone-link');
    expect(await demoLink.isVisible()).toBe(true);
    await openOnPhone(phone, qr, await newPerson(server));
    const code = await matchCodeOn(desk.page);
    // No code is left to open.
    expect(await demoLink.isVisible()).toBe(false);
    await allowWith(phone, code);
    expect(await outcomeOn(phone)).toBe('confirmed');
    await desk.page.waitForURL(`${site.url}/callback?*`);
    const answer = new URL(desk.page.url()).searchParams;
    expect(answer.get('iss')).toBe(server.url);
    expect(answer.get('state')).toBe(query.state);
    const tokens = await house.exchange(answer.get('code') as string, verifier, {
      redirect_uri: `${site.url}/callback`,
    });
    expect(tokens.status).toBe(200);
  });
});

describe('the standard door', () => {
  it('answers a request it refuses on its own page, in the same language, and sends nobody anywhere', async () => {
    const desk = await chrome.desktop({ locale: 'zh-CN' });
    desk.foretell(/status of 400/);
    await desk.page.goto(authorize(house.request({ redirect_uri: 'http://127.0.0.1:9/elsewhere' }).query));
    expect(new URL(desk.page.url()).origin).toBe(server.url);
    expect(await desk.page.locator('html').getAttribute('lang')).toBe('zh-CN');
    expect(await desk.page.locator('h1').innerText()).toMatch(/\p{Script=Han}/u);
  });

  it('leaves nothing on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
