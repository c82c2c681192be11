/** The consent page: says what the site gets, "deny" is as easy as "allow" (T1), and no hasty click allows (T17). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEqualChoices } from '../support/button-look.js';
import { allowHere, type FrontDoor, openFrontDoor, signInHere } from '../support/front-door.js';
import { problemsOf } from '../support/page-checks.js';

let door: FrontDoor;

beforeAll(async () => {
  door = await openFrontDoor();
});
afterAll(() => door?.stop());

/** A browser that shows the page to a person who has just signed in there. */
async function askForConsent(options: Parameters<FrontDoor['chrome']['desktop']>[0] = {}, nickname = 'Anna') {
  const actor = await door.chrome.desktop(options);
  const asked = await door.ask(actor.page);
  await signInHere(actor.page, await door.person(nickname));
  await actor.page.locator('#consent').waitFor();
  return { actor, page: actor.page, asked };
}

describe.each([
  ['en', 'Anna', 'An identifier made for this site alone'],
  ['zh-CN', '张三', '仅供该网站使用的身份标识'],
] as const)('the consent page in %s', (lang, nickname, identifier) => {
  it('names the site, the account and all the site gets', async () => {
    const { page } = await askForConsent({ locale: lang }, nickname);
    const text = await page.locator('#consent').innerText();
    for (const part of [new URL(door.site.url).host, 'Tea house', nickname, identifier]) expect(text).toContain(part);
    expect(await page.locator('.fact-line').count()).toBe(3);
    expect(await problemsOf(page, lang)).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('T1: in a %s room "deny"', (colorScheme) => {
  it.each([
    ['a desktop', { width: 1100, height: 760 }],
    ['a phone', { width: 390, height: 844 }],
  ])(
    'has the size, the type and the contrast of "allow", and is one Tab away from it, on %s',
    async (_what, viewport) => {
      const { page } = await askForConsent({ viewport, colorScheme, reducedMotion: 'reduce' });
      await page.locator('#allow:enabled').waitFor();
      await expectEqualChoices(page);
      const stops: (string | null)[] = [];
      for (let i = 0; i < 2; i += 1) {
        await page.keyboard.press('Tab');
        stops.push(await page.locator(':focus').getAttribute('id'));
      }
      expect(stops).toEqual(['deny', 'allow']);
    },
  );
});

/** Every way a script has to press it, as soon as the window got the focus. */
const PRESS = `(async () => {
  window.dispatchEvent(new Event('focus'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  const allow = document.getElementById('allow');
  const wasDisabled = allow.disabled;
  allow.click();
  allow.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  return wasDisabled;
})()`;

describe('on the consent page', () => {
  it('T17: "allow" sleeps while the page has only just got the focus, and the second half of a double click does nothing', async () => {
    const { actor, page } = await askForConsent();
    await page.locator('#allow:enabled').waitFor();
    expect(await page.evaluate(PRESS)).toBe(true);
    await page.locator('#allow:enabled').waitFor();
    expect(actor.requests.filter(({ url }) => /\/consent$/.test(url))).toEqual([]);
    await allowHere(page);
    expect((await door.answer(page)).get('code')).toBeTruthy();
  });

  it('a denial tells the site, with its state and our name, and the next request asks again', async () => {
    const { page, asked } = await askForConsent();
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(Object.fromEntries(await door.answer(page))).toMatchObject({
      error: 'access_denied',
      state: asked.state,
      iss: door.server.url,
    });
    await door.ask(page);
    expect(await page.locator('#username').isVisible()).toBe(true);
  });

  it('a lost network is told, and nothing is decided; an answered request is over', async () => {
    const { actor, page } = await askForConsent();
    actor.foretell(/ERR_INTERNET_DISCONNECTED/, /status of 410/);
    const problem = page.locator('#problem');
    const other = await actor.context.newPage();
    await other.goto(page.url());
    await page.bringToFront();
    await actor.context.setOffline(true);
    await page.locator('#allow:enabled').click();
    await expect.poll(() => problem.textContent()).toMatch(/^No connection to the server/);
    await actor.context.setOffline(false);
    await page.locator('#allow:enabled').click();
    await door.answer(page);
    await other.bringToFront();
    await other.locator('#deny').click();
    await expect
      .poll(() => other.locator('#problem').textContent())
      .toBe('This request is over. Go back to the site and start again.');
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(door.chrome.complaints()).toEqual([]);
  });
});
