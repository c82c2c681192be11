/** The decision on the phone: nobody else's click counts (T17), and "deny" is as easy as "allow" (T1). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { expectEqualChoices } from '../support/button-look.js';
import { newPerson, type Person, startSites } from '../support/demo-site.js';
import { openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { matchCodeOn, scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;
let person: Person;
let phone: Actor;
let code: string;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
  person = await newPerson(sites.server);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});
/** A phone that has scanned and is asked; and the number it should type. */
async function askOnPhone(): Promise<void> {
  const desk = await chrome.desktop();
  phone = await chrome.phone();
  await desk.page.goto(`${sites.site.url}/wechat`);
  await openOnPhone(phone, await scanScreen(desk.page, widgetFrame(desk.page)), person);
  code = await matchCodeOn(widgetFrame(desk.page));
}

const decisions = () => phone.requests.filter(({ url }) => /\/phone\/(confirm|deny)$/.test(url)).length;

/** Every way a script has to press it, and how long after the window got the focus that was. */
const PRESS = `(async () => {
  window.dispatchEvent(new Event('focus'));
  const focusedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const allow = document.getElementById('allow');
  const wasDisabled = allow.disabled;
  allow.click();
  allow.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  const form = document.getElementById('form');
  form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true, submitter: allow }));
  form.requestSubmit();
  return { wasDisabled, after: performance.now() - focusedAt };
})()`;

describe('T17 "allow"', () => {
  it('sleeps without the number, and while the page has only just got the focus: scripted presses do nothing', async () => {
    await askOnPhone();
    const { page } = phone;
    const allow = page.getByRole('button', { name: 'Allow' });
    expect(await allow.isDisabled()).toBe(true);
    await page.getByLabel('Number on the other screen').fill(code);
    await page.locator('#allow:enabled').waitFor();
    const pressed = await page.evaluate<{ wasDisabled: boolean; after: number }>(PRESS);
    expect(pressed.wasDisabled).toBe(true);
    expect(pressed.after).toBeLessThan(400);
    // A finger on the same spot does no more than the script.
    const box = (await allow.boundingBox()) as { x: number; y: number };
    await page.touchscreen.tap(box.x + 10, box.y + 10);
    expect(await page.locator('#outcome').isVisible()).toBe(false);
    // Looked at long enough, it works; and what was pressed before has not been kept for later.
    await page.locator('#allow:enabled').waitFor();
    expect(decisions()).toBe(0);
    await allow.tap();
    expect(await outcomeOn(phone)).toBe('confirmed');
    expect(decisions()).toBe(1);
  });

  it('is asleep again whenever the page goes out of sight', async () => {
    await askOnPhone();
    const { page } = phone;
    await page.getByLabel('Number on the other screen').fill(code);
    await page.locator('#allow:enabled').waitFor();
    await page.evaluate(`Object.defineProperty(document, 'hasFocus', { value: () => false, configurable: true });
      window.dispatchEvent(new Event('blur'))`);
    expect(await page.locator('#allow').isDisabled()).toBe(true);
    expect(await page.locator('#deny').isEnabled()).toBe(true);
  });
});

describe.each(['light', 'dark'] as const)('T1 in a %s room "deny"', (colorScheme) => {
  it('has the size, the type and the contrast of "allow", and is one Tab away from it', async () => {
    await askOnPhone();
    const { page } = phone;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.getByLabel('Number on the other screen').fill(code);
    await page.locator('#allow:enabled').waitFor();
    await expectEqualChoices(page);
    await page.getByLabel('Number on the other screen').focus();
    const stops: (string | null)[] = [];
    for (let i = 0; i < 2; i += 1) {
      await page.keyboard.press('Tab');
      stops.push(await page.locator(':focus').getAttribute('id'));
    }
    expect(stops).toEqual(['deny', 'allow']);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
