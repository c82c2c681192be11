/** Every page of the console in both languages, on a narrow screen, by keyboard, in light and in dark. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleHouse, openConsole, signInOnPage } from '../support/console.js';
import { paleWords } from '../support/contrast.js';
import { pageData } from '../support/http.js';
import { problemsOf } from '../support/page-checks.js';
import { freePort } from '../support/start-app.js';

let house: ConsoleHouse;
let id: string;

beforeAll(async () => {
  house = await openConsole();
  const { client } = await house.server.app.clients.register('test', {
    name: 'Shop 1',
    dialect: 'wechat',
    redirectUris: [`https://a-shop.example/${'long/'.repeat(60)}`],
    callbackDomain: 'a-shop.example',
    matchCode: 'off',
    styleSheets: true,
  });
  ({ id } = client);
  await house.server.app.clients.rotateSecret('test', id, 3600);
  await house.server.database.sql(
    `UPDATE client SET secrets = jsonb_set(secrets, '{0,exposedAt}', '"2026-01-02T03:04:05.000Z"')`,
  );
});
afterAll(() => house?.stop());

async function expectGood(page: Page, lang: string): Promise<void> {
  await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
  expect(await problemsOf(page, lang)).toEqual([]);
  expect(await paleWords(page)).toEqual([]);
}

describe.each(['en', 'zh-CN'] as const)('in %s', (lang) => {
  const PAGES = {
    clients: () => '/admin',
    'a new client': () => '/admin/clients/new',
    'a client': () => `/admin/clients/${id}`,
    passkeys: () => '/admin/passkeys',
  };

  it.each(Object.entries(PAGES))(
    'the page "%s" speaks, is labelled, fits, can be read and shows its focus',
    async (_, at) => {
      const actor = await house.chrome.desktop({ locale: lang });
      actor.foretell(/status of 401/);
      await actor.page.goto(house.server.url + at());
      await expectGood(actor.page, lang);
      await signInOnPage(actor.page);
      const drawn = await actor.page.goto(house.server.url + at());
      const { texts } = pageData<{ texts: Record<string, string> }>((await drawn?.text()) ?? '');
      expect(Object.entries(texts).filter(([key, text]) => key === text)).toEqual([]);
      await expectGood(actor.page, lang);
      expect(actor.complaints()).toEqual([]);
      await actor.context.close();
    },
  );

  it('so does what appears on demand: the other dialect, what was registered, the dialogs', async () => {
    const actor = await house.enter({ locale: lang });
    const { page } = actor;
    await page.goto(`${house.server.url}/admin/clients/new`);
    await page.locator('input[value=wechat]').check();
    await page.locator('#set-name').fill(lang === 'en' ? 'Shop 2' : '商店');
    await page.locator('#set-callback_domain').fill('b-shop.example');
    await expectGood(page, lang);
    await page.locator('#save').click();
    await page.locator('#registered-title').waitFor();
    await expectGood(page, lang);
    const address = await page.locator('#to-client').getAttribute('href');
    await page.goto(house.server.url + address);
    await page.locator('#rotate').click();
    await expectGood(page, lang);
    await page.keyboard.press('Escape');
    await page.locator('#disable').click();
    await expectGood(page, lang);
    await page.locator('#disable-submit').click();
    await page.locator('#delete').click();
    await expectGood(page, lang);
    expect(actor.complaints()).toEqual([]);
  });
});

describe('where passkeys are needed', () => {
  let strict: ConsoleHouse;
  beforeAll(async () => {
    strict = await openConsole({ DEMO: 'off' });
  });
  afterAll(() => strict?.stop());

  it('T65 a password leads to the page that adds the first one, and to nothing else', async () => {
    const actor = await strict.chrome.desktop();
    actor.foretell(/status of 401/);
    await actor.page.goto(`${strict.server.url}/admin?lang=en`);
    await signInOnPage(actor.page);
    expect(actor.page.url()).toBe(`${strict.server.url}/admin/passkeys?lang=en`);
    expect(await actor.page.locator('h1').innerText()).toBe('Add a passkey to open the console');
    expect(await actor.page.locator('#add').isVisible()).toBe(true);
    await expectGood(actor.page, 'en');
    expect(actor.complaints()).toEqual([]);
  });

  it('a browser without passkeys says so, and offers the password alone', async () => {
    const actor = await strict.chrome.desktop();
    actor.foretell(/status of 401/);
    await actor.context.addInitScript('delete window.PublicKeyCredential');
    await actor.page.goto(`${strict.server.url}/admin`);
    expect(await actor.page.locator('#passkey').isVisible()).toBe(false);
    expect(await actor.page.locator(':focus').getAttribute('id')).toBe('username');
    await signInOnPage(actor.page);
    expect(await actor.page.getByRole('note').innerText()).toMatch(/This browser knows no passkeys/);
    expect(await actor.page.locator('#add').isVisible()).toBe(false);
    await expectGood(actor.page, 'en');
  });
});

describe('an address where browsers allow no passkeys', () => {
  it('is told on the page, with what to do', async () => {
    const port = String(await freePort());
    const numbers = await openConsole({ PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` });
    try {
      const { page } = await numbers.enter();
      await page.goto(`${numbers.server.url}/admin/passkeys`);
      expect(await page.getByRole('note').innerText()).toMatch(/no passkeys at this address.*localhost.*https/);
      expect(await page.locator('#add').isVisible()).toBe(false);
      await page.locator('#sign-out').click();
      await page.locator('#username').waitFor();
      expect(await page.locator('#passkey').count()).toBe(0);
    } finally {
      await numbers.stop();
    }
  });
});
