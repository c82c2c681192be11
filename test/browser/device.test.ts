/** The pages for a device's code in a real browser: typing it, arriving by its QR code, comparing it, answering. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, type Person } from '../support/demo-site.js';
import { type Device, deviceOf, type Shown } from '../support/device.js';
import { problemsOf } from '../support/page-checks.js';
import { openOnPhone, outcomeOn, signInOnPhone } from '../support/phone-browser.js';
import { oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans } from '../support/story.js';

let server: TestApp;
let chrome: TestBrowser;
let device: Device;
let person: Person;

beforeAll(async () => {
  [server, chrome] = await Promise.all([startApp(), openBrowser()]);
  device = deviceOf(server, await oauthSite(server.app, server, { name: 'Television', deviceFlow: true }));
  person = await newPerson(server, 'Anna');
});
afterAll(async () => {
  await chrome?.close();
  await server?.stop();
});
beforeEach(() => forgetScans(server.database));

const ask = async (): Promise<Shown> => (await device.ask()).shown;
const outcomeOf = async (shown: Shown) => {
  const answer = await device.poll(shown);
  return answer.status === 200 ? 'tokens' : answer.json().error;
};

describe('a person with a code to type', () => {
  it('types it as it comes, signs in, compares it, and allows the device', async () => {
    const shown = await ask();
    const { page } = await chrome.phone();
    await page.goto(`${server.url}/device`);
    const field = page.getByLabel('Code on the device');
    expect(await page.locator(':focus').getAttribute('id')).toBe('user-code');
    await field.pressSequentially(shown.user_code.replace('-', '').toLowerCase());
    expect(await field.inputValue()).toBe(shown.user_code);
    await page.getByRole('button', { name: 'Continue' }).tap();
    // Signing in does not lose the code.
    await page.locator('#password').waitFor();
    await signInOnPhone(page, person);
    await page.locator('#allow:enabled').waitFor();
    expect(await page.locator('#user-code').textContent()).toBe(shown.user_code);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('Television');
    await page.getByRole('button', { name: 'Allow' }).tap();
    await page.locator('#outcome[data-outcome=confirmed]').waitFor();
    expect(await outcomeOf(shown)).toBe('tokens');
  });

  it('may paste it with spaces and full-width letters, and mend one in the middle', async () => {
    const { page } = await chrome.phone();
    await page.goto(`${server.url}/device`);
    const field = page.getByLabel('Code on the device');
    await field.fill('  ｂｃｄｆ ghjk');
    expect(await field.inputValue()).toBe('BCDF-GHJK');
    await field.press('Home');
    await field.press('Delete');
    await field.press('x');
    // Left as it is while somebody is at work in the middle of it; the server takes it anyway.
    expect((await field.inputValue()).toUpperCase()).toBe('XCDF-GHJK');
    await field.press('End');
    await field.press('Backspace');
    expect(await field.inputValue()).toBe('XCDF-GHJ');
  });

  it('is told when there is no such code, and may try again at the same place', async () => {
    const shown = await ask();
    const actor = await chrome.phone();
    actor.foretell(/404/);
    const { page } = actor;
    await page.goto(`${server.url}/device?user_code=BBBB-BBBB`);
    await signInOrNot(page, person);
    await page.getByRole('alert').filter({ hasText: 'There is no such code, or it is over.' }).waitFor();
    const field = page.getByLabel('Code on the device');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill(shown.user_code);
    await page.getByRole('button', { name: 'Continue' }).tap();
    await page.locator('#deny:enabled').waitFor();
    await page.getByRole('button', { name: 'Deny' }).tap();
    expect(await outcomeOn(actor)).toBe('denied');
    expect(await outcomeOf(shown)).toBe('access_denied');
  });

  it('needs no script for it', async () => {
    const shown = await ask();
    const { page } = await chrome.phone({ javaScriptEnabled: false });
    await page.goto(`${server.url}/device`);
    await page.locator('#user-code').fill(shown.user_code.toLowerCase());
    await page.locator('#submit').click();
    await page.locator('#password').waitFor();
    expect(page.url()).toBe(`${server.url}/device?user_code=${shown.user_code.toLowerCase()}`);
  });
});

/** The sign-in of a page that does not end in a decision. */
async function signInOrNot(page: Actor['page'], { username, password }: Person): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).tap();
}

describe('a person who scans the device', () => {
  it('comes to the same page, where "allow" sleeps until it has been looked at (T17)', async () => {
    const shown = await ask();
    const phone = await chrome.phone();
    await openOnPhone(phone, shown.verification_uri_complete, person);
    const { page } = phone;
    expect(await page.locator('#user-code').textContent()).toBe(shown.user_code);
    expect(await page.locator('.caution').innerText()).toContain('a device in front of you');
    await page.locator('#allow:enabled').waitFor();
    await page.evaluate(`window.dispatchEvent(new Event('focus'))`);
    expect(await page.locator('#allow').isDisabled()).toBe(true);
    expect(await page.locator('#deny').isEnabled()).toBe(true);
    expect(await outcomeOf(shown)).toBe('authorization_pending');
  });

  it('who waited too long loads the page again and can still allow it', async () => {
    const shown = await ask();
    const phone = await chrome.phone();
    phone.foretell(/410/);
    await openOnPhone(phone, shown.verification_uri_complete, person);
    const { page } = phone;
    await server.database.sql(`UPDATE ticket SET expires_at = now() - interval '1 second' WHERE status = 'scanned'`);
    await page.locator('#allow:enabled').waitFor();
    await page.locator('#allow').tap();
    expect(await outcomeOn(phone)).toBe('stale');
    await page.getByRole('button', { name: 'Reload' }).tap();
    await page.locator('#allow:enabled').waitFor();
    await page.locator('#allow').tap();
    expect(await outcomeOn(phone)).toBe('confirmed');
    expect(await outcomeOf(shown)).toBe('tokens');
  });
});

describe.each([
  ['en', 'en-GB'],
  ['zh-CN', 'zh-CN'],
])('in %s', (lang, locale) => {
  it('each page says all it has to, also on a narrow screen and to a keyboard', async () => {
    const shown = await ask();
    const phone = await chrome.phone({ locale });
    phone.foretell(/404/);
    const { page } = phone;
    const problems: Record<string, string[]> = {};
    const look = async (name: string, address: string) => {
      await page.goto(server.url + address);
      problems[name] = await problemsOf(page, lang);
    };
    await look('the form', '/device');
    await look('a code that is none', '/device?user_code=x');
    await look('the sign-in', `/device?user_code=${shown.user_code}`);
    await page.locator('#username').fill(person.username);
    await page.locator('#password').fill(person.password);
    await page.locator('#submit').tap();
    await page.locator('#deny:enabled').waitFor();
    problems['the decision'] = await problemsOf(page, lang);
    await look('a code that is unknown', '/device?user_code=BBBB-BBBB');
    expect(problems).toEqual(Object.fromEntries(Object.keys(problems).map((name) => [name, []])));
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
