/** The phone when a site wants a fresh sign-in, and when the person wants to stay signed in on the other screen. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../support/browser.js';
import type { Person } from '../support/demo-site.js';
import { type Asked, type FrontDoor, openFrontDoor } from '../support/front-door.js';
import { problemsOf } from '../support/page-checks.js';
import { outcomeOn } from '../support/phone-browser.js';
import { matchCodeOn, scanScreen } from '../support/screen.js';

let door: FrontDoor;

beforeAll(async () => {
  door = await openFrontDoor();
});
afterAll(() => door?.stop());

interface Scene {
  desk: Page;
  phone: Actor;
  asked: Asked;
  code: string;
}

/** A phone signed in for an hour has scanned the login page's code and is asked. */
async function scanned(person: Person, more: Record<string, string> = {}, lang = 'en'): Promise<Scene> {
  const [actor, phone] = await Promise.all([door.chrome.desktop(), door.chrome.phone({ locale: lang })]);
  const desk = actor.page;
  // The page whose code has run out hears it too.
  actor.foretell(/status of 410/);
  await door.makePhoneOf(phone, person);
  return { desk, phone, ...(await scanAgain(desk, phone, more)) };
}

async function scanAgain(desk: Page, phone: Actor, more: Record<string, string> = {}) {
  const asked = await door.ask(desk, more);
  await phone.page.goto(await scanScreen(desk));
  await phone.page.locator('#deny:enabled').waitFor();
  return { asked, code: await matchCodeOn(desk) };
}

const proves = ({ requests }: Actor) => requests.filter(({ url }) => url.endsWith('/phone/prove')).length;

describe.each([
  ['prompt=login', { prompt: 'login' }],
  ['max_age', { max_age: '60' }],
])('a site that asks for a fresh sign-in by %s', (_how, more) => {
  it('gets one: the phone asks for the password, and "allow" sleeps without it', async () => {
    const person = await door.person();
    const { desk, phone, asked, code } = await scanned(person, more);
    const { page } = phone;
    phone.foretell(/status of 401/);
    const allow = page.getByRole('button', { name: 'Allow' });
    await page.getByLabel('Number on the other screen').fill(code);
    await page.getByLabel('Password').fill('not this one');
    await page.locator('#allow:enabled').waitFor();
    await page.getByLabel('Password').fill('');
    expect(await allow.isDisabled()).toBe(true);
    await page.getByLabel('Password').fill('not this one');
    await allow.tap();
    await expect
      .poll(() => page.locator('#problem').textContent())
      .toBe('That is not the password of this account. Nothing has been decided yet.');
    expect(await page.getByLabel('Number on the other screen').inputValue()).toBe(code);
    expect(await page.locator(':focus').getAttribute('id')).toBe('password');
    await page.getByLabel('Password').fill(person.password);
    await allow.tap();
    expect(await outcomeOn(phone)).toBe('confirmed');
    const { auth_time: at = 0, amr } = await door.claims(asked, await door.answer(desk));
    expect(Math.abs(Date.now() / 1000 - at)).toBeLessThan(60);
    expect(amr).toEqual(['pwd', 'qr']);
  });
});

