/** A visitor signs in through the WeChat widget: the code is read off the screen, the phone is a second browser. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, type Person, startSites } from '../support/demo-site.js';
import { allowWith, outcomeOn, signInOnPhone } from '../support/phone-browser.js';
import { startPlainSite } from '../support/plain-site.js';
import { matchCodeOn, scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;
let person: Person;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
  person = await newPerson(sites.server);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

describe('the WeChat widget on a site’s page', () => {
  let desk: Actor;
  let phone: Actor;
  let qr: string;
  const cookiesSet: Promise<string | null>[] = [];

  it('is scanned from the screen and opens the sign-in on the phone', async () => {
    [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    desk.context.on('response', (response) => {
      if (response.url().startsWith(sites.server.url)) cookiesSet.push(response.headerValue('set-cookie'));
    });
    await desk.page.goto(`${sites.site.url}/wechat`);
    qr = await scanScreen(desk.page, widgetFrame(desk.page));
    expect(new URL(qr).origin).toBe(sites.server.url);
    await phone.page.goto(qr);
    expect(await phone.page.getByRole('heading').textContent()).toBe('Sign in on this phone');
    expect(await phone.page.locator('.site-host').textContent()).toBe(sites.site.host);
  });

  it('keeps the ticket through the sign-in and says who asks, for what and from where', async () => {
    await signInOnPhone(phone.page, person);
    expect(phone.page.url()).toBe(qr);
    const text = (await phone.page.locator('#decide').innerText()).replace(/\s+/g, ' ');
    expect(text).toContain(`Sign in to ${sites.site.host}`);
    expect(text).toContain('Book shop');
    expect(text).toContain('127.0.0.1');
    expect(text).toContain('Your public profile');
    expect(text).toMatch(/Chrom\w+ on Linux|Chrom\w+ on macOS|Chrom\w+ on Windows/);
    expect(text).toContain(person.nickname);
  });

  it('shows the number, and after "allow" the site knows the visitor', async () => {
    await allowWith(phone, await matchCodeOn(widgetFrame(desk.page)));
    expect(await outcomeOn(phone)).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/wechat?*`);
    const { page } = desk;
    expect(await page.locator('#nickname').textContent()).toBe(person.nickname);
    expect(await page.locator('#openid').textContent()).toMatch(/^[\w-]{20,}$/);
    expect(await page.locator('#unionid').textContent()).toMatch(/^[\w-]{20,}$/);
    const width = () => page.locator('#picture').evaluate((img: { naturalWidth?: number }) => img.naturalWidth ?? 0);
    await expect.poll(width).toBeGreaterThan(0);
  });

  it('T29 needs no cookie of ours and puts the wait secret in no address', async () => {
    expect(await desk.context.cookies(sites.server.url)).toEqual([]);
    expect(cookiesSet.length).toBeGreaterThan(4);
    expect((await Promise.all(cookiesSet)).filter(Boolean)).toEqual([]);
    const secrets = new Set(desk.requests.flatMap(({ bearer }) => bearer ?? []));
    expect(secrets.size).toBe(1);
    for (const secret of secrets) expect(desk.requests.filter(({ url }) => url.includes(secret))).toEqual([]);
  });

  it('T36 makes no request that names the scan token, and names the ticket to its own API alone', () => {
    const scanToken = new URL(qr).pathname.replace('/s/', '');
    expect(desk.requests.filter(({ url }) => url.includes(scanToken))).toEqual([]);
    const calls = desk.requests.filter(({ bearer }) => bearer !== undefined);
    const ticketId = /\/api\/qr\/tickets\/([\w-]+)/.exec(calls[0]?.url ?? '')?.[1] as string;
    expect(ticketId).toMatch(/^[\w-]{20,}$/);
    expect(desk.requests.filter(({ url }) => url.includes(ticketId))).toEqual(calls);
    expect(new Set(calls.map(({ kind }) => kind))).toEqual(new Set(['fetch']));
  });

  it('leaves nothing on the console of either browser', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});

describe('this browser', () => {
  it('T29 blocks third-party cookies: a frame that sets one never sends it back', async () => {
    const site = await startPlainSite();
    const headers = { 'set-cookie': 'probe=1; SameSite=None; Secure; Path=/' };
    site.put('/probe', { html: '<p>probe</p>', headers });
    const framing = site.put('/framing', `<iframe src="${site.localhostUrl}/probe"></iframe>`);
    const { context, page } = await chrome.desktop();
    const cookiesOfProbe = () => site.asked.filter(({ path }) => path === '/probe').map((r) => r.headers.cookie);
    for (let i = 0; i < 2; i += 1) {
      await page.goto(framing);
      await page.frameLocator('iframe').getByText('probe').waitFor();
    }
    expect(await context.cookies()).toEqual([]);
    // The same cookie is taken where the page is nobody's frame, and still not sent from inside one.
    await page.goto(`${site.localhostUrl}/probe`);
    expect((await context.cookies()).map(({ name }) => name)).toEqual(['probe']);
    await page.goto(framing);
    await page.frameLocator('iframe').getByText('probe').waitFor();
    expect(cookiesOfProbe()).toEqual([undefined, undefined, undefined, undefined]);
    await site.stop();
  });
});
