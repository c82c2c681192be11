/** T63: whatever reached the database or a form is text at the console. No script runs, and no policy has to stop one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callConsole } from '../support/administrator.js';
import type { Actor } from '../support/browser.js';
import { type ConsoleHouse, openConsole } from '../support/console.js';
import { send } from '../support/http.js';

let house: ConsoleHouse;
let actor: Actor;
let id: string;

const IMAGE = '"><img src=x onerror=ran()>';
const ENDS = `</script></textarea></title><script>ran()</script>`;
const ATTRIBUTE = `' onfocus=ran() autofocus x='`;
const TEMPLATE = '{{7*7}}';

/** Passes the rules of redirect URIs, whatever a template does with it. */
const ADDRESS = "https://a-shop.example/?q='onmouseover=ran()&x=&lt;script&gt;ran()&lt;/script&gt;;//javascript:ran()";
const KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const KIDS = [IMAGE, ENDS, ATTRIBUTE, TEMPLATE].map((text) => text.replaceAll(' ', '/'));

beforeAll(async () => {
  house = await openConsole();
  const { server, chrome } = house;
  const { client } = await server.app.clients.register('test', {
    name: 'Shop 1',
    redirectUris: [ADDRESS],
    clientKeys: { keys: KIDS.map((kid) => ({ ...KEY, kid })) },
    authMethod: 'private_key_jwt',
  });
  ({ id } = client);
  // What the rules refuse may still stand in rows: of an older version, of a restored backup.
  await server.database.sql(
    `UPDATE client SET name = $1, union_name = $2, embed_origins = $3,
       settings = settings || jsonb_build_object('scope', $4::text)`,
    [`${IMAGE}${TEMPLATE}`, ATTRIBUTE, [ENDS, IMAGE], `openid ${ENDS}`],
  );
  // Inputs that nobody has to be signed in for.
  for (const username of [IMAGE, ENDS]) {
    await callConsole(server, 'POST', '/admin/sign-in', { username, password: 'whatever it may be' });
    await send(`${server.url}/connect/qrconnect?client_id=${encodeURIComponent(username)}`, {
      headers: { 'user-agent': IMAGE },
    });
  }
  actor = await chrome.desktop();
  await actor.context.addInitScript('window.didRun = false; window.ran = () => { window.didRun = true; }');
});
afterAll(() => house?.stop());

async function expectQuiet(): Promise<void> {
  expect(await actor.page.evaluate('window.didRun')).toBe(false);
  expect(await actor.page.locator('img, [onfocus], [onerror], [onmouseover]').count()).toBe(0);
  expect(actor.complaints()).toEqual([]);
}

describe('T63 hostile words at the console', () => {
  it('are text on the sign-in page, whatever its address is', async () => {
    actor.foretell(/status of 40[14]/);
    for (const path of [`clients/${encodeURIComponent(ENDS)}`, `clients/new?lang=${encodeURIComponent(IMAGE)}`]) {
      await actor.page.goto(`${house.server.url}/admin/${path}`);
      await expectQuiet();
    }
  });

  it('are text in the list and in its filter', async () => {
    const { page } = actor;
    await page.goto(`${house.server.url}/admin?lang=${encodeURIComponent('en"><img src=x onerror=ran()>')}`);
    await page.locator('#username').fill('root');
    await page.locator('#password').fill('a long enough pass phrase');
    await page.locator('#submit').click();
    await page.locator('.client-row').waitFor();
    expect(await page.locator('.client-name a').first().textContent()).toBe(`${IMAGE}${TEMPLATE}`);
    expect(await page.locator('.client-addresses').innerText()).toBe(ADDRESS);
    await expectQuiet();
  });

  it('are text on the page of the client, in its fields and in its data', async () => {
    const { page } = actor;
    await page.goto(`${house.server.url}/admin/clients/${id}`);
    expect(await page.locator('h1').textContent()).toBe(`${IMAGE}${TEMPLATE}`);
    expect(await page.title()).toBe(`${IMAGE}${TEMPLATE} · qrconnect`);
    expect(await page.locator('#set-union').inputValue()).toBe(ATTRIBUTE);
    expect(await page.locator('#set-scope').inputValue()).toBe(`openid ${ENDS}`);
    const shown = JSON.parse(await page.locator('#set-jwks').inputValue());
    expect(shown.keys.map(({ kid }: { kid: string }) => kid)).toEqual(KIDS);
    const origins = page.locator('[data-setting=embed_origins] input');
    expect([await origins.nth(0).inputValue(), await origins.nth(1).inputValue()]).toEqual([ENDS, IMAGE]);
    await expectQuiet();
  });

  it('are text when the server repeats them: refusals, verdicts, what was drawn anew, dialogs', async () => {
    const { page } = actor;
    actor.foretell(/status of 400/);
    await page.locator('#try-uri').fill(`https://a-shop.example/?${IMAGE}`);
    await page.locator('#try').click();
    await expect.poll(() => page.locator('#verdict').textContent()).toContain(ADDRESS);
    await page.getByLabel('Redirect URIs 1').fill(`https://a-shop.example/${IMAGE}`);
    await page.locator('#save').click();
    await expect.poll(() => page.locator('#form-problem').textContent()).toContain(IMAGE);
    await page.locator('#disable').click();
    await page.locator('#disable-submit').click();
    await page.locator('#delete').click();
    expect(await page.locator('#delete-which').textContent()).toBe(`${IMAGE}${TEMPLATE}`);
    await expectQuiet();
  });

  it('are text among the passkeys', async () => {
    await house.server.database.sql(
      `INSERT INTO administrator_passkey (id, administrator_id, name, public_key, sign_count, transports, backed_up)
       SELECT $1, id, $2, '', 0, '{}', false FROM administrator`,
      ['AAAA', `${IMAGE}${ENDS}`],
    );
    await house.server.database.sql(`UPDATE administrator_session SET method = 'passkey'`);
    await actor.page.goto(`${house.server.url}/admin/passkeys`);
    expect(await actor.page.locator('#passkeys b').textContent()).toBe(`${IMAGE}${ENDS}`);
    await actor.page.getByRole('button', { name: 'Remove' }).click();
    expect(await actor.page.locator('#remove-which').textContent()).toBe(`${IMAGE}${ENDS}`);
    await expectQuiet();
  });
});
