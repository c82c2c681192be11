/** The standard door as a person meets it: a site sends a browser to our login page, and hears what comes back. */
import { decodeJwt, type JWTPayload } from 'jose';
import type { Page } from 'playwright-core';
import { type Actor, openBrowser, type TestBrowser } from './browser.js';
import { newPerson, type Person } from './demo-site.js';
import { type PlainSite, startPlainSite } from './plain-site.js';
import { type OauthSite, oauthSite } from './relying-party.js';
import { startApp, type TestApp } from './start-app.js';

/** One request of the site: what the browser asked with, and what belongs to it. */
export interface Asked {
  readonly state: string;
  readonly verifier: string;
}

export interface FrontDoor {
  readonly server: TestApp;
  readonly chrome: TestBrowser;
  readonly site: PlainSite;
  readonly house: OauthSite;
  person(nickname?: string): Promise<Person>;
  /** Sends the browser from the site to the login page; ends wherever it is led. */
  ask(page: Page, more?: Record<string, string>): Promise<Asked>;
  /** What the site hears; waits for it. */
  answer(page: Page): Promise<URLSearchParams>;
  /** The ID token that the code of this answer is worth. */
  idToken(asked: Asked, answer: URLSearchParams): Promise<string>;
  /** The claims of the ID token that the code of this answer is worth. */
  claims(asked: Asked, answer: URLSearchParams): Promise<JWTPayload & { amr?: string[]; auth_time?: number }>;
  /** Makes this browser a person's phone, an hour ago: it carries our session. */
  makePhoneOf(actor: Actor, person: Person): Promise<void>;
  /** Every sign-in so far happened an hour earlier. */
  ageSignIns(): Promise<void>;
  /** The time of the newest QR code is over. */
  endTicket(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function openFrontDoor(): Promise<FrontDoor> {
  const [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  const redirectUri = `${site.url}/callback`;
  const house = await oauthSite(server.app, server, { redirectUris: [redirectUri] });
  site.put('/callback', '<p>back at the site</p>');
  const ageSignIns = async () => {
    await server.database.sql("UPDATE phone_session SET auth_time = auth_time - interval '1 hour'");
  };
  const idToken = async ({ verifier }: Asked, answer: URLSearchParams) => {
    const tokens = await house.exchange(String(answer.get('code')), verifier, { redirect_uri: redirectUri });
    if (tokens.status !== 200) throw new Error(`no tokens: ${tokens.status} ${tokens.body}`);
    return String(tokens.json().id_token);
  };
  return {
    server,
    chrome,
    site,
    house,
    ageSignIns,
    endTicket: () =>
      server.database.sql(
        "UPDATE ticket SET expires_at = now() - interval '1 second' WHERE id = (SELECT id FROM ticket ORDER BY created_at DESC LIMIT 1)",
      ),
    person: (nickname) => newPerson(server, nickname),
    async ask(page, more) {
      const { query, verifier } = house.request({ redirect_uri: redirectUri, ...more });
      await page.goto(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`);
      return { state: String(query.state), verifier };
    },
    async answer(page) {
      await page.waitForURL(`${redirectUri}?*`);
      return new URL(page.url()).searchParams;
    },
    idToken,
    claims: async (asked, answer) => decodeJwt(await idToken(asked, answer)),
    async makePhoneOf({ context }, { username, password }) {
      const signedIn = await context.request.post(`${server.url}/phone/sign-in`, {
        headers: { origin: server.url },
        data: { username, password },
      });
      if (!signedIn.ok()) throw new Error(`no phone session: ${signedIn.status()}`);
      await ageSignIns();
    },
    async stop() {
      await chrome.close();
      await Promise.all([site.stop(), server.stop()]);
    },
  };
}

/** Types user name and password into the login page and sends them. */
export async function signInHere(page: Page, { username, password }: Person): Promise<void> {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#submit').click();
}

/** Allows on the consent page, which wakes once it was looked at. */
export async function allowHere(page: Page): Promise<void> {
  await page.locator('#consent #allow:enabled').click();
}
