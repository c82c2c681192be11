/** Every page of ours in both languages: what a screen reader, a keyboard, a narrow screen and a reader of that language need. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, type Person } from '../support/demo-site.js';
import { pageData } from '../support/http.js';
import { problemsOf } from '../support/page-checks.js';
import { signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { wrongMatchCode } from '../support/ticket-house.js';

let server: TestApp;
let chrome: TestBrowser;
let shop: WechatSite;
let house: OauthSite;
let setupToken: string;

beforeAll(async () => {
  [server, chrome] = await Promise.all([startApp(), openBrowser()]);
  shop = await wechatSite(server.app, server);
  house = await oauthSite(server.app, server);
  setupToken = (await server.app.administrators.bootstrap(undefined)) as string;
});
afterAll(async () => {
  await chrome?.close();
  await server?.stop();
});

const connect = (query: Record<string, string>) => `/connect/qrconnect?${new URLSearchParams(query)}`;
const authorize = (query: Record<string, string>) => `/oauth/authorize?${new URLSearchParams(query)}`;

/** Address by name; the second number is the status the page comes with. */
const PAGES: Record<string, (lang: string) => [address: string, status: number]> = {
  home: () => ['/', 200],
  'ticket API': () => ['/api/qr', 200],
  'waiting, WeChat': (lang) => [connect({ ...shop.request(), lang: lang === 'en' ? 'en' : 'cn' }), 200],
  'waiting, WeChat, compact': (lang) => [
    connect({ ...shop.request(), lang: lang === 'en' ? 'en' : 'cn', stylelite: '1' }),
    200,
  ],
  'waiting, OAuth': () => [connect(house.request().query), 200],
  'waiting, standard door': () => [authorize(house.request().query), 200],
  'code unknown': () => ['/s/unknown-unknown-unknown', 404],
  'set-up': () => [`/admin/setup?token=${setupToken}`, 200],
  'set-up, wrong link': () => ['/admin/setup?token=wrong', 403],
  'nothing here': () => ['/nothing-here', 404],
  'request over': () => ['/interaction/unknown', 410],
  'WeChat’s own poll': () => ['/connect/l/qrconnect', 410],
  'wrong appid': (lang) => [connect({ ...shop.request(), appid: 'nobody', lang }), 200],
  'wrong scope': (lang) => [connect({ ...shop.request(), scope: 'snsapi_base', lang }), 200],
  'wrong redirect_uri, WeChat': (lang) => [
    connect({ ...shop.request(), redirect_uri: 'https://x.example/', lang }),
    200,
  ],
  'unknown client': () => [connect({ ...house.request().query, client_id: 'nobody' }), 400],
  'wrong redirect_uri': () => [connect({ ...house.request().query, redirect_uri: 'https://x.example/' }), 400],
  'no challenge': () => [connect({ ...house.request().query, code_challenge: '' }), 400],
  'wrong parameter': () => [connect({ ...house.request().query, theme: 'pink' }), 400],
  'standard door, unknown client': () => [authorize({ ...house.request().query, client_id: 'nobody' }), 400],
  'standard door, wrong redirect_uri': () => [
    authorize({ ...house.request().query, redirect_uri: 'https://x.example/' }),
    400,
  ],
};

/** Texts that the page's script may show later: none is a key that stands for itself. */
function missingTexts(html: string): string[] {
  if (!html.includes('id="page-data"')) return [];
  const { texts = {} } = pageData<{ texts?: Record<string, string> }>(html);
  return Object.entries(texts).flatMap(([key, text]) => (key === text ? [key] : []));
}

async function open({ page }: Actor, address: string): Promise<[status: number, missing: string[]]> {
  const answer = await page.goto(server.url + address);
  await page.waitForFunction("document.readyState === 'complete'");
  // What is shown on demand needs its room as well.
  await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
  return [answer?.status() ?? 0, missingTexts((await answer?.text()) ?? '')];
}

describe.each(['en', 'zh-CN'] as const)('in %s', (lang) => {
  const scanAddress = async (page: Page) => {
    await page.goto(server.url + connect(shop.request()));
    return new URL((await page.locator('#phone-link').getAttribute('href')) as string).pathname;
  };
  let person: Person;

  it.each(Object.keys(PAGES))(
    'the page "%s" speaks, is labelled, fits a narrow screen and shows its focus',
    async (name) => {
      const desk = await chrome.desktop({ locale: lang });
      const [address, status] = PAGES[name]?.(lang) ?? ['', 0];
      if (status >= 400) desk.foretell(new RegExp(`status of ${status}`));
      expect(await open(desk, address)).toEqual([status, []]);
      expect(await problemsOf(desk.page, lang)).toEqual([]);
      expect(desk.complaints()).toEqual([]);
      await desk.context.close();
    },
  );

  it('so do the phone’s pages: sign-in, a wrong password, the decision, and each of its ends', async () => {
    person = await newPerson(server, lang === 'en' ? 'Anna' : '张三');
    const [desk, phone] = [await chrome.desktop(), await chrome.phone({ locale: lang })];
    const { page } = phone;
    phone.foretell(/status of 40[13]/, /status of 410/);
    const scan = await scanAddress(desk.page);
    expect(await open(phone, scan)).toEqual([200, []]);
    expect(await problemsOf(page, lang)).toEqual([]);
    await page.locator('#username').fill(person.username);
    await page.locator('#password').fill('not this one');
    await page.locator('#submit').tap();
    await expect.poll(() => page.locator('#problem').textContent()).not.toBe('');
    expect(await page.locator('#password').getAttribute('aria-invalid')).toBe('true');
    expect(await problemsOf(page, lang)).toEqual([]);
    await page.locator('#password').fill(person.password);
    await page.locator('#submit').tap();
    await page.locator('#deny:enabled').waitFor();
    expect(await problemsOf(page, lang)).toEqual([]);
    await page
      .locator('#match-code')
      .fill(wrongMatchCode((await desk.page.locator('#match-code').textContent()) ?? ''));
    await page.locator('#allow').tap();
    await expectOutcome(page, 'wrongCode', lang);

    desk.foretell(/status of 40\d/);
    await page.goto(server.url + (await scanAddress(desk.page)));
    await page.locator('#deny:enabled').tap();
    await expectOutcome(page, 'denied', lang);

    await page.goto(server.url + (await scanAddress(desk.page)));
    await page.locator('#deny:enabled').waitFor();
    await page.locator('#match-code').fill((await desk.page.locator('#match-code').textContent()) ?? '');
    await page.locator('#allow').tap();
    await expectOutcome(page, 'confirmed', lang);
    // The same address again: the code is used, said by a page of its own.
    await page.reload();
    expect(await problemsOf(page, lang)).toEqual([]);
    expect(phone.complaints()).toEqual([]);
  });

  it('so does the page that another phone was faster at', async () => {
    const [desk, phone] = [await chrome.desktop(), await chrome.phone({ locale: lang })];
    phone.foretell(/status of 410/);
    const scan = await scanAddress(desk.page);
    const other = await signIn(server, person.username, person.password);
    expect((await other.scan(server.url + scan)).answer.status).toBe(200);
    expect((await open(phone, scan))[0]).toBe(410);
    expect(await problemsOf(phone.page, lang)).toEqual([]);
  });
});

async function expectOutcome(page: Page, outcome: string, lang: string): Promise<void> {
  await page.locator(`#outcome[data-outcome=${outcome}]`).waitFor();
  expect(await problemsOf(page, lang)).toEqual([]);
  // A screen reader is taken to the news.
  expect(await page.locator('#outcome-title').innerText()).not.toBe('');
}
