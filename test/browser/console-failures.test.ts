/** What goes wrong at the console is said where it happened, and nothing that was typed is lost. */
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR } from '../support/administrator.js';
import type { Actor } from '../support/browser.js';
import { type ConsoleHouse, openConsole } from '../support/console.js';
import { problemsOf } from '../support/page-checks.js';

let house: ConsoleHouse;

beforeAll(async () => {
  house = await openConsole();
});
afterAll(() => house?.stop());

const textOf = (page: Page, id: string) => page.locator(id).textContent();
const sql = (text: string) => house.server.database.sql(text);
const endSessions = () => sql('UPDATE administrator_session SET ended_at = now()');
const ageProofs = () => sql(`UPDATE administrator_session SET auth_time = now() - interval '16 minutes'`);
const names = async () => (await house.server.app.clients.list()).map(({ name }) => name);

async function fillIn(page: Page, name: string): Promise<void> {
  await page.goto(`${house.server.url}/admin/clients/new`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Redirect URIs 1').fill('https://my-shop.example/callback');
}
const submit = (page: Page) => page.getByRole('button', { name: 'Register' }).click();
const dialog = (page: Page) => page.getByRole('dialog');

async function clientPage(actor: Actor): Promise<string> {
  const { client } = await house.server.app.clients.register('test', {
    name: 'Reading club',
    redirectUris: ['https://reading-club.example/'],
  });
  await actor.page.goto(`${house.server.url}/admin/clients/${client.id}`);
  return client.id;
}

describe('the sign-in page', () => {
  it('says what was wrong, keeps what was typed, and works when the network is back', async () => {
    const actor = await house.chrome.desktop();
    const { page } = actor;
    actor.foretell(/status of 401/, /ERR_INTERNET_DISCONNECTED/);
    await page.goto(`${house.server.url}/admin`);
    await page.getByLabel('User name').fill(ADMINISTRATOR.username);
    await page.getByLabel('Password', { exact: true }).fill('not this one, surely');
    await page.getByRole('button', { name: 'Sign in with a password' }).click();
    await expect.poll(() => textOf(page, '#problem')).toMatch(/^User name or password is not right/);
    expect(await page.locator(':focus').getAttribute('id')).toBe('password');
    expect(await problemsOf(page, 'en')).toEqual([]);
    await actor.context.setOffline(true);
    await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
    await page.getByRole('button', { name: 'Sign in with a password' }).click();
    await expect.poll(() => textOf(page, '#problem')).toMatch(/^No connection/);
    await actor.context.setOffline(false);
    await page.getByRole('button', { name: 'Sign in with a password' }).click();
    await page.locator('#sign-out').waitFor();
    expect(actor.complaints()).toEqual([]);
  });
});

describe('a form that is being filled in', () => {
  it('outlives the session: the administrator signs in again over it, and it is sent', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 401/);
    await fillIn(page, 'Patience');
    await endSessions();
    await submit(page);
    await dialog(page).waitFor();
    expect(await dialog(page).innerText()).toMatch(/Nothing that you typed is lost/);
    expect(await problemsOf(page, 'en')).toEqual([]);
    await page.getByLabel('Password', { exact: true }).fill('not this one, surely');
    await page.keyboard.press('Enter');
    await expect.poll(() => textOf(page, '#identity-problem')).toMatch(/^User name or password is not right/);
    await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Patience is registered' }).waitFor();
    expect(await names()).toContain('Patience');
    expect(actor.complaints()).toEqual([]);
  });

  it('stays as it is when the administrator does not sign in', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 401/);
    await fillIn(page, 'No hurry');
    await endSessions();
    await submit(page);
    await dialog(page).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/not signed in any more/);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('No hurry');
    expect(await names()).not.toContain('No hurry');
  });

  it('T65 asks for a proof when the last one is old, and goes on by itself', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 40[13]/);
    await fillIn(page, 'Old hand');
    await ageProofs();
    await submit(page);
    await dialog(page).waitFor();
    expect(await page.getByLabel('User name').isVisible()).toBe(false);
    expect(await problemsOf(page, 'en')).toEqual([]);
    await page.getByLabel('Password', { exact: true }).fill('not this one, surely');
    await page.keyboard.press('Enter');
    await expect.poll(() => textOf(page, '#identity-problem')).toBe('That is not the password.');
    expect(await names()).not.toContain('Old hand');
    await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'Old hand is registered' }).waitFor();
    expect(await names()).toContain('Old hand');
    expect(actor.complaints()).toEqual([]);
  });

  it('hears everything that is wrong with it, in the words of the page', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 400/, /ERR_INTERNET_DISCONNECTED/);
    await fillIn(page, 'My sh<b>op');
    await page.getByLabel('Redirect URIs 1').fill('https://my-shop.example/*');
    await submit(page);
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/name may hold letters.*\n.*wildcard/i);
    expect(await page.locator(':focus').getAttribute('id')).toBe('form-problem');
    const uri = page.getByLabel('Redirect URIs 1');
    expect(await page.locator('[aria-invalid]').count()).toBe(1);
    expect(await uri.getAttribute('aria-invalid')).toBe('true');
    await uri.press('End');
    await uri.press('x');
    expect(await page.locator('[aria-invalid]').count()).toBe(0);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('My sh<b>op');
    await actor.context.setOffline(true);
    await submit(page);
    // It may have arrived all the same, and a second one would be another client.
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/^No answer came.*look in the list/);
    expect(await page.locator('#save').isEnabled()).toBe(true);
    expect(actor.complaints()).toEqual([]);
  });
});

