/** The login page on a desktop: the QR code first, and a password beside it for whoever has no phone at hand. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowHere, type FrontDoor, openFrontDoor, signInHere } from '../support/front-door.js';
import { pageData, send } from '../support/http.js';
import { problemsOf } from '../support/page-checks.js';
import { scanScreen } from '../support/screen.js';

let door: FrontDoor;

beforeAll(async () => {
  door = await openFrontDoor();
});
afterAll(() => door?.stop());

describe.each(['en', 'zh-CN'] as const)('the login page in %s', (lang) => {
  it('shows the code first, the form beside it, and all its texts', async () => {
    const { page } = await door.chrome.desktop({ locale: lang });
    const drawn = page.waitForResponse(/\/interaction\//);
    await door.ask(page);
    const { texts } = pageData<{ texts: Record<string, string> }>(await (await drawn).text());
    expect(Object.entries(texts).filter(([key, text]) => key === text)).toEqual([]);
    expect(await scanScreen(page)).toContain(`${door.server.url}/s/`);
    const [code, form] = [await page.locator('#qr').boundingBox(), await page.locator('#form').boundingBox()];
    expect((code?.x ?? 0) + (code?.width ?? 0)).toBeLessThan(form?.x ?? 0);
    // Nobody is thrown into the form; the Tab key leads through it, and to the way back.
    expect(await page.evaluate('document.activeElement === document.body')).toBe(true);
    const stops: (string | null)[] = [];
    for (let i = 0; i < 6; i += 1) {
      await page.keyboard.press('Tab');
      stops.push(await page.locator(':focus').getAttribute('id'));
    }
    expect(stops).toEqual(['phone-link', 'username', 'password', 'remember', 'submit', 'cancel']);
    expect(await problemsOf(page, lang)).toEqual([]);
  });
});

describe('a person at the login page', () => {
  it('signs in with a password, allows what the site gets, and is not asked for that again', async () => {
    const person = await door.person();
    const { page } = await door.chrome.desktop();
    const asked = await door.ask(page);
    await signInHere(page, person);
    await allowHere(page);
    const answer = await door.answer(page);
    expect(answer.get('state')).toBe(asked.state);
    expect(answer.get('iss')).toBe(door.server.url);
    const first = await door.claims(asked, answer);
    expect(first.amr).toEqual(['pwd']);

    const other = await door.chrome.desktop();
    const again = await door.ask(other.page);
    await signInHere(other.page, person);
    expect((await door.claims(again, await door.answer(other.page))).sub).toBe(first.sub);
    expect(other.requests.filter(({ url }) => /\/consent$/.test(url))).toEqual([]);
  });

  it('is told what was wrong, and loses nothing that was typed', async () => {
    const person = await door.person();
    const actor = await door.chrome.desktop();
    const { page } = actor;
    actor.foretell(/status of 401/, /ERR_INTERNET_DISCONNECTED/);
    const problem = page.locator('#problem');
    await door.ask(page);
    await page.locator('#submit').click();
    expect(await problem.textContent()).toBe('Please enter your user name and your password.');
    expect(await page.locator(':focus').getAttribute('id')).toBe('username');
    await page.getByLabel('Stay signed in on this browser').check();
    await signInHere(page, { ...person, password: 'not this one' });
    await expect.poll(() => problem.textContent()).toBe('User name or password is not right.');
    expect(await page.locator('#username').inputValue()).toBe(person.username);
    expect(await page.locator('#password').inputValue()).toBe('not this one');
    expect(await page.locator('#password').getAttribute('aria-invalid')).toBe('true');
    expect(await problemsOf(page, 'en')).toEqual([]);
    await actor.context.setOffline(true);
    await page.locator('#password').fill(person.password);
    await page.locator('#submit').click();
    await expect.poll(() => problem.textContent()).toMatch(/^No connection to the server/);
    expect(await page.locator('#password').inputValue()).toBe(person.password);
    expect(await page.getByLabel('Stay signed in on this browser').isChecked()).toBe(true);
    await actor.context.setOffline(false);
    await page.locator('#submit').click();
    await allowHere(page);
    expect((await door.answer(page)).get('code')).toBeTruthy();
  });

  it('hears how long to wait after too many wrong passwords', async () => {
    const { username } = await door.person();
    const actor = await door.chrome.desktop();
    actor.foretell(/status of 429/);
    for (let i = 0; i < 10; i += 1) {
      await send(`${door.server.url}/phone/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: door.server.url },
        body: JSON.stringify({ username, password: 'not this one' }),
      });
    }
    await door.ask(actor.page);
    await signInHere(actor.page, { username, password: 'nor this one', nickname: '' });
    await expect
      .poll(() => actor.page.locator('#problem').textContent())
      .toMatch(/^Too many attempts. Please try again in about \d+ min\.$/);
  });

  it('finds the name that the site knows in the form', async () => {
    const { page } = await door.chrome.desktop();
    await door.ask(page, { login_hint: 'anna"><b>' });
    expect(await page.getByLabel('User name').inputValue()).toBe('anna"><b>');
  });

  it('is told when the site asks for another account than the one that stayed signed in, and may use that one', async () => {
    const [anna, ben] = [await door.person('Anna'), await door.person('Ben')];
    const { page } = await door.chrome.desktop();
    const before = await door.ask(page);
    await signInHere(page, anna);
    await allowHere(page);
    const hint = await door.idToken(before, await door.answer(page));
    await door.ask(page);
    await page.getByLabel('Stay signed in on this browser').check();
    await signInHere(page, ben);
    await allowHere(page);
    await door.answer(page);
    const asked = await door.ask(page, { id_token_hint: hint });
    expect(await page.locator('.notice').innerText()).toMatch(/^Another account is signed in on this browser/);
    await signInHere(page, anna);
    const { sub } = await door.claims(asked, await door.answer(page));
    expect(sub).toBe(decodeJwt(hint).sub);
  });

  it('goes back to the site, which hears access_denied', async () => {
    const { page } = await door.chrome.desktop();
    const asked = await door.ask(page);
    await page.getByRole('button', { name: `Cancel, back to ${new URL(door.site.url).host}` }).click();
    const answer = await door.answer(page);
    expect(Object.fromEntries(answer)).toMatchObject({
      error: 'access_denied',
      state: asked.state,
      iss: door.server.url,
    });
    expect(answer.has('code')).toBe(false);
  });

  it('is asked every time, unless they chose to stay signed in: then the answer says so', async () => {
    const person = await door.person();
    const { page } = await door.chrome.desktop();
    await door.ask(page);
    await signInHere(page, person);
    await allowHere(page);
    await door.answer(page);
    await door.ask(page);
    expect(new URL(page.url()).pathname).toMatch(/^\/interaction\//);
    expect(await page.getByLabel('Stay signed in on this browser').isChecked()).toBe(false);
    await page.getByLabel('Stay signed in on this browser').check();
    await signInHere(page, person);
    await door.answer(page);
    const remembered = await door.ask(page);
    const { amr } = await door.claims(remembered, await door.answer(page));
    expect(amr).toEqual(['pwd', 'remembered']);
  });

  it('hears that the request is over when another window has answered it', async () => {
    const person = await door.person();
    const actor = await door.chrome.desktop();
    const { page } = actor;
    // The other window has a code of its own, and this one's is over.
    actor.foretell(/status of 410/);
    await door.ask(page);
    const other = await actor.context.newPage();
    await other.goto(page.url());
    await signInHere(other, person);
    await other.locator('#consent').waitFor();
    await signInHere(page, person);
    const over = 'This request is over. Go back to the site and start again.';
    await expect.poll(() => page.locator('#problem').textContent()).toBe(over);
    await page.locator('#cancel').click();
    await expect.poll(() => page.locator('#cancel-problem').textContent()).toBe(over);
  });
});

describe('the code of a page that was left by password', () => {
  it('is asked about no more, and a phone that still reads it hears that it is over', async () => {
    const person = await door.person();
    const [desk, phone] = [await door.chrome.desktop(), await door.chrome.phone()];
    const watches = desk.page.waitForEvent('websocket');
    await door.ask(desk.page);
    const qr = await scanScreen(desk.page);
    const watchEnds = (await watches).waitForEvent('close');
    // The way on takes its time: until then the page must not watch the code, or draw another one.
    let goOn = () => {};
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await desk.page.route(/\/oauth\/authorize\//, async (route) => {
      await slow;
      await route.continue();
    });
    const cancelled = () => door.server.log().split('"method":"DELETE"').length;
    const before = cancelled();
    await signInHere(desk.page, person);
    await watchEnds;
    goOn();
    await desk.page.locator('#consent').waitFor();
    const last = desk.requests.findIndex(({ url }) => /\/sign-in$/.test(url));
    expect(desk.requests.slice(last + 1).filter(({ url }) => url.includes('/api/qr/'))).toEqual([]);
    expect(cancelled()).toBe(before);
    phone.foretell(/status of 410/);
    await expect.poll(async () => (await phone.page.goto(qr))?.status()).toBe(410);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(door.chrome.complaints()).toEqual([]);
  });
});
