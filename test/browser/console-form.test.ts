/** The small things of the console's form of a client: its lists, its fold, what it asks and says, and where the focus is. */
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR } from '../support/administrator.js';
import type { Actor } from '../support/browser.js';
import { type ConsoleHouse, openConsole } from '../support/console.js';

let house: ConsoleHouse;
let actor: Actor;
let page: Page;

beforeAll(async () => {
  house = await openConsole();
  actor = await house.enter();
  ({ page } = actor);
});
afterAll(() => house?.stop());

const textOf = (id: string) => page.locator(id).textContent();
const focused = () => page.evaluate<string>('document.activeElement.id');
const isOpen = () => page.locator('#more').evaluate((fold) => Reflect.get(fold, 'open'));
const name = () => page.getByLabel('Name', { exact: true });
const save = () => page.getByRole('button', { name: 'Save' }).click();

async function clientPage(): Promise<void> {
  const { client } = await house.server.app.clients.register('test', {
    name: 'Reading club',
    redirectUris: ['https://reading-club.example/'],
  });
  await page.goto(`${house.server.url}/admin/clients/${client.id}`);
}

describe('the form of a new client', () => {
  const fields = () => page.locator('[data-setting=redirect_uris] input');

  it('hides a group that has nothing for the dialect', async () => {
    await page.goto(`${house.server.url}/admin/clients/new`);
    await page.getByText('More settings').click();
    const heading = page.getByRole('heading', { name: 'Signing out' });
    expect(await heading.isVisible()).toBe(true);
    await page.getByLabel('WeChat website login').check();
    expect(await heading.isVisible()).toBe(false);
    expect(await page.getByRole('heading', { name: 'Signing in', exact: true }).isVisible()).toBe(true);
    await page.getByLabel('OpenID Connect / OAuth').check();
    expect(await heading.isVisible()).toBe(true);
  });

  it('adds a field at Enter, but not at the Enter that ends a composition', async () => {
    await page.goto(`${house.server.url}/admin/clients/new`);
    await fields().fill('https://my-shop.example/');
    await fields().dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    expect(await fields().count()).toBe(1);
    await fields().press('Enter');
    expect(await fields().count()).toBe(2);
  });

  it('keeps one empty field when the last address is removed', async () => {
    await page.goto(`${house.server.url}/admin/clients/new`);
    await fields().fill('https://my-shop.example/');
    await page.locator('[data-setting=redirect_uris] .remove').click();
    expect(await fields().inputValue()).toBe('');
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Redirect URIs 1');
  });
});

describe('the form of a client', () => {
  it('has the focus on its button after saving', async () => {
    await clientPage();
    // The button is off for as long as this takes, and the browser takes the focus away.
    await page.route('**/admin/api/clients/*', async (route) => {
      await page.waitForFunction('document.activeElement === document.body');
      await route.continue();
    });
    await name().fill('Writing club');
    await save();
    await expect.poll(() => textOf('#form-done')).toBe('Saved: Name.');
    expect(await focused()).toBe('save');
    await page.unroute('**/admin/api/clients/*');
  });

  it('has the focus in the field in which Enter saved it', async () => {
    await clientPage();
    await name().fill('Writing club');
    await name().press('Enter');
    await expect.poll(() => textOf('#form-done')).toBe('Saved: Name.');
    expect(await focused()).toBe('set-name');
  });

  it('has the focus on the button that undoes it once the client is disabled, and enabled', async () => {
    await clientPage();
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.locator('#enable').waitFor();
    await expect.poll(focused).toBe('enable');
    await page.keyboard.press('Enter');
    await page.locator('#disable').waitFor();
    await expect.poll(focused).toBe('disable');
  });

  it('keeps its fold open, or closed, over a save', async () => {
    await clientPage();
    await name().fill('Writing club');
    await save();
    await expect.poll(() => textOf('#form-done')).toBe('Saved: Name.');
    expect(await isOpen()).toBe(false);
    await page.getByText('More settings').click();
    await name().fill('Chess club');
    await save();
    await page.getByRole('heading', { name: 'Chess club' }).waitFor();
    await expect.poll(() => textOf('#form-done')).toBe('Saved: Name.');
    expect(await isOpen()).toBe(true);
  });

  it('sends nothing when a number is none, says so, and shows the field', async () => {
    await clientPage();
    const sent = actor.requests.length;
    for (const typed of ['abc', '1.5', '-1']) {
      await page.getByText('More settings').click();
      await page.locator('#set-default_max_age').fill(typed);
      await page.getByText('More settings').click();
      await save();
      await expect
        .poll(() => textOf('#form-problem'))
        .toBe('Oldest sign-in accepted, in seconds: please enter a whole number, or nothing.');
      expect(await focused()).toBe('set-default_max_age');
      await page.getByText('More settings').click();
    }
    expect(actor.requests.slice(sent).map(({ method }) => method)).not.toContain('PATCH');
  });

  it('asks about new unionids for as long as the union is another, and forgets the answer', async () => {
    await clientPage();
    const union = page.getByLabel('Union', { exact: true });
    const sure = page.locator('#new-unionids');
    expect(await sure.isVisible()).toBe(false);
    await union.fill('family');
    await sure.check();
    await union.fill('');
    expect(await sure.isVisible()).toBe(false);
    await union.fill('family');
    expect(await sure.isVisible()).toBe(true);
    expect(await sure.isChecked()).toBe(false);
  });
});

describe('T65 a page that began before there was a passkey', () => {
  const AUTHENTICATOR = {
    protocol: 'ctap2',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const;

  async function newDevice(tab: Page): Promise<{ devices: CDPSession; authenticatorId: string }> {
    const devices = await actor.context.newCDPSession(tab);
    await devices.send('WebAuthn.enable');
    return { devices, ...(await devices.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR })) };
  }

  it('asks for the passkey alone once it has been signed in with over the page', async () => {
    actor.foretell(/status of 40[13]/);
    await clientPage();
    const tab = await actor.context.newPage();
    const other = await newDevice(tab);
    await tab.goto(`${house.server.url}/admin/passkeys`);
    await tab.getByLabel('Name', { exact: true }).fill('My laptop');
    await tab.getByRole('button', { name: 'Add', exact: true }).click();
    await tab.waitForURL(/\/admin$/);
    // The same device, as the page sees it.
    const { credentials } = await other.devices.send('WebAuthn.getCredentials', other);
    const { devices, authenticatorId } = await newDevice(page);
    for (const credential of credentials) {
      await devices.send('WebAuthn.addCredential', { authenticatorId, credential });
    }
    await tab.close();

    await house.server.database.sql('UPDATE administrator_session SET ended_at = now()');
    await name().fill('Writing club');
    await save();
    await page.locator('#identity-password').fill(ADMINISTRATOR.password);
    await page.keyboard.press('Enter');
    await page.locator('#identity-passkey').click();
    await expect.poll(() => textOf('#form-done')).toBe('Saved: Name.');

    await house.server.database.sql(`UPDATE administrator_session SET auth_time = now() - interval '16 minutes'`);
    await name().fill('Chess club');
    await save();
    await page.locator('#identity').waitFor();
    expect(await page.locator('#identity-passkey').isVisible()).toBe(true);
    expect(await page.locator('#identity-password').isVisible()).toBe(false);
    await page.locator('#identity-passkey').click();
    await page.getByRole('heading', { name: 'Chess club' }).waitFor();
    expect(actor.complaints()).toEqual([]);
  });
});
