/** The person says no, or types the wrong number: what the phone says, what the waiting page does, what the site learns. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, startSites } from '../support/demo-site.js';
import { allowWith, approveOnPhone, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { matchCodeOn, scanFreshCode, scanScreen, widgetFrame } from '../support/screen.js';
import { wrongMatchCode } from '../support/ticket-house.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

/** A desk showing a site's sign-in, and a phone that has scanned it. */
async function scanned(path: '/wechat' | '/oauth') {
  const person = await newPerson(sites.server);
  const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
  await desk.page.goto(sites.site.url + path);
  const frame = widgetFrame(desk.page);
  const qr = await scanScreen(desk.page, frame);
  await openOnPhone(phone, qr, person);
  return { person, desk, phone, frame, qr, code: await matchCodeOn(frame) };
}

describe('a person who says no', () => {
  it('is taken back to an OAuth site, which learns access_denied and nothing else', async () => {
    const { desk, phone } = await scanned('/oauth');
    await phone.page.getByRole('button', { name: 'Deny' }).tap();
    expect(await outcomeOn(phone)).toBe('denied');
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    expect(await desk.page.getByRole('heading').textContent()).toBe('You said no');
    const { searchParams } = new URL(desk.page.url());
    expect(searchParams.get('error')).toBe('access_denied');
    expect(searchParams.has('code')).toBe(false);
    expect(desk.complaints()).toEqual([]);
  });

  it('is taken back once by the button, however long the site takes: the address works once', async () => {
    const { desk, phone, frame } = await scanned('/oauth');
    await desk.page.route(`${sites.site.url}/callback/oauth?*`, () => {});
    await phone.page.getByRole('button', { name: 'Deny' }).tap();
    await frame.locator('#act').click({ noWaitAfter: true });
    const visits = () => desk.requests.filter(({ url }) => url.includes('/connect/continue/')).length;
    await expect.poll(visits).toBe(1);
    // Longer than the page would have waited by itself.
    await desk.page.waitForTimeout(3_500);
    expect(visits()).toBe(1);
  });

  it('sees the denial in the WeChat widget, then a fresh code with which the sign-in works', async () => {
    const { desk, phone, frame, qr, person } = await scanned('/wechat');
    await phone.page.getByRole('button', { name: 'Deny' }).tap();
    expect(await outcomeOn(phone)).toBe('denied');
    await frame.locator('#box[data-phase=denied]').waitFor();
    expect(await frame.locator('#headline').textContent()).toBe('Not allowed on the phone');
    expect(new URL(desk.page.url()).pathname).toBe('/wechat');
    const fresh = await scanFreshCode(desk.page, frame, qr);
    expect(await approveOnPhone(phone, fresh, person, frame)).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/wechat?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
  });
});

describe.each(['/wechat', '/oauth'] as const)('a wrong number at %s', (path) => {
  it('ends the ticket: the phone says so, the page draws a fresh code, the site hears nothing', async () => {
    const { desk, phone, frame, qr, code, person } = await scanned(path);
    // The answer to the wrong number is a 403; out of step, collecting a denial that is not the site’s is a 409.
    phone.foretell(/status of 403.*\/phone\/confirm/s);
    desk.foretell(/status of 409.*\/continue/s);
    await allowWith(phone, wrongMatchCode(code));
    expect(await outcomeOn(phone)).toBe('wrongCode');
    const told = await phone.page.locator('#outcome').innerText();
    expect(told).toContain('That was not the number');
    await frame.locator('#box[data-phase=denied]').waitFor();
    const fresh = await scanFreshCode(desk.page, frame, qr);
    expect(new URL(desk.page.url()).pathname).toBe(path);
    expect(await approveOnPhone(phone, fresh, person, frame)).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback${path}?*`);
    expect(desk.requests.filter(({ url }) => url.startsWith(`${sites.site.url}/callback`))).toHaveLength(1);
  });
});

describe('the consoles', () => {
  it('show nothing unexpected', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
