/** T65 in a browser with an authenticator: the first passkey opens the console, and then it alone signs in and proves. */
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR } from '../support/administrator.js';
import type { Actor } from '../support/browser.js';
import { type ConsoleHouse, openConsole, signInOnPage } from '../support/console.js';

let house: ConsoleHouse;
let actor: Actor;
let page: Page;
let devices: CDPSession;
let device: string;

/** A device that unlocks its passkeys by itself, as a finger would. */
async function newDevice(transport: 'internal' | 'usb'): Promise<string> {
  const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return authenticatorId;
}

beforeAll(async () => {
  house = await openConsole({ DEMO: 'off' });
  actor = await house.chrome.desktop();
  ({ page } = actor);
  devices = await actor.context.newCDPSession(page);
  await devices.send('WebAuthn.enable');
  device = await newDevice('internal');
});
afterAll(() => house?.stop());

const textOf = (id: string) => page.locator(id).textContent();
const ageProofs = () =>
  house.server.database.sql(`UPDATE administrator_session SET auth_time = now() - interval '6 minutes'`);

describe('T65 an administrator with a passkey', () => {
  it('adds the first one with a password, which opens the console', async () => {
    actor.foretell(/status of 401/);
    await page.goto(`${house.server.url}/admin`);
    await signInOnPage(page);
    expect(await page.locator('h1').innerText()).toBe('Add a passkey to open the console');
    expect(await page.getByRole('navigation').getByRole('link').allInnerTexts()).toEqual(['Passkeys']);
    await page.getByLabel('Name', { exact: true }).fill('My laptop');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'Sites and apps' }).waitFor();
    await page.getByRole('link', { name: 'Passkeys' }).click();
    expect(await page.locator('.passkey-list').innerText()).toMatch(/My laptop\s+Added .*202\d/);
  });

  it('hears that the device holds one already, and adds another device', async () => {
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await expect.poll(() => textOf('#add-problem')).toMatch(/already holds a passkey/);
    await devices.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: device, enabled: false });
    const other = await newDevice('usb');
    await page.getByLabel('Name', { exact: true }).fill('My phone');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await expect.poll(() => page.locator('.passkey-list li').count()).toBe(2);
    expect(await textOf('#add-problem')).toBe('');
    await devices.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: other });
    await devices.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: device, enabled: true });
  });

  it('is asked for the passkey before one is removed, keeps the last one, and reads why', async () => {
    actor.foretell(/status of 40[39]/);
    await ageProofs();
    await page.getByRole('button', { name: 'Remove: My phone' }).click();
    await page.locator('#remove-submit').click();
    await page.locator('#identity').waitFor();
    expect(await page.locator('#identity-password').isVisible()).toBe(false);
    await page.locator('#identity-passkey').click();
    await expect.poll(() => page.locator('.passkey-list li').count()).toBe(1);
    await page.getByRole('button', { name: 'Remove: My laptop' }).click();
    await page.locator('#remove-submit').click();
    await expect.poll(() => textOf('#remove-problem')).not.toBe('');
    await page.keyboard.press('Escape');
    expect(await page.locator('.passkey-list li').count()).toBe(1);
  });

  it('signs in with the passkey, and with the password no more', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#username').fill(ADMINISTRATOR.username);
    await page.locator('#password').fill(ADMINISTRATOR.password);
    await page.locator('#submit').click();
    await expect.poll(() => textOf('#problem')).toMatch(/only the passkey opens the console/);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Sites and apps' }).waitFor();
  });

  it('signs in again by passkey over a form that is being filled in', async () => {
    await page.goto(`${house.server.url}/admin/clients/new`);
    await page.getByLabel('Name', { exact: true }).fill('Patience');
    await page.getByLabel('Redirect URIs 1').fill('https://my-shop.example/callback');
    await house.server.database.sql('UPDATE administrator_session SET ended_at = now()');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.locator('#identity-passkey').click();
    await page.getByRole('heading', { name: 'Patience is registered' }).waitFor();
    expect(actor.complaints()).toEqual([]);
  });

  it('is told when no passkey came, and may try again', async () => {
    await devices.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: false });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await expect.poll(() => textOf('#passkey-problem')).toBe('No passkey was given. You can try again.');
    await devices.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: true });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.locator('#sign-out').waitFor();
  });
});
