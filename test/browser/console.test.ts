/** A day at the console: a site is registered with a risk, changed, given a new secret, tried, switched off and deleted. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../support/browser.js';
import { type ConsoleHouse, openConsole, signInOnPage } from '../support/console.js';

let house: ConsoleHouse;

beforeAll(async () => {
  house = await openConsole();
});
afterAll(() => house?.stop());

const textOf = (page: Page, id: string) => page.locator(id).textContent();
const DOMAIN_WARNING = /any address on my-shop\.example: exact redirect URIs are safer/;

describe('an administrator', () => {
  let actor: Actor;
  let page: Page;
  let id: string;

  it('gets the sign-in page at the very address, and comes back to it', async () => {
    actor = await house.chrome.desktop();
    ({ page } = actor);
    actor.foretell(/status of 401.*\/admin/);
    const first = await page.goto(`${house.server.url}/admin/clients/new?lang=en`);
    expect(first?.status()).toBe(401);
    await signInOnPage(page);
    expect(page.url()).toBe(`${house.server.url}/admin/clients/new?lang=en`);
    await page.getByRole('link', { name: 'Sites and apps' }).first().click();
    expect(await page.locator('.empty').innerText()).toMatch(/No site is registered yet/);
  });

  it('sees the warning about a callback domain the moment it is typed', async () => {
    await page.getByRole('link', { name: 'Register a site or app' }).click();
    expect(await page.locator('#set-callback_domain').isVisible()).toBe(false);
    await page.getByLabel('WeChat website login').check();
    await page.getByLabel('Name', { exact: true }).fill('My shop');
    const risk = page.locator('[data-setting=callback_domain] .risk');
    expect(await risk.isVisible()).toBe(false);
    await page.getByLabel('Callback domain').pressSequentially('my-shop.example');
    expect(await risk.innerText()).toBe('Accepts any https address on that host: exact redirect URIs are safer.');
    await page.getByText('More settings').click();
    await page.getByLabel('Match code').selectOption('off');
    expect(await page.locator('[data-setting=match_code] .risk').innerText()).toMatch(/one tap from letting them in/);
    await page.getByLabel('Match code').selectOption('type');
    expect(await page.locator('[data-setting=match_code] .risk').isVisible()).toBe(false);
  });

  it('is shown the secret once, with what belongs into the site and the warnings', async () => {
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: 'My shop is registered' }).waitFor();
    id = (await textOf(page, '#new-id')) ?? '';
    const secret = (await textOf(page, '#secret-value')) ?? '';
    expect(id).toMatch(/^wx[0-9a-f]{16}$/);
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    expect(await textOf(page, '#site-open')).toBe(house.server.url);
    expect(await textOf(page, '#warning-list')).toMatch(DOMAIN_WARNING);
    // As text, and nowhere else.
    const rest = (await page.content()).replace(`>${secret}<`, '');
    expect(rest + page.url() + (await page.title())).not.toContain(secret);
    expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe('[{},{}]');
    await page.getByRole('link', { name: 'Open its page' }).click();
    expect(await page.content()).not.toContain(secret);
    await page.goBack();
    expect(await page.content()).not.toContain(secret);
  });

  it('sees the warning on the client’s page and in the list', async () => {
    await page.goto(`${house.server.url}/admin/clients/${id}`);
    expect(await page.getByRole('note', { name: 'Please note' }).innerText()).toMatch(DOMAIN_WARNING);
    await page.goto(`${house.server.url}/admin`);
    await page.getByRole('link', { name: '4 warnings My shop' }).click();
    expect(page.url()).toBe(`${house.server.url}/admin/clients/${id}#warnings`);
  });

  it('tries redirect URIs', async () => {
    await page.getByLabel('Address', { exact: true }).fill('https://my-shop.example/anything');
    await page.getByRole('button', { name: 'Try' }).click();
    await expect.poll(() => textOf(page, '#verdict')).toMatch(/^Allowed Any address on the callback domain/);
    await page.getByLabel('Address', { exact: true }).fill('https://other-shop.example/');
    await page.keyboard.press('Enter');
    await expect.poll(() => textOf(page, '#verdict')).toMatch(/^Not allowed /);
  });

  it('changes settings: only what moved is sent, and the warnings are fresh', async () => {
    const sent: unknown[] = [];
    page.on('request', (request) => request.method() === 'PATCH' && sent.push(request.postDataJSON()));
    await page.getByLabel('Redirect URIs 1').fill('https://my-shop.example/callback');
    await page.getByLabel('Callback domain').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => textOf(page, '#form-done')).toBe('Saved: Callback domain, Redirect URIs.');
    expect(sent).toEqual([{ redirect_uris: ['https://my-shop.example/callback'], callback_domain: null, revision: 0 }]);
    expect(await textOf(page, '#warnings')).not.toMatch(/callback domain/);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => textOf(page, '#form-done')).toBe('Nothing was changed.');
    expect(sent).toHaveLength(1);
    await page.getByLabel('Name', { exact: true }).fill('My other shop');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'My other shop' }).waitFor();
    expect(sent[1]).toEqual({ name: 'My other shop', revision: 1 });
  });

  it('is asked to mean it when a change gives everybody another unionid', async () => {
    actor.foretell(/status of 400/);
    await page.getByLabel('Union', { exact: true }).fill('family');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect
      .poll(() => textOf(page, '#form-problem'))
      .toMatch(/unionid.*Yes, give every person a new unionid here/);
    expect(await page.locator(':focus').getAttribute('id')).toBe('form-problem');
    await page.getByLabel('Yes, give every person a new unionid here').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => textOf(page, '#form-done')).toBe('Saved: Union.');
    expect(await page.locator('#new-unionids').isVisible()).toBe(false);
  });

  it('makes a new secret; the old one is named with its end', async () => {
    await page.getByRole('button', { name: 'New secret…' }).click();
    await page.getByLabel('1 day').check();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await page.locator('#secret').waitFor();
    const secret = (await textOf(page, '#secret-value')) ?? '';
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    await expect.poll(() => textOf(page, '#facts')).toMatch(/The one before it is accepted until/);
    const [end] = await house.server.database.sql<{ hours: number }>(
      `SELECT round(extract(epoch FROM (s->>'expiresAt')::timestamptz - now()) / 3600)::int AS hours
       FROM client, jsonb_array_elements(secrets) s WHERE s ? 'expiresAt'`,
    );
    expect(end?.hours).toBe(24);
    // A page that is left may be kept for the way back, but not with the secret on it.
    await page.evaluate("dispatchEvent(new Event('pagehide'))");
    expect(await page.content()).not.toContain(secret);
    await page.reload();
    expect(await page.content()).not.toContain(secret);
    expect(await page.locator('#secret').isVisible()).toBe(false);
  });

  it('disables the client, enables it, and deletes it after typing its name', async () => {
    expect(await page.getByRole('button', { name: 'Delete…' }).isVisible()).toBe(false);
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    expect(await page.locator('#delete-submit').isDisabled()).toBe(true);
    await page.getByLabel('To go on, type its name').fill('My shop');
    expect(await page.locator('#delete-submit').isDisabled()).toBe(true);
    await page.getByLabel('To go on, type its name').fill('My other shop');
    await page.locator('#delete-submit').click();
    await page.waitForURL(`${house.server.url}/admin`);
    actor.foretell(/status of 404/);
    expect((await page.goto(`${house.server.url}/admin/clients/${id}`))?.status()).toBe(404);
    expect(await page.locator('h1').innerText()).toBe('There is no such site or app');
    await page.getByRole('link', { name: 'Sites and apps' }).click();
    await page.waitForURL(`${house.server.url}/admin`);
  });

  it('speaks the other language at the same address, and takes it along', async () => {
    await page.goto(`${house.server.url}/admin/clients/new`);
    await page.getByRole('link', { name: '中文' }).click();
    expect(page.url()).toBe(`${house.server.url}/admin/clients/new?lang=zh-CN`);
    await page.getByRole('button', { name: '登记' }).click();
    await expect.poll(() => textOf(page, '#form-problem')).toMatch(/[一-鿿]/);
    await page.getByRole('link', { name: '通行密钥' }).click();
    expect(page.url()).toBe(`${house.server.url}/admin/passkeys?lang=zh-CN`);
  });

  it('signs out, and the cookie opens nothing any more', async () => {
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.locator('#username').waitFor();
    expect(page.url()).toBe(`${house.server.url}/admin?lang=zh-CN`);
    expect((await page.goto(`${house.server.url}/admin`))?.status()).toBe(401);
    expect(actor.complaints()).toEqual([]);
  });
});

describe('the form of a client', () => {
  it('takes several pasted lines as several addresses, and is worked by the keyboard alone', async () => {
    const { page, context } = await house.enter();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${house.server.url}/admin/clients/new`);
    const uris = ['https://a-1.example/', 'https://b-2.example/', 'https://c-3.example/'];
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(uris.join('\n'))})`);
    await page.getByLabel('Redirect URIs 1').press('Control+v');
    const values = () =>
      page
        .locator('[data-setting=redirect_uris] input')
        .evaluateAll((all) => all.map((one) => Reflect.get(one, 'value')));
    expect(await values()).toEqual(uris);
    // Enter gives the next field, and sends nothing.
    await page.getByLabel('Redirect URIs 3').press('Enter');
    await page.keyboard.type('https://d-4.example/');
    expect(await values()).toEqual([...uris, 'https://d-4.example/']);
    await page.getByLabel('Redirect URIs 2').press('Tab');
    await page.keyboard.press('Enter');
    expect(await values()).toEqual([uris[0], uris[2], 'https://d-4.example/']);
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Redirect URIs 2');
  });

  it('sends nothing of the other dialect, and opens the fold with what it cannot read', async () => {
    const { page } = await house.enter();
    await page.goto(`${house.server.url}/admin/clients/new`);
    await page.getByLabel('Name', { exact: true }).fill('Two minds');
    await page.getByLabel('WeChat website login').check();
    await page.getByLabel('Callback domain').fill('two-minds.example');
    await page.getByLabel('OpenID Connect / OAuth').check();
    await page.getByLabel('Redirect URIs 1').fill('https://two-minds.example/');
    await page.locator('#set-jwks').evaluate((field) => Reflect.set(field, 'value', 'no json'));
    await page.getByRole('button', { name: 'Register' }).click();
    expect(await textOf(page, '#form-problem')).toMatch(/^Public keys \(JWK set\): this is not JSON/);
    expect(await page.locator(':focus').getAttribute('id')).toBe('set-jwks');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Register' }).click();
    expect((await sent).postDataJSON()).toEqual({
      name: 'Two minds',
      dialect: 'oauth',
      application_type: 'web',
      redirect_uris: ['https://two-minds.example/'],
    });
    expect(await textOf(page, '#site-discovery')).toBe(`${house.server.url}/.well-known/openid-configuration`);
  });

  it('has a field for finding one when there are many', async () => {
    const { page } = await house.enter();
    expect(await page.locator('#filter').count()).toBe(0);
    for (let i = 0; i < 9; i += 1)
      await house.server.app.clients.register('test', {
        name: `Club ${i}`,
        redirectUris: [`https://club-${i}.example/`],
      });
    await page.reload();
    await page.getByLabel('Find by name, id or address').fill('CLUB-7.');
    await expect.poll(() => page.locator('.client-row:visible').count()).toBe(1);
    expect(await textOf(page, '#filter-count')).toBe(`1 of ${await page.locator('.client-row').count()}`);
    expect(await page.locator('.client-row:visible').innerText()).toMatch(/^Club 7/);
  });
});
