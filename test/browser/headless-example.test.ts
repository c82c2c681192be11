/** The example site that draws its own QR code, as a new user runs it: a server of its own, a browser, a phone. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, type Person } from '../support/demo-site.js';
import { waiter } from '../support/page.js';
import { problemsOf } from '../support/page-checks.js';
import { signIn } from '../support/phone.js';
import { allowWith, openOnPhone, outcomeOn } from '../support/phone-browser.js';
import { readQr } from '../support/qr.js';
import { freePort, startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans } from '../support/story.js';

interface Site {
  listen(port: number, host: string): Promise<void>;
  close(): Promise<void>;
}

let server: TestApp;
let chrome: TestBrowser;
let site: Site;
let url: string;
let anna: Person;
let phone: Actor;
beforeAll(async () => {
  [server, chrome] = await Promise.all([startApp(), openBrowser()]);
  const port = await freePort();
  // Another host name than the server's: to a browser that is another site.
  url = `http://127.0.0.1:${port}`;
  const { client, secret } = await server.app.clients.register('test', {
    name: 'Reading Room',
    redirectUris: [`${url}/callback`],
  });
  const file = pathToFileURL(join(projectRoot, 'examples', 'headless', 'server.mjs'));
  const { createHeadlessSite } = (await import(file.href)) as { createHeadlessSite(options: object): Site };
  site = createHeadlessSite({ qrconnectUrl: server.url, url, clientId: client.id, clientSecret: secret });
  await site.listen(port, '127.0.0.1');
  anna = await newPerson(server, '<b>Anna</b>');
  phone = await chrome.phone();
});
afterAll(async () => {
  await chrome?.close();
  await site?.close();
  await server?.stop();
});

/** Reads the code off the screen, as a camera does: out of the drawn element, in the site's colours. */
async function qrOn({ page }: Actor): Promise<string> {
  await page.locator('#code svg').waitFor();
  const { PNG } = await import('pngjs');
  const { decodeQR } = await import('qr/decode.js');
  const { width, height, data } = PNG.sync.read(await page.locator('#code').screenshot());
  return decodeQR({ width, height, data: new Uint8Array(data) });
}

describe('the example site that draws its own QR code', () => {
  it('signs a person in from its own page, and holds no secret of its client and no code in it', async () => {
    const desktop = await chrome.desktop();
    const { page } = desktop;
    await page.goto(url);
    expect(await problemsOf(page, 'en')).toEqual([]);
    await page.getByRole('button', { name: 'Sign in by phone' }).click();
    await openOnPhone(phone, await qrOn(desktop), anna);
    expect(await phone.page.locator('#decide').innerText()).toContain("the site's own server");
    await phone.page.locator('#allow').waitFor();
    await page.locator('#number:visible').waitFor();
    // A screen reader is told the number too.
    expect(await page.getByRole('status').innerText()).toContain(await page.locator('#number').innerText());
    await allowWith(phone, await page.locator('#number').innerText());
    expect(await outcomeOn(phone)).toBe('confirmed');
    await page.getByText('Good to see you, <b>Anna</b>').waitFor();
    expect(page.url()).toBe(`${url}/`);
    expect(await page.locator('#sub').innerText()).toMatch(/^[\w-]{20,}$/);
    expect(await desktop.context.cookies(server.url)).toEqual([]);
    // The page waited at the server itself, and every script was the site's own.
    const scripts = desktop.requests.filter(({ kind }) => kind === 'script').map(({ url: at }) => new URL(at).origin);
    expect(new Set(scripts)).toEqual(new Set([url]));
    expect(desktop.complaints()).toEqual([]);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in by phone' }).waitFor();
    await desktop.context.close();
  });

  it('says that it was denied, and draws a fresh code by itself when one runs out', async () => {
    await forgetScans(server.database);
    const desktop = await chrome.desktop();
    const { page } = desktop;
    await page.goto(url);
    await page.getByRole('button', { name: 'Sign in by phone' }).click();
    const first = await qrOn(desktop);
    await server.database.sql("UPDATE ticket SET expires_at = now() WHERE status = 'pending'");
    await expect.poll(() => qrOn(desktop).catch(() => first), { timeout: 15_000 }).not.toBe(first);
    await openOnPhone(phone, await qrOn(desktop), anna);
    await phone.page.getByRole('button', { name: 'Deny' }).tap();
    await page.getByText('It was denied on the phone').waitFor();
    await page.waitForURL(`${url}/?denied`);
    expect(desktop.complaints()).toEqual([]);
    await desktop.context.close();
  });

  it('takes the answer from the browser that began alone, once, and begins for no other site', async () => {
    await forgetScans(server.database);
    const begin = async () => {
      const answer = await fetch(`${url}/sign-in`, { method: 'POST', headers: { origin: url } });
      const cookie = String(answer.headers.get('set-cookie')).split(';')[0] as string;
      return { cookie, given: (await answer.json()) as Record<string, string> };
    };
    const [mine, theirs] = [await begin(), await begin()];
    const { ticket_id: id = '', wait_secret: secret = '', qr_svg: svg = '' } = mine.given;
    const ticket = { html: '', headers: {}, qr: readQr(svg), ...waiter(server, id, secret) };
    await approve(await signIn(server, anna.username, anna.password), ticket);
    const { redirect_to: to } = (await ticket.redeem()).json<{ redirect_to: string }>();
    const arrive = async (cookie: string) => (await fetch(to, { headers: { cookie }, redirect: 'manual' })).status;
    expect(await arrive(theirs.cookie)).toBe(400);
    expect(await arrive('')).toBe(400);
    expect(await arrive(mine.cookie)).toBe(303);
    expect(await arrive(mine.cookie)).toBe(400);
    const foreign = await fetch(`${url}/sign-in`, { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(400);
  });
});
