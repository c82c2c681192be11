/** A real browser: one per process of the run, a context per actor; third-party cookies blocked, requests and complaints written down. */
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findBrowser } from './browser-binary.js';

export interface Seen {
  readonly url: string;
  readonly kind: string;
  readonly method: string;
  /** Of the Authorization header, without the word Bearer. */
  readonly bearer: string | undefined;
}

export interface Actor {
  readonly context: BrowserContext;
  /** The tab in which third-party cookies are blocked. */
  readonly page: Page;
  /** Every request of every tab, oldest first; opened WebSockets too, of the kind `websocket`. */
  readonly requests: readonly Seen[];
  /** Errors on the console, refusals by a policy, exceptions; without those that were foretold. */
  complaints(): string[];
  /** Foretells complaints that belong to the story. */
  foretell(...patterns: RegExp[]): void;
}

export interface TestBrowser {
  desktop(options?: BrowserContextOptions): Promise<Actor>;
  phone(options?: BrowserContextOptions): Promise<Actor>;
  /** What every actor so far complained about. */
  complaints(): string[];
  close(): Promise<void>;
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DESKTOP: BrowserContextOptions = { viewport: { width: 1100, height: 760 }, locale: 'en-GB' };
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
  locale: 'en-GB',
};

const launch = async (more: readonly string[] = []) =>
  chromium.launch({ ...(await findBrowser()), args: [...ARGS, ...more] });

/** The files of a process follow one another in one browser, which ends with the process. */
let common: Promise<Browser> | undefined;
async function commonBrowser(): Promise<Browser> {
  const known = await common?.catch(() => undefined);
  if (known?.isConnected()) return known;
  common = launch();
  return common;
}

/** With `more`, further switches for the browser itself: in one of its own. */
export async function openBrowser(more?: readonly string[]): Promise<TestBrowser> {
  const browser = await (more ? launch(more) : commonBrowser());
  const actors: Actor[] = [];
  const act = async (options: BrowserContextOptions) => {
    const actor = await createActor(browser, options);
    actors.push(actor);
    return actor;
  };
  return {
    desktop: (options) => act({ ...DESKTOP, ...options }),
    phone: (options) => act({ ...PHONE, ...options }),
    complaints: () => actors.flatMap((actor) => actor.complaints()),
    async close() {
      await Promise.all(actors.map(({ context }) => context.close()));
      if (more) await browser.close();
    },
  };
}

async function createActor(browser: Browser, options: BrowserContextOptions): Promise<Actor> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  const requests: Seen[] = [];
  const complaints: string[] = [];
  const foretold: RegExp[] = [];
  context.on('request', (request) => {
    const bearer = /^Bearer (.+)$/.exec(request.headers().authorization ?? '')?.[1];
    requests.push({ url: request.url(), kind: request.resourceType(), method: request.method(), bearer });
  });
  context.on('console', (message) => {
    const isWrong = message.type() === 'error' || /Content Security Policy|violates/.test(message.text());
    if (isWrong) complaints.push(`${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      requests.push({ url: socket.url(), kind: 'websocket', method: 'GET', bearer: undefined });
    });
  });
  const page = await context.newPage();
  await blockThirdPartyCookies(page);
  return {
    context,
    page,
    requests,
    complaints: () => complaints.filter((text) => !foretold.some((pattern) => pattern.test(text))),
    foretell: (...patterns) => void foretold.push(...patterns),
  };
}

/** The one way that works in the headless shell too, whose profile cannot be told by flags (wechat-widget.test.ts proves it). */
async function blockThirdPartyCookies(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send(
    'Network.setCookieControls' as 'Network.enable',
    {
      enableThirdPartyCookieRestriction: true,
      disableThirdPartyCookieMetadata: true,
      disableThirdPartyCookieHeuristics: true,
    } as never,
  );
}
