import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { pageData } from '../support/http.js';
import { openPage, waiter } from '../support/page.js';
import { readQr } from '../support/qr.js';
import { oauthSite, wechatSite } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp, until } from '../support/start-app.js';

const PASSWORD = 'a long enough one';

/** Starts the command; `output` and `errors` grow while it runs. */
function phone(args: string[]) {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/phone.js'), ...args, '--password', PASSWORD], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const told = { output: '', errors: '' };
  child.stdout.on('data', (chunk) => {
    told.output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    told.errors += chunk;
  });
  return { child, told, ended: once(child, 'close').then(([code]) => code as number) };
}

describe('npm run phone', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await startApp();
    await server.app.accounts.create('test', { username: 'ci', password: PASSWORD });
  });
  afterAll(() => server?.stop());

  it('approves with the match code it is written after it said "scanned"', async () => {
    const site = await wechatSite(server.app, server);
    const page = await openPage(server, site.request());
    const { child, told, ended } = phone(['approve', page.qr, '--username', 'ci']);
    await until(
      () => told.errors === 'scanned\n',
      () => `the command said: ${told.errors}${told.output}`,
    );
    child.stdin.end(`${(await page.status()).json().match_code}\n`);
    expect([await ended, JSON.parse(told.output)]).toEqual([0, expect.objectContaining({ status: 'confirmed' })]);
    expect((await page.redeem()).status).toBe(200);
  });

  it('scans in one call and approves with --match-code in the next: both are the same phone', async () => {
    const site = await wechatSite(server.app, server);
    const page = await openPage(server, site.request());
    const scanned = phone(['scan', page.qr, '--username', 'ci']);
    expect([await scanned.ended, JSON.parse(scanned.told.output)]).toEqual([
      0,
      expect.objectContaining({ status: 'scanned' }),
    ]);
    const matchCode = String((await page.status()).json().match_code);
    const approved = phone(['approve', page.qr, '--username', 'ci', '--match-code', matchCode]);
    expect(await approved.ended).toBe(0);
    expect((await page.status()).json()).toMatchObject({ status: 'confirmed' });
  });

  it('proves itself where the site asks for a fresh sign-in, and with --remember the browser stays signed in', async () => {
    const site = await oauthSite(server.app, server);
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(site.request({ prompt: 'login' }).query));
    const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(page.body);
    const waiting = waiter(server, ticketId, waitSecret);
    const qr = readQr(page.body);
    expect(await phone(['scan', qr, '--username', 'ci']).ended).toBe(0);
    await server.database.sql("UPDATE phone_session SET auth_time = auth_time - interval '1 hour'");
    const matchCode = String((await waiting.status()).json().match_code);
    const approved = phone(['approve', qr, '--username', 'ci', '--match-code', matchCode, '--remember']);
    expect([await approved.ended, approved.told.output]).toEqual([0, expect.stringContaining('"confirmed"')]);
    const arrived = await browser.open(String((await waiting.redeem()).json().redirect_to));
    expect(arrived.answer.code).toBeTruthy();
    const next = await browser.open(browser.authorizeUrl(site.request().query));
    expect(next.answer.code).toBeTruthy();
  });

  it('says that --remember is not for every QR code', async () => {
    const page = await openPage(server, (await wechatSite(server.app, server)).request());
    const asked = phone(['approve', page.qr, '--username', 'ci', '--match-code', '00', '--remember']);
    expect([await asked.ended, JSON.parse(asked.told.output)]).toEqual([
      1,
      expect.objectContaining({ error: 'usage' }),
    ]);
    expect((await page.status()).json()).toMatchObject({ status: 'scanned' });
  });

  it('denies, and tells a second try why not, with status 1', async () => {
    const site = await wechatSite(server.app, server);
    const page = await openPage(server, site.request());
    expect(await phone(['deny', page.qr, '--username', 'ci']).ended).toBe(0);
    expect((await page.status()).json()).toMatchObject({ status: 'denied' });
    const again = phone(['approve', page.qr, '--username', 'ci', '--match-code', '00']);
    expect([await again.ended, JSON.parse(again.told.output)]).toEqual([1, expect.objectContaining({ error: 'gone' })]);
  });
});
