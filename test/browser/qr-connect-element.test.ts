/** A visitor signs in through `<qr-connect>`: the site hears each step, and its own page makes the last move. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { newPerson, startSites } from '../support/demo-site.js';
import { approveOnPhone } from '../support/phone-browser.js';
import { startPlainSite } from '../support/plain-site.js';
import { oauthSite } from '../support/relying-party.js';
import { scanScreen, widgetFrame } from '../support/screen.js';

let sites: Awaited<ReturnType<typeof startSites>>;
let chrome: TestBrowser;

beforeAll(async () => {
  [sites, chrome] = await Promise.all([startSites(), openBrowser()]);
});
afterAll(async () => {
  await chrome?.close();
  await sites?.stop();
});

const EVENTS = ['ready', 'scanned', 'confirmed', 'denied', 'expired', 'error'];

/** Every event the element fires, in order, whatever page comes after it. */
async function hear({ context }: Actor): Promise<string[]> {
  const heard: string[] = [];
  await context.exposeFunction('hear', (name: string) => void heard.push(name));
  const listen = `if (window === top) for (const name of ${JSON.stringify(EVENTS)})
    document.addEventListener(name, (event) => event.target.localName === 'qr-connect' && hear(name), true);`;
  await context.addInitScript(listen);
  return heard;
}

describe('<qr-connect> on a site’s page', () => {
  it('T29 tells the site ready, scanned and confirmed, in this order, and ends on its callback without a cookie of ours', async () => {
    const person = await newPerson(sites.server);
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const heard = await hear(desk);
    await desk.page.goto(`${sites.site.url}/oauth`);
    const qr = await scanScreen(desk.page, widgetFrame(desk.page));
    expect(await approveOnPhone(phone, qr, person, widgetFrame(desk.page))).toBe('confirmed');
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    expect(await desk.page.locator('#nickname').textContent()).toBe(person.nickname);
    expect(heard).toEqual(['ready', 'scanned', 'confirmed']);
    expect(await desk.context.cookies(sites.server.url)).toEqual([]);
    const callback = new URL(desk.page.url()).searchParams;
    expect([...callback.keys()].sort()).toEqual(['code', 'iss', 'state']);
    expect(callback.get('iss')).toBe(sites.server.url);
  });

  it('gets there by the one-time address alone: no message and no script of the site ever has the code', async () => {
    const person = await newPerson(sites.server);
    const [desk, phone] = await Promise.all([chrome.desktop(), chrome.phone()]);
    const messages: string[] = [];
    await desk.context.exposeFunction('note', (message: string) => void messages.push(message));
    await desk.context.addInitScript(
      "if (window === top) addEventListener('message', (event) => note(JSON.stringify(event.data)));",
    );
    await desk.page.goto(`${sites.site.url}/oauth`);
    const qr = await scanScreen(desk.page, widgetFrame(desk.page));
    await approveOnPhone(phone, qr, person, widgetFrame(desk.page));
    await desk.page.waitForURL(`${sites.site.url}/callback/oauth?*`);
    const code = new URL(desk.page.url()).searchParams.get('code') as string;
    const moves = desk.requests.filter(({ url }) => url.includes('/connect/continue/'));
    expect(moves.map(({ kind }) => kind)).toEqual(['document']);
    expect(messages.filter((message) => message.includes('/connect/continue/'))).toHaveLength(1);
    expect(messages.join('\n')).not.toContain(code);
    expect(desk.requests.some(({ url }) => url.includes('/redeem'))).toBe(false);
  });

  it('T35 comes from its pinned address by its hash, as a classic script or as a module, and from no other bytes', async () => {
    const { app, url } = sites.server;
    const { url: pinned, integrity, module } = app.widgets.manifest;
    const site = await startPlainSite();
    try {
      const house = await oauthSite(app, sites.server, { redirectUris: [`${site.url}/callback`] });
      const q = house.request({ redirect_uri: `${site.url}/callback` }).query;
      const element = `<qr-connect client-id="${q.client_id}" redirect-uri="${q.redirect_uri}" state="${q.state}"
        nonce="${q.nonce}" code-challenge="${q.code_challenge}"></qr-connect>`;
      const by = (address: string, hash: string, type = '') =>
        `<script ${type} src="${address}" integrity="${hash}" crossorigin="anonymous"></script>`;
      const defines = `<script type="module">
        import { defineQrConnect } from ${JSON.stringify(module.url)}; defineQrConnect(); defineQrConnect();</script>`;
      for (const scripts of [
        by(pinned, integrity),
        by(pinned, integrity, 'type="module"'),
        by(pinned, integrity) + by(`${url}/widget.js`, integrity),
        by(module.url, module.integrity, 'type="module"') + defines,
      ]) {
        const desk = await chrome.desktop();
        await desk.page.goto(site.put('/page', scripts + element));
        await widgetFrame(desk.page).locator('#box[data-phase=waiting] #qr svg').waitFor();
        expect(desk.page.frames()).toHaveLength(2);
      }
      const desk = await chrome.desktop();
      desk.foretell(/integrity/);
      const refused = desk.page.waitForEvent('console', (message) => message.text().includes('integrity'));
      await desk.page.goto(site.put('/page', by(pinned, module.integrity) + element));
      await refused;
      expect(await desk.page.evaluate("customElements.get('qr-connect') === undefined")).toBe(true);
    } finally {
      await site.stop();
    }
  });

  it('says nothing on a console', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
