/** Signing out, in a real browser: the two pages, without JavaScript too, and the way back to a site of another origin. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { problemsOf } from '../support/page-checks.js';
import type { Phone } from '../support/phone.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { matchCodeOn } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let house: OauthSite;
let phone: Phone;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  house = await oauthSite(server.app, server, {
    redirectUris: [`${site.url}/callback`],
    postLogoutRedirectUris: [`${site.url}/bye`],
  });
  site.put('/callback', '<p>signed in</p>');
  site.put('/bye', '<p>good bye</p>');
  phone = await person(server.app, server);
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

const authorize = (more: Record<string, string> = {}) => {
  const { query } = house.request({ redirect_uri: `${site.url}/callback`, ...more });
  return `${server.url}/oauth/authorize?${new URLSearchParams(query)}`;
};
const signOut = (more: Record<string, string> = {}) =>
  `${server.url}/oauth/logout?${new URLSearchParams({ client_id: house.clientId, ...more })}`;
const back = () => ({ post_logout_redirect_uri: `${site.url}/bye`, state: 'on the way' });

/** The person's phone allows this browser to stay signed in. */
async function signIn({ page }: Actor): Promise<void> {
  await forgetScans(server.database);
  await page.goto(authorize());
  const scanned = await phone.scan((await page.locator('#phone-link').getAttribute('href')) ?? '');
  const match_code = await matchCodeOn(page);
  const body = { scan_grant: scanned.scanGrant, csrf: scanned.csrf, match_code, remember: true };
  expect((await phone.post('/phone/confirm', body)).status).toBe(200);
  await page.waitForURL(`${site.url}/callback?*`);
}

/** What the site hears when it asks for somebody without asking anybody. */
async function heard({ page }: Actor): Promise<string | null> {
  await page.goto(authorize({ prompt: 'none' }));
  return new URL(page.url()).searchParams.get('error');
}

describe.each([
  ['en', 'Sign out', 'Stay signed in'],
  ['zh-CN', '退出登录', '保持登录'],
])('signing out in %s', (locale, leave, stay) => {
  it('asks, and goes back to the site over its form, with and without staying signed in', async () => {
    const desk = await chrome.desktop({ locale });
    await signIn(desk);
    await desk.page.goto(signOut(back()));
    expect(await problemsOf(desk.page, locale)).toEqual([]);
    await desk.page.getByRole('button', { name: stay, exact: true }).click();
    await desk.page.waitForURL(`${site.url}/bye?state=on+the+way`);
    // Somebody is signed in here; what the site was given has ended.
    expect(await heard(desk)).toBe('consent_required');
    await desk.page.goto(signOut(back()));
    await desk.page.getByRole('button', { name: leave, exact: true }).click();
    await desk.page.waitForURL(`${site.url}/bye?state=on+the+way`);
    expect(await heard(desk)).toBe('login_required');
    // Nobody is signed in any more: nobody is asked.
    await desk.page.goto(signOut(back()));
    await desk.page.waitForURL(`${site.url}/bye?state=on+the+way`);
    expect(desk.complaints()).toEqual([]);
    await desk.context.close();
  });

  it('works without JavaScript, and ends on a page of ours where the site named none', async () => {
    const desk = await chrome.desktop({ locale });
    await signIn(desk);
    const storageState = await desk.context.storageState();
    const plain = await chrome.desktop({ locale, storageState, javaScriptEnabled: false });
    await plain.page.goto(signOut());
    await plain.page.getByRole('button', { name: leave, exact: true }).click();
    await plain.page.waitForURL(`${server.url}/oauth/logout/success`);
    await desk.page.goto(plain.page.url());
    expect(await problemsOf(desk.page, locale)).toEqual([]);
    expect(await heard(desk)).toBe('login_required');
    expect([...desk.complaints(), ...plain.complaints()]).toEqual([]);
    await Promise.all([desk.context.close(), plain.context.close()]);
  });
});
