/** Codes that run out: the page draws fresh ones by itself, at most five in a row, then waits to be asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, startSites } from '../support/demo-site.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { scanFreshCode, scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

/** The newest ticket runs out now. `nudge` tells the server, which otherwise finds out when it reads again. */
async function expire({ nudge = false } = {}): Promise<void> {
  const { sql } = sites.server.database;
  const newest = '(SELECT id FROM ticket ORDER BY created_at DESC LIMIT 1)';
  const [ticket] = await sql(`UPDATE ticket SET expires_at = now() WHERE id = ${newest} RETURNING id`);
  if (nudge) await sql("SELECT pg_notify('qrconnect_ticket', $1)", [ticket?.id]);
}

async function openDesk(): Promise<Actor> {
  const desk = await chrome.desktop();
  // An ended ticket answers 410; the console shows every such answer.
  desk.foretell(/status of 410/);
  await desk.page.goto(`${sites.site.url}/wechat`);
  return desk;
}

describe('a code that runs out', () => {
  it('is replaced without a click, the old one says so on the phone, and the new one signs in', async () => {
    const person = await newPerson(sites.server);
    const [desk, phone] = await Promise.all([openDesk(), chrome.phone()]);
    const frame = widgetFrame(desk.page);
    const old = await scanScreen(desk.page, frame);
    await expire();
    const fresh = await scanFreshCode(desk.page, frame, old);
    phone.foretell(/status of 410/);
    await phone.page.goto(old);
    expect(await phone.page.getByRole('heading').textContent()).toBe('This code has expired');
    expect(await approveOnPhone(phone, fresh, person, frame)).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/wechat?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
  });

  it('is replaced five times unasked; then a button draws the next one', async () => {
    const desk = await openDesk();
    const frame = widgetFrame(desk.page);
    const seen = [await scanScreen(desk.page, frame)];
    for (let i = 0; i < 5; i += 1) {
      await expire({ nudge: true });
      seen.push(await scanFreshCode(desk.page, frame, seen.at(-1) as string));
    }
    await expire({ nudge: true });
    const button = frame.getByRole('button', { name: 'New code' });
    await button.waitFor();
    expect(await frame.locator('#headline').textContent()).toBe('This code has expired');
    expect(await frame.locator('#qr').isVisible()).toBe(false);
    await button.click();
    seen.push(await scanFreshCode(desk.page, frame, seen.at(-1) as string));
    expect(new Set(seen).size).toBe(7);
    expect(desk.requests.filter(({ url }) => url.endsWith('/renew'))).toHaveLength(6);
  });

  it('says nothing else on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
