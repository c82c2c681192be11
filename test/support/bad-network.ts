/** A site that frames our waiting page, a server, and between them and the browser a network that does as a test says. */
import type { FrameLocator } from 'playwright-core';
import { type Actor, openBrowser, type TestBrowser } from './browser.js';
import type { Phone, Scanned } from './phone.js';
import { type PlainSite, startPlainSite } from './plain-site.js';
import { type WechatSite, wechatSite } from './relying-party.js';
import { matchCodeOn, scanScreen, widgetFrame } from './screen.js';
import { startApp, type TestApp, until } from './start-app.js';
import { forgetScans, person } from './story.js';
import { startWireProxy, type WireProxy } from './wire-proxy.js';

/** A screen with a QR code on it. */
export interface Desk extends Actor {
  readonly frame: FrameLocator;
  readonly qr: string;
  /** Documents loaded so far: two, the site's and ours, as long as nothing is loaded anew. */
  documents(): number;
  headline(): Promise<string | null>;
}

export interface BadNetwork {
  readonly proxy: WireProxy;
  readonly chrome: TestBrowser;
  readonly site: PlainSite;
  readonly shop: WechatSite;
  /** Of a person whose own network is fine. */
  readonly phone: Phone;
  readonly server: TestApp;
  /** A new screen; `more` are parameters of our page. `clock`: a test can put its clock forward. */
  open(more?: Record<string, string>, options?: { clock?: boolean }): Promise<Desk>;
  scan(desk: Desk): Promise<Scanned>;
  /** From now on nothing passes on the one connection that stands, and nobody notices; new ones work. */
  fallSilent(): Promise<void>;
  /** Types the number that stands on the screen; ends when the site has its visitor back. */
  finish(desk: Desk, scanned: Scanned): Promise<void>;
  /** The server goes down in good order and comes up again: the same port, the same database. */
  restart(): Promise<void>;
  /** The ways our page has asked for since the last call, each once, in order. */
  ways(): string[];
  /** Closes every screen, and mends the network. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const WAYS: ReadonlyArray<[RegExp, string]> = [
  [/ \/api\/qr\/socket /, 'socket'],
  [/^GET \/api\/qr\/tickets\/[\w-]+\/events /, 'events'],
  [/^GET \/api\/qr\/tickets\/[\w-]+\?wait=/, 'long-poll'],
  [/^GET \/api\/qr\/tickets\/[\w-]+ /, 'ask'],
];

export async function openBadNetwork(): Promise<BadNetwork> {
  const [proxy, chrome, site] = await Promise.all([startWireProxy(), openBrowser(), startPlainSite()]);
  const url = `http://localhost:${proxy.port}`;
  const start = async (settings: Record<string, string>, database?: TestApp['database']) => {
    const started = await startApp({ PUBLIC_URL: url, ...settings }, database);
    // A browser that wakes up has dropped its idle connections; those of a test end before they could fall silent.
    started.app.server.keepAliveTimeout = 100;
    return started;
  };
  let server = await start({});
  const port = server.config.port;
  proxy.backends = [port];
  const shop = await wechatSite(server.app, { url, port }, { redirectUris: [`${site.url}/callback`] });
  const phone = await person(server.app, { url, port });
  const screens: Actor[] = [];
  site.put('/callback', '<p>back at the site</p>');
  return {
    proxy,
    chrome,
    site,
    shop,
    phone,
    get server() {
      return server;
    },
    async open(more = {}, { clock = false } = {}) {
      await forgetScans(server.database);
      const actor = await chrome.desktop();
      screens.push(actor);
      if (clock) await actor.page.clock.install();
      const query = shop.request({ redirect_uri: `${site.url}/callback`, lang: 'en', ...more });
      const src = `${url}/connect/qrconnect?${new URLSearchParams(query)}`.replaceAll('&', '&amp;');
      await actor.page.goto(site.put('/login', `<iframe src="${src}" width="300" height="400"></iframe>`));
      const frame = widgetFrame(actor.page);
      return {
        ...actor,
        frame,
        qr: await scanScreen(actor.page, frame),
        documents: () => actor.requests.filter(({ kind }) => kind === 'document').length,
        headline: () => frame.locator('#headline').textContent(),
      };
    },
    async scan({ qr }) {
      const scanned = await phone.scan(qr);
      if (scanned.answer.status !== 200)
        throw new Error(`scan failed: ${scanned.answer.status} ${scanned.answer.body}`);
      return scanned;
    },
    async fallSilent() {
      await until(() => proxy.standing <= 1, 'more than one connection stands');
      proxy.set('silent');
      proxy.set('up');
    },
    async finish(desk, scanned) {
      const confirmed = await phone.confirm(scanned, await matchCodeOn(desk.frame));
      if (confirmed.status !== 200) throw new Error(`confirm failed: ${confirmed.status} ${confirmed.body}`);
      await desk.page.waitForURL(`${site.url}/callback?*`);
    },
    async restart() {
      await server.app.stop();
      server = await start({ PORT: String(port) }, server.database);
    },
    ways() {
      const lines = proxy.seen.splice(0);
      return [...new Set(lines.flatMap((line) => WAYS.filter(([way]) => way.test(line)).map(([, name]) => name)))];
    },
    async clear() {
      await Promise.all(screens.splice(0).map(({ context }) => context.close()));
      Object.assign(proxy, { upgrades: 'pass', streams: 'pass' });
      proxy.set('up');
      proxy.seen.splice(0);
    },
    async stop() {
      await chrome.close();
      await Promise.all([site.stop(), proxy.stop()]);
      await server.stop();
    },
  };
}
