/** The login page on the phone itself: signing in right here, and no code to hold before one's own camera (T15). */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../support/browser.js';
import { allowHere, type FrontDoor, openFrontDoor, signInHere } from '../support/front-door.js';
import { problemsOf } from '../support/page-checks.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { scanScreen } from '../support/screen.js';

let door: FrontDoor;

beforeAll(async () => {
  door = await openFrontDoor();
});
afterAll(() => door?.stop());

const qrOf = (page: Page) => page.getByRole('img', { name: /QR code|二维码/ });
const watching = ({ requests }: Actor) => requests.filter(({ url }) => url.includes('/api/qr/')).length;

/** Neither painted nor there for a screen reader. */
async function expectNoCode(page: Page): Promise<void> {
  expect(await qrOf(page).count()).toBe(0);
  expect(await page.locator('#qr').isVisible()).toBe(false);
  expect(await page.locator('body').ariaSnapshot()).not.toMatch(/QR code|二维码|camera|相机/);
}

describe.each([
  ['upright', { width: 390, height: 844 }, 'en'],
  ['on its side', { width: 844, height: 390 }, 'zh-CN'],
  ['small', { width: 320, height: 568 }, 'en'],
] as const)('on a phone %s', (_how, viewport, lang) => {
  it('T15: on a phone-sized screen direct sign-in comes first, the QR code is absent until asked for', async () => {
    const phone = await door.chrome.phone({ viewport, locale: lang });
    const { page } = phone;
    await door.ask(page);
    await page.locator('#username').waitFor();
    await expectNoCode(page);
    // Until the network is quiet nobody has asked about a ticket either.
    await page.waitForLoadState('networkidle');
    expect(watching(phone)).toBe(0);
    if (viewport.width < 600) expect(await problemsOf(page, lang)).toEqual([]);
    const other = page.getByRole('button', { name: /another phone|另一部手机/ });
    await other.tap();
    expect(await scanScreen(page)).toContain(`${door.server.url}/s/`);
    expect(await qrOf(page).count()).toBe(1);
    expect(await page.locator('#form').isVisible()).toBe(false);
    expect(await page.locator(':focus').getAttribute('id')).toBe('headline');
    await expect.poll(() => watching(phone)).toBeGreaterThan(0);
    if (viewport.width < 600) expect(await problemsOf(page, lang)).toEqual([]);
    await page.locator('#switch-way').tap();
    await expectNoCode(page);
    expect(await page.locator('#username').isVisible()).toBe(true);
  });
});

describe('on a phone', () => {
  it('T15: shows no QR code where no script runs, and says what is missing', async () => {
    const { page } = await door.chrome.phone({ javaScriptEnabled: false });
    await door.ask(page);
    expect(await page.locator('#qr').isVisible()).toBe(false);
    expect(await page.content()).toContain('<noscript><p class="notice">This page needs JavaScript.');
  });

  it('draws a fresh code when it is asked for one later than the first one lives', async () => {
    const phone = await door.chrome.phone();
    const { page } = phone;
    phone.foretell(/status of 410/);
    await door.ask(page);
    const stale = await page.locator('#phone-link').getAttribute('href');
    await door.endTicket();
    await page.locator('#switch-way').tap();
    await expect.poll(() => page.locator('#phone-link').getAttribute('href')).not.toBe(stale);
    expect(await scanScreen(page)).not.toBe(stale);
  });

  it('signs in with another phone when the person asks for that', async () => {
    const [phone, other] = [await door.chrome.phone(), await door.chrome.phone()];
    const asked = await door.ask(phone.page);
    await phone.page.locator('#switch-way').tap();
    const qr = await scanScreen(phone.page);
    expect(await approveOnPhone(other, qr, await door.person(), phone.page)).toBe('confirmed');
    expect((await door.claims(asked, await door.answer(phone.page))).amr).toEqual(['pwd', 'qr']);
  });

  it('signs in with a password', async () => {
    const { page } = await door.chrome.phone();
    const asked = await door.ask(page);
    await signInHere(page, await door.person());
    await allowHere(page);
    expect((await door.claims(asked, await door.answer(page))).amr).toEqual(['pwd']);
  });
});

