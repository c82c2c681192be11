/** A person at a phone's browser: opens what the camera read, signs in, looks, types, allows or denies. */
import type { FrameLocator, Page } from 'playwright-core';
import type { Actor } from './browser.js';
import type { Person } from './demo-site.js';
import { matchCodeOn } from './screen.js';

/** Opens the address and signs in when asked to; ends on the page that asks for the decision. */
export async function openOnPhone(phone: Actor, qr: string, person: Person): Promise<void> {
  const { page } = phone;
  await page.goto(qr);
  if (await page.locator('#password').isVisible()) await signInOnPhone(page, person);
  await page.locator('#deny:enabled').waitFor();
}

export async function signInOnPhone(page: Page, { username, password }: Person): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).tap();
  await page.locator('#decide').waitFor();
}

/** Types the number and allows; the button wakes once the page was looked at long enough. */
export async function allowWith(phone: Actor, code: string): Promise<void> {
  await phone.page.getByLabel('Number on the other screen').fill(code);
  await phone.page.getByRole('button', { name: 'Allow' }).tap();
}

/** The last panel, such as `confirmed` or `wrongCode`. */
export async function outcomeOn(phone: Actor): Promise<string | null> {
  const panel = phone.page.locator('#outcome');
  await panel.waitFor();
  return panel.getAttribute('data-outcome');
}

/** From a QR address to "you are signed in", with the number read off the waiting page. */
export async function approveOnPhone(phone: Actor, qr: string, person: Person, waiting: Page | FrameLocator) {
  await openOnPhone(phone, qr, person);
  await allowWith(phone, await matchCodeOn(waiting));
  return outcomeOn(phone);
}
