/** The console in a real browser: a server with an administrator, who signs in on the page itself. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { ADMINISTRATOR, makeAdministrator } from './administrator.js';
import { type Actor, openBrowser, type TestBrowser } from './browser.js';
import { startApp, type TestApp } from './start-app.js';

export interface ConsoleHouse {
  readonly server: TestApp;
  readonly chrome: TestBrowser;
  /** Signed in, on the list of all clients. */
  enter(options?: BrowserContextOptions): Promise<Actor>;
  stop(): Promise<void>;
}

export async function openConsole(settings: Record<string, string> = {}): Promise<ConsoleHouse> {
  const [server, chrome] = await Promise.all([startApp(settings), openBrowser()]);
  await makeAdministrator(server);
  return {
    server,
    chrome,
    async enter(options) {
      const actor = await chrome.desktop(options);
      // The sign-in page comes with this status, at the very address.
      actor.foretell(/status of 401.*\/admin\)|\(.*\/admin(\?.*)?\)$/);
      await actor.page.goto(`${server.url}/admin`);
      await signInOnPage(actor.page);
      return actor;
    },
    async stop() {
      await chrome.close();
      await server.stop();
    },
  };
}

export async function signInOnPage(page: Page, { username, password } = ADMINISTRATOR): Promise<void> {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#submit').click();
  await page.locator('#sign-out').waitFor();
}