describe('a secret', () => {
  it('is not left behind unasked before it was copied', async () => {
    const actor = await house.enter();
    const { page } = actor;
    const asked: string[] = [];
    page.on('dialog', async (dialog) => {
      asked.push(dialog.type());
      await dialog.dismiss();
    });
    await fillIn(page, 'Careful');
    await submit(page);
    await page.getByRole('heading', { name: 'Careful is registered' }).waitFor();
    await page.getByRole('link', { name: '中文' }).click({ noWaitAfter: true });
    await expect.poll(() => asked).toEqual(['beforeunload']);
    expect(await textOf(page, '#secret-value')).toMatch(/^[\w-]{43}$/);
    await page.locator('[data-copies=secret-value]').click();
    await page.getByRole('link', { name: '中文' }).click();
    await page.waitForURL(/lang=zh-CN/);
    expect(asked).toHaveLength(1);
    expect(actor.complaints()).toEqual([]);
  });
});

describe('the page of a client', () => {
  it('copies the id for whoever clicks twice, and then offers it again', async () => {
    const actor = await house.enter();
    const { page } = actor;
    await clientPage(actor);
    const copy = page.locator('[data-copies=client-id]');
    await copy.evaluate((button: { click(): void }) => {
      button.click();
      button.click();
    });
    await copy.filter({ hasText: /^(Copied|Marked: copy it now)$/ }).waitFor();
    await copy.filter({ hasText: /^Copy$/ }).waitFor({ timeout: 5000 });
    expect(actor.complaints()).toEqual([]);
  });

  it('notices at the next save that somebody else changed the client before it was disabled', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 409/);
    const id = await clientPage(actor);
    await house.server.app.clients.update('somebody else', id, { name: 'Writing club' });
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.getByRole('heading', { name: 'Writing club' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Chess club');
    await page.keyboard.press('Enter');
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/^Somebody else has changed this client/);
    expect((await house.server.app.clients.get(id)).name).toBe('Writing club');
    expect(actor.complaints()).toEqual([]);
  });

  it('tells when somebody else changed the client, and offers to load it anew', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 409/);
    const id = await clientPage(actor);
    await house.server.app.clients.update('somebody else', id, { name: 'Writing club' });
    await page.getByLabel('Name', { exact: true }).fill('Chess club');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/^Somebody else has changed this client/);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Chess club');
    await page.getByRole('button', { name: 'Reload the page' }).click();
    await page.getByRole('heading', { name: 'Writing club' }).waitFor();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Writing club');
    expect(actor.complaints()).toEqual([]);
  });

  it('T65 asks within a dialog too, and makes one secret for one wish', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 403/);
    const id = await clientPage(actor);
    await ageProofs();
    await page.getByRole('button', { name: 'New secret…' }).click();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
    await page.keyboard.press('Enter');
    await page.locator('#secret').waitFor();
    await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe('secret-title');
    expect((await house.server.app.clients.get(id)).secrets).toHaveLength(2);
    expect(actor.complaints()).toEqual([]);
  });

  it('makes no second secret when the answer to the first got lost: the one in use would end', async () => {
    const actor = await house.enter();
    const { page } = actor;
    actor.foretell(/status of 409/, /ERR_CONNECTION_RESET/);
    const id = await clientPage(actor);
    const inUse = (await house.server.app.clients.get(id)).secrets[0]?.hash;
    const live = async () => (await house.server.app.clients.get(id)).secrets.map(({ hash }) => hash);
    const lose = async (route: Route) => {
      await route.fetch();
      await route.abort('connectionreset');
    };
    await page.route('**/rotate-secret?*', lose, { times: 1 });
    await page.getByRole('button', { name: 'New secret…' }).click();
    expect(await page.locator('#rotate-older').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await expect.poll(() => textOf(page, '#rotate-problem')).toMatch(/^No connection/);
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await expect.poll(() => textOf(page, '#rotate-problem')).toMatch(/an attempt whose answer got lost/);
    expect(await live()).toContain(inUse);
    await page.reload();
    await page.getByRole('button', { name: 'New secret…' }).click();
    expect(await page.locator('#rotate-older').innerText()).toMatch(/ends the older at once/);
    expect(await problemsOf(page, 'en')).toEqual([]);
    expect(actor.complaints()).toEqual([]);
  });

  it('keeps what is typed while it saves', async () => {
    const actor = await house.enter();
    const { page } = actor;
    const id = await clientPage(actor);
    const name = page.getByLabel('Name', { exact: true });
    await page.route('**/admin/api/clients/*', async (route) => {
      await name.fill('Poetry club');
      await route.continue();
    });
    await name.fill('Writing club');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Writing club' }).waitFor();
    expect(await name.inputValue()).toBe('Poetry club');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(async () => (await house.server.app.clients.get(id)).name).toBe('Poetry club');
    expect(actor.complaints()).toEqual([]);
  });

  it('asks whoever leaves with something typed, and nobody who leaves without', async () => {
    const actor = await house.enter();
    const { page } = actor;
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    for (const address of ['/admin/clients/new', `/admin/clients/${await clientPage(actor)}`]) {
      await page.goto(house.server.url + address);
      await page.getByRole('link', { name: 'Passkeys' }).click();
      await page.waitForURL(/\/passkeys/);
      expect(asked).toEqual([]);
      await page.goto(house.server.url + address);
      await page.getByLabel('Name', { exact: true }).fill('Half typed');
      await page.getByRole('link', { name: 'Passkeys' }).click();
      await page.waitForURL(/\/passkeys/);
      expect(asked.splice(0)).toEqual(['beforeunload']);
    }
    await actor.context.close();
  });

  it('leaves what was typed alone when the client is disabled', async () => {
    const actor = await house.enter();
    const { page } = actor;
    await clientPage(actor);
    await page.getByLabel('Name', { exact: true }).fill('Half typed');
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.locator('.badge.off').waitFor();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Half typed');
    // The revision is the new one: nobody else was here.
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => textOf(page, '#form-done')).toBe('Saved: Name.');
    expect(actor.complaints()).toEqual([]);
  });
});
