/** T45: after a login no code is left behind in the tab's history, in a Referer, or behind the back button. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson } from '../support/demo-site.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { scanScreen, widgetFrame } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let sink: PlainSite;
let shop: WechatSite;
let house: OauthSite;

beforeAll(async () => {
  [server, chrome, site, sink] = await Promise.all([startApp(), openBrowser(), startPlainSite(), startPlainSite()]);
  const redirectUris = [`${site.url}/callback`];
  shop = await wechatSite(server.app, server, { redirectUris });
  house = await oauthSite(server.app, server, { redirectUris });
  sink.put('/pixel', '');
  site.put('/', '<p>the site</p>');
  site.put('/callback', `<p>signed in</p><img src="${sink.localhostUrl}/pixel" alt="">`);
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), sink?.stop(), server?.stop()]);
});

const redirect = () => ({ redirect_uri: `${site.url}/callback` });
const oauthQuery = () => house.request(redirect()).query;
const wechatUrl = () => `${server.url}/connect/qrconnect?${new URLSearchParams(shop.request(redirect()))}`;
const element = () => {
  const q = oauthQuery();
  return `<script src="${server.url}/widget.js" async></script><qr-connect client-id="${q.client_id}" redirect-uri="${q.redirect_uri}"
    scope="openid" state="${q.state}" nonce="${q.nonce}" code-challenge="${q.code_challenge}"></qr-connect>`;
};

/** The ways in. `entries`: how many the tab's history gains by the login; a page of the site's own is one. */
const WAYS = [
  {
    way: 'the WeChat frame',
    page: () => site.put('/start', `<iframe width="320" height="420" src="${wechatUrl()}"></iframe>`),
    framed: true,
    entries: 0,
  },
  { way: '<qr-connect>', page: () => site.put('/start', element()), framed: true, entries: 1 },
  { way: 'the WeChat page in the whole tab', page: wechatUrl, framed: false, entries: 0 },
  {
    way: 'the OAuth page in the whole tab',
    page: () => `${server.url}/connect/qrconnect?${new URLSearchParams(oauthQuery())}`,
    framed: false,
    entries: 0,
  },
  {
    way: 'the standard door',
    page: () => `${server.url}/oauth/authorize?${new URLSearchParams(oauthQuery())}`,
    framed: false,
    entries: 0,
  },
] as const;

const callbacks = () => site.asked.filter(({ path }) => path.startsWith('/callback'));
const historyOf = ({ page }: Actor) => page.evaluate<number>('history.length');

describe.each(WAYS)('T45 after a login by $way', ({ page: address, framed, entries }) => {
  it('no page of ours is left in the history, no Referer has the code, and "back" does not sign in again', async () => {
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const seen = { callbacks: callbacks().length, sink: sink.asked.length };
    await desk.page.goto(`${site.url}/`);
    await desk.page.goto(address());
    const place = framed ? widgetFrame(desk.page) : desk.page;
    const before = await historyOf(desk);
    const qr = await scanScreen(desk.page, place);
    expect(await approveOnPhone(phone, qr, await newPerson(server), place)).toBe('confirmed');
    await desk.page.waitForURL(`${site.url}/callback?*`);
    expect(await historyOf(desk)).toBe(before + entries);

    const code = new URL(desk.page.url()).searchParams.get('code') as string;
    expect(code).toMatch(/^[\w-]{40,}$/);
    // The site's own page must not learn our address either: what stood in the frame or the tab is nobody's business.
    expect(callbacks().at(-1)?.headers.referer).toBeUndefined();
    await expect.poll(() => sink.asked.length).toBe(seen.sink + 1);
    expect(JSON.stringify(sink.asked)).not.toContain(code);

    const arrivals = desk.requests.length;
    await desk.page.goBack();
    expect(desk.page.url()).toMatch(entries === 1 ? /\/start$/ : /:\d+\/$/);
    expect(callbacks().length).toBe(seen.callbacks + 1);
    const after = desk.requests.slice(arrivals);
    expect(after.filter(({ url }) => /\/(redeem|continue)\b/.test(url) || url.includes(code))).toEqual([]);
  });
});

describe('the consoles', () => {
  it('show nothing', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