describe('the phone', () => {
  it.each(['en', 'zh-CN'])('says all that in %s, with labels, on a narrow screen', async (lang) => {
    const { phone } = await scanned(await door.person(lang === 'en' ? 'Anna' : '张三'), { prompt: 'login' }, lang);
    expect(await phone.page.locator('#password').isVisible()).toBe(true);
    expect(await phone.page.locator('#remember').isVisible()).toBe(true);
    expect(await problemsOf(phone.page, lang)).toEqual([]);
  });

  it('asks for no password where the site does not', async () => {
    const { phone, code } = await scanned(await door.person());
    expect(await phone.page.locator('#password').isVisible()).toBe(false);
    await phone.page.getByLabel('Number on the other screen').fill(code);
    await phone.page.getByRole('button', { name: 'Allow' }).tap();
    expect(await outcomeOn(phone)).toBe('confirmed');
    expect(proves(phone)).toBe(0);
  });

  it('asks for it when the sign-in has become too old while the page was open', async () => {
    const person = await door.person();
    const { phone, code } = await scanned(person, { max_age: '5400' });
    const { page } = phone;
    phone.foretell(/status of 403/);
    expect(await page.locator('#password').isVisible()).toBe(false);
    await door.ageSignIns();
    await page.getByLabel('Number on the other screen').fill(code);
    await page.getByRole('button', { name: 'Allow' }).tap();
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Allow' }).tap();
    expect(await outcomeOn(phone)).toBe('confirmed');
  });

  it('needs no password to deny', async () => {
    const { desk, phone } = await scanned(await door.person(), { prompt: 'login' });
    await phone.page.getByRole('button', { name: 'Deny' }).tap();
    expect(await outcomeOn(phone)).toBe('denied');
    expect((await door.answer(desk)).get('error')).toBe('access_denied');
  });

  it('says that the time is over, however right the password is', async () => {
    const person = await door.person();
    const { phone, code } = await scanned(person, { prompt: 'login' });
    phone.foretell(/status of 410/);
    await phone.page.getByLabel('Number on the other screen').fill(code);
    await phone.page.getByLabel('Password').fill(person.password);
    await phone.page.locator('#allow:enabled').waitFor();
    await door.endTicket();
    await phone.page.getByRole('button', { name: 'Allow' }).tap();
    expect(await outcomeOn(phone)).toBe('expired');
  });

  it('says how long to wait after too many wrong passwords, and can still deny', async () => {
    const person = await door.person();
    const { phone, code } = await scanned(person, { prompt: 'login' });
    const { page } = phone;
    phone.foretell(/status of (401|429)/);
    await page.getByLabel('Number on the other screen').fill(code);
    await page.getByLabel('Password').fill('not this one');
    for (let tries = 1; tries <= 11; tries += 1) {
      await page.locator('#allow:enabled').tap();
      await expect.poll(() => proves(phone)).toBe(tries);
      await expect.poll(() => page.locator('#problem').textContent()).not.toBe('');
    }
    expect(await page.locator('#problem').textContent()).toMatch(/Please try again in about \d+ min\.$/);
    await page.getByRole('button', { name: 'Deny' }).tap();
    expect(await outcomeOn(phone)).toBe('denied');
  });
});

describe('"stay signed in on that browser"', () => {
  it('is off, and then the next request asks again; on, the next one is answered at once and says so', async () => {
    const person = await door.person();
    const { desk, phone, code } = await scanned(person);
    const allow = async (number: string) => {
      await phone.page.getByLabel('Number on the other screen').fill(number);
      await phone.page.getByRole('button', { name: 'Allow' }).tap();
      expect(await outcomeOn(phone)).toBe('confirmed');
      await door.answer(desk);
    };
    const remember = phone.page.getByLabel('Stay signed in on that browser');
    expect(await remember.isChecked()).toBe(false);
    await allow(code);
    const again = await scanAgain(desk, phone);
    expect(new URL(desk.url()).pathname).toMatch(/^\/interaction\//);
    await remember.check();
    await allow(again.code);
    const asked = await door.ask(desk);
    expect((await door.claims(asked, await door.answer(desk))).amr).toEqual(['pwd', 'qr', 'remembered']);
  });

  it('is not offered for a page in a frame of the site, which keeps nobody signed in', async () => {
    const phone = await door.chrome.phone();
    await door.makePhoneOf(phone, await door.person());
    const { page: desk } = await door.chrome.desktop();
    const { query } = door.house.request({ redirect_uri: `${door.site.url}/callback` });
    await desk.goto(`${door.server.url}/connect/qrconnect?${new URLSearchParams(query)}`);
    await phone.page.goto(await scanScreen(desk));
    await phone.page.locator('#deny:enabled').waitFor();
    expect(await phone.page.locator('#remember').count()).toBe(0);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(door.chrome.complaints()).toEqual([]);
  });
});
