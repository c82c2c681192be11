/** vue-wxlogin 1.0.5 with its own Vue 2, unmodified: its hard-coded host leads to this server, as a name of one's own DNS would. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { type HttpsHosts, startHttpsHosts } from '../support/https-hosts.js';
import type { Phone } from '../support/phone.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { readQr } from '../support/qr.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

const WECHAT = 'open.weixin.qq.com';
const SHOP = 'https://shop.example';

let server: TestApp;
let hosts: HttpsHosts;
let chrome: TestBrowser;
let site: PlainSite;
let shop: WechatSite;
let phone: Phone;

beforeAll(async () => {
  [server, hosts, site] = await Promise.all([
    startApp({ PUBLIC_URL: `https://${WECHAT}` }),
    startHttpsHosts([WECHAT, 'shop.example']),
    startPlainSite(),
  ]);
  hosts.put(WECHAT, server.config.port);
  hosts.put('shop.example', Number(new URL(site.url).port));
  chrome = await openBrowser(hosts.browserArgs);
  const where = { url: server.url, port: server.config.port };
  shop = await wechatSite(server.app, where, { redirectUris: [`${SHOP}/callback`] });
  phone = await person(server.app, where);
  site.put('/callback', '<p>signed in</p>');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), hosts?.stop(), server?.stop()]);
});

/** What a site's bundler makes of the component, asking `host`, and the Vue that the component brings along. */
function bundle(host: string): string {
  const manifest = join(projectRoot, 'node_modules', 'vue-wxlogin', 'package.json');
  const requireThere = createRequire(manifest);
  const compiler = requireThere('vue/compiler-sfc') as {
    parse(options: { source: string }): { template: { content: string }; script: { content: string } };
    compileTemplate(options: Record<string, unknown>): { code: string; errors: unknown[] };
    rewriteDefault(script: string, name: string): string;
  };
  const { main, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { main: string; version: string };
  if (version !== '1.0.5') throw new Error(`this is vue-wxlogin ${version}`);
  const { template, script } = compiler.parse({ source: readFileSync(join(manifest, '..', main), 'utf8') });
  const { code, errors } = compiler.compileTemplate({ source: template.content, isProduction: true });
  if (errors.length > 0) throw new Error(String(errors));
  const vue = readFileSync(requireThere.resolve('vue/dist/vue.runtime.min.js'), 'utf8');
  const component = compiler.rewriteDefault(script.content, 'WxLogin').replaceAll(`https://${WECHAT}`, host);
  return `${vue};${component};${code};Object.assign(WxLogin, { render, staticRenderFns });`;
}

interface Opened {
  desk: Actor;
  page: Page;
  /** What the code in the frame says. */
  qr: string;
}

/** The site's page, with the component in it, once our page has come. */
async function open(props: Record<string, string> = {}, host = `https://${WECHAT}`): Promise<Opened> {
  const desk = await chrome.desktop({ ignoreHTTPSErrors: true });
  const { page } = desk;
  const all = {
    appid: shop.clientId,
    scope: 'snsapi_login',
    redirect_uri: encodeURIComponent(`${SHOP}/callback`),
    ...props,
  };
  site.put(
    '/login',
    `<div id="app"></div><script>${bundle(host)}
      window.app = new Vue({
        data: { all: ${JSON.stringify(all)} },
        render(h) { return h(WxLogin, { props: this.all }); },
      }).$mount('#app');</script>`,
  );
  const qr = nextQr(page);
  await page.goto(`${SHOP}/login`);
  return { desk, page, qr: await qr };
}

/** Off the wire: to the browser, a test that looks into the frame is a person who clicked in it, and may do more. */
async function nextQr(page: Page): Promise<string> {
  const shown = await page.waitForResponse((response) => response.url().includes('/connect/qrconnect?'));
  expect(shown.status()).toBe(200);
  return readQr(await shown.text());
}

const allow = (qr: string) => approve(server, phone, qr);

async function approve(at: TestApp, phone: Phone, qr: string): Promise<void> {
  const scanned = await phone.scan(qr);
  const [ticket] = await at.database.sql<{ match_code: string }>(
    'SELECT match_code FROM ticket ORDER BY scanned_at DESC NULLS LAST LIMIT 1',
  );
  expect((await phone.confirm(scanned, ticket?.match_code)).status).toBe(200);
}

describe('vue-wxlogin on a site’s page', () => {
  it('brings the visitor to the site’s callback in the top window, and the code gives the nickname', async () => {
    const { desk, page, qr } = await open({ state: 'a%2Fb' });
    expect(new URL(qr).origin).toBe(`https://${WECHAT}`);
    const frame = page.locator('iframe');
    expect(await frame.getAttribute('sandbox')).toBe('allow-scripts allow-top-navigation allow-same-origin');
    expect(await frame.getAttribute('src')).toBe(
      `https://${WECHAT}/connect/qrconnect?appid=${shop.clientId}&scope=snsapi_login` +
        `&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback&state=a%2Fb&login_type=jssdk&style=black` +
        `&self_redirect=default&href=`,
    );
    await allow(qr);
    await page.waitForURL(`${SHOP}/callback?*`);
    expect(page.frames()).toHaveLength(1);
    const { searchParams } = new URL(page.url());
    expect([...searchParams.keys()]).toEqual(['code', 'state']);
    expect(searchParams.get('state')).toBe('a/b');

    const tokens = (await shop.exchange(searchParams.get('code') as string)).json();
    expect(tokens).toMatchObject({ scope: 'snsapi_login', expires_in: 7200 });
    const { access_token, openid } = tokens as { access_token: string; openid: string };
    const profile = (await shop.userinfo(access_token, { openid })).json();
    expect(profile).toMatchObject({ openid, nickname: '张三😀' });
    expect(desk.complaints()).toEqual([]);
  });

  it('moves the frame alone with self_redirect="true"', async () => {
    const { page, qr } = await open({ state: 'inside', self_redirect: 'true' });
    await allow(qr);
    await expect
      .poll(() => page.frames()[1]?.url(), { timeout: 15_000 })
      .toMatch(/^https:\/\/shop\.example\/callback\?code=[\w-]+&state=inside$/);
    expect(page.url()).toBe(`${SHOP}/login`);
  });

  it('works with every property set, in the theme that was asked for', async () => {
    const { page, qr } = await open({
      state: 'all',
      theme: 'white',
      href: encodeURIComponent(`${SHOP}/wx.css`),
      self_redirect: 'false',
      login_type: 'jssdk',
    });
    const body = page.frameLocator('iframe').locator('html');
    expect(await body.getAttribute('data-theme')).toBe('dark');
    await allow(qr);
    await page.waitForURL(`${SHOP}/callback?code=*&state=all`);
  });

  it('starts over when the site learns its state later', async () => {
    const { page, qr } = await open();
    const fresh = nextQr(page);
    await page.evaluate("app.all = Object.assign({}, app.all, { state: 'late' })");
    const later = await fresh;
    expect(later).not.toBe(qr);
    await allow(later);
    await page.waitForURL(`${SHOP}/callback?code=*&state=late`);
  });

  it('works as well when the site’s bundler replaces the host by this server’s', async () => {
    const other = await startApp();
    const elsewhere = await wechatSite(other.app, other, { redirectUris: [`${SHOP}/callback`] });
    const { page, qr } = await open({ appid: elsewhere.clientId, state: 'replaced' }, other.url);
    await approve(other, await person(other.app, other), qr);
    await page.waitForURL(`${SHOP}/callback?code=*&state=replaced`);
    await other.stop();
  });

  it('asks the two names for everything, and complains about nothing', async () => {
    const { desk, page } = await open();
    await page.frameLocator('iframe').locator('#qr svg').waitFor();
    // The page's socket is at the name of the page.
    const addresses = desk.requests.map(({ url }) => new URL(url.replace(/^wss:/, 'https:')));
    const names = new Set(addresses.map(({ protocol, host }) => `${protocol}//${host}`));
    expect([...names].filter((name) => name !== 'data://').sort()).toEqual([`https://${WECHAT}`, SHOP]);
    await expect(page.goto('https://res.wx.qq.com/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
    expect(chrome.complaints()).toEqual([]);
  });
});