describe.each(['en', 'zh-CN'] as const)('the phone of somebody, in %s', (lang) => {
  it('T15: offers to continue as them, in one tap, and no QR code', async () => {
    const person = await door.person(lang === 'en' ? 'Anna' : '张三');
    const phone = await door.chrome.phone({ locale: lang });
    await door.makePhoneOf(phone, person);
    const { page } = phone;
    await door.ask(page);
    await expectNoCode(page);
    expect(await page.locator('#password').isVisible()).toBe(false);
    await page.locator('#continue:enabled').waitFor();
    expect(await problemsOf(page, lang)).toEqual([]);
    // The Tab key has led out of the page.
    const asked = await door.ask(page);
    await page.getByRole('button', { name: person.nickname }).tap();
    await allowHere(page);
    const { auth_time: at = 0 } = await door.claims(asked, await door.answer(page));
    // The site learns when they really proved who they are, not when they tapped.
    expect(Date.now() / 1000 - at).toBeGreaterThan(3000);
  });
});

describe('the phone of somebody', () => {
  it('T17: does not continue for a press on a page that has only just got the focus', async () => {
    const phone = await door.chrome.phone();
    await door.makePhoneOf(phone, await door.person('Anna'));
    const { page } = phone;
    await door.ask(page);
    await page.locator('#continue:enabled').waitFor();
    const wasDisabled = await page.evaluate(`(async () => {
      window.dispatchEvent(new Event('focus'));
      await new Promise((resolve) => setTimeout(resolve, 60));
      const button = document.getElementById('continue');
      const wasDisabled = button.disabled;
      button.click();
      button.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      return wasDisabled;
    })()`);
    expect(wasDisabled).toBe(true);
    await page.locator('#continue:enabled').waitFor();
    expect(phone.requests.filter(({ url }) => url.endsWith('/continue'))).toEqual([]);
  });

  it('lets another person sign in instead', async () => {
    const [owner, guest] = [await door.person('Anna'), await door.person('Ben')];
    const phone = await door.chrome.phone();
    await door.makePhoneOf(phone, owner);
    const { page } = phone;
    await door.ask(page);
    await page.getByRole('button', { name: 'Use another account' }).tap();
    expect(await page.getByRole('button', { name: 'Continue as Anna' }).count()).toBe(0);
    expect(await page.getByLabel('User name').inputValue()).toBe('');
    expect(await page.locator(':focus').getAttribute('id')).toBe('username');
    await signInHere(page, guest);
    await page.locator('#consent').waitFor();
    expect(await page.locator('.account').innerText()).toContain('Ben');
  });

  it.each([
    ['prompt=login', { prompt: 'login' }],
    ['max_age', { max_age: '60' }],
  ])('asks for their password when the site wants a fresh sign-in (%s)', async (_how, more) => {
    const person = await door.person('Anna');
    const phone = await door.chrome.phone();
    await door.makePhoneOf(phone, person);
    const { page } = phone;
    phone.foretell(/status of 401/);
    const asked = await door.ask(page, more);
    expect(await page.getByRole('button', { name: 'Continue as Anna' }).count()).toBe(0);
    expect(await page.getByLabel('User name').isVisible()).toBe(false);
    expect(await page.locator('#fixed').innerText()).toContain('Anna');
    expect(await problemsOf(page, 'en')).toEqual([]);
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Sign in', exact: true }).tap();
    await expect.poll(() => page.locator('#problem').textContent()).toBe('That is not the password of this account.');
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).tap();
    await allowHere(page);
    const { auth_time: at = 0 } = await door.claims(asked, await door.answer(page));
    expect(Math.abs(Date.now() / 1000 - at)).toBeLessThan(60);
  });

  it('asks for the password when "continue" came too late for the site, and when they signed out meanwhile', async () => {
    const person = await door.person('Anna');
    const phone = await door.chrome.phone();
    const { page } = phone;
    phone.foretell(/status of 40[13]/);
    await door.makePhoneOf(phone, person);
    await door.ask(page, { max_age: '5400' });
    await door.ageSignIns();
    await page.getByRole('button', { name: 'Continue as Anna' }).tap();
    await page.locator('#fixed').waitFor();
    expect(await page.locator(':focus').getAttribute('id')).toBe('password');

    await door.ask(page);
    await door.server.database.sql('UPDATE phone_session SET ended_at = now()');
    await page.getByRole('button', { name: 'Continue as Anna' }).tap();
    await expect
      .poll(() => page.locator('#problem').textContent())
      .toBe('You are no longer signed in here. Please enter your password.');
    expect(await page.getByLabel('User name').inputValue()).toBe(person.username);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).tap();
    await allowHere(page);
    expect((await door.answer(page)).get('code')).toBeTruthy();
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(door.chrome.complaints()).toEqual([]);
  });
});
