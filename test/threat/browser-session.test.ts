import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData } from '../support/http.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { type Arrival, StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const PASSWORD = 'a long enough one';

describe('a browser that stays signed in', () => {
  let server: TestApp;
  let site: OauthSite;
  let phone: Awaited<ReturnType<typeof person>>;
  let browser: StandardBrowser;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    phone = await person(server.app, server);
    browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
  });

  const ask = (more: Record<string, string> = {}, by = browser) =>
    by.open(by.authorizeUrl({ ...site.request().query, ...more }));
  const silently = async () => (await ask({ prompt: 'none' })).answer;
  const claimsOf = async (request: ReturnType<OauthSite['request']>, { answer }: Arrival) => {
    const tokens = await site.exchange(String(answer.code), request.verifier);
    const { access_token: accessToken, id_token: idToken } = tokens.json<Record<string, string>>();
    return { status: tokens.status, accessToken, idToken };
  };

  it('answers by itself, and opens nothing of ours', async () => {
    expect(await silently()).toMatchObject({ code: expect.any(String) });
    for (const path of ['/phone/scan', '/phone/confirm', '/phone/sign-out']) {
      expect((await browser.postJson(`${server.url}${path}`, {})).status, path).toBeOneOf([400, 401]);
    }
  });

  it('T20: is signed out with the phone that vouched for it', async () => {
    expect((await phone.post('/phone/sign-out', {})).status).toBe(200);
    expect(await silently()).toMatchObject({ error: 'login_required' });
    const kept = await server.database.sql(
      'SELECT 1 FROM browser_session b JOIN phone_session s ON s.id = b.phone_session WHERE s.account_id = $1',
      [phone.accountId],
    );
    expect(kept).toEqual([]);
  });

  it('T20: is signed out by a new password, with the tokens it was given', async () => {
    const request = site.request({ prompt: 'none' });
    const tokens = await claimsOf(request, await browser.open(browser.authorizeUrl(request.query)));
    await server.app.accounts.resetPassword('test', phone.username, 'another long one');
    expect(await silently()).toMatchObject({ error: 'login_required' });
    expect((await site.userinfo(String(tokens.accessToken))).status).toBe(401);
  });

  it('T20: answers nothing for a disabled account', async () => {
    await server.app.accounts.disable('test', phone.username);
    expect(await silently()).toMatchObject({ error: 'login_required' });
    await server.app.accounts.enable('test', phone.username);
    expect(await silently()).toMatchObject({ error: 'login_required' });
  });

  it('T20: a sign-in whose phone session ends before the answer is made gives a code that is worth nothing', async () => {
    for (const asked of [false, true]) {
      const fresh = new StandardBrowser(server);
      const request = site.request();
      const page = await fresh.open(fresh.authorizeUrl(request.query));
      const path = new URL(page.address).pathname;
      const body = { username: phone.username, password: asked ? 'another long one' : PASSWORD, remember: true };
      const signedIn = await fresh.postJson(`${path}/sign-in`, body);
      expect(signedIn.status, signedIn.body).toBe(200);
      // What was allowed before is kept at first, as if the reset were not through yet; then the consent page is next.
      await server.database.sql('UPDATE phone_session SET ended_at = now() WHERE account_id = $1', [phone.accountId]);
      const arrived = await fresh.open(String(signedIn.json().redirect_to));
      expect((await claimsOf(request, arrived)).status).toBe(400);
      if (asked) await expect(fresh.decide(arrived, 'allow')).rejects.toThrow(/410/);
      else expect(fresh.cookies.filter((name) => name.includes('session'))).toEqual([]);
      await server.app.accounts.resetPassword('test', phone.username, 'another long one');
    }
  });

  it('T20: ends after thirty days, whatever it was used for', async () => {
    await server.database.sql("UPDATE browser_session SET created_at = now() - interval '30 days 1 minute'");
    expect(await silently()).toMatchObject({ error: 'login_required' });
  });

  it('T20: asks the phone for the password where the site wants a fresh sign-in', async () => {
    await server.database.sql("UPDATE phone_session SET auth_time = auth_time - interval '1 hour'");
    for (const more of [{ prompt: 'login' }, { max_age: '60' }] as Array<Record<string, string>>) {
      const other = new StandardBrowser(server);
      const request = site.request(more);
      await server.database.sql(
        "UPDATE ticket SET scanned_at = scanned_at - interval '1 hour' WHERE scanned_at IS NOT NULL",
      );
      await server.database.sql("UPDATE phone_session SET auth_time = auth_time - interval '1 hour'");
      const page = await other.open(other.authorizeUrl(request.query));
      await expect(other.answerByPhone(page, phone)).rejects.toThrow(/step_up_required/);
      const again = await ask(more, other);
      const { scanned, answer } = await proved(other, again);
      expect(answer.status).toBe(200);
      expect(scanned.answer.json()).toMatchObject({ fresh_sign_in: 'required', remember: 'offered' });
    }
  });

  /** Scans, proves by password, and confirms. */
  const proved = async (_by: StandardBrowser, page: Arrival) => {
    const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(page.body);
    const qr = String(/href="([^"]+\/s\/[\w-]+)"/.exec(page.body)?.[1]);
    const scanned = await phone.scan(qr);
    const status = await fetch(`${server.url}/api/qr/tickets/${ticketId}`, {
      headers: { authorization: `Bearer ${waitSecret}` },
    });
    const { match_code: matchCode } = (await status.json()) as { match_code?: string };
    const grant = { scan_grant: scanned.scanGrant, csrf: scanned.csrf };
    expect((await phone.post('/phone/prove', { ...grant, password: 'a wrong one, also long' })).status).toBe(401);
    expect((await phone.confirm(scanned, matchCode)).status).toBe(403);
    expect((await phone.post('/phone/prove', { ...grant, password: PASSWORD })).status).toBe(200);
    return { scanned, answer: await phone.confirm(scanned, matchCode) };
  };

  it('T19: holds somebody else after another account signed in on it, and nobody in between', async () => {
    const other = await person(server.app, server);
    const request = site.request({ prompt: 'login' });
    const page = await browser.open(browser.authorizeUrl(request.query));
    const switching = await browser.answerByPhone(page, other);
    // The engine signs the first account out by a page that posts itself, then goes on with the request.
    const form = /action="([^"]+)"[\s\S]*?name="xsrf" value="([^"]+)"/.exec(switching.body);
    const arrived = await browser.submit(String(form?.[1]), { xsrf: String(form?.[2]), logout: 'yes' });
    const tokens = await claimsOf(request, arrived);
    const sub = decodeJwt(String(tokens.idToken)).sub;
    expect(tokens.status).toBe(200);
    expect(sub).not.toBe(undefined);
    expect(await silently()).toMatchObject({ error: 'login_required' });
  });

  it('T42: a sign-in that was not chosen to stay is gone with its answer, on the consent page as well', async () => {
    const fresh = new StandardBrowser(server);
    const someone = await person(server.app, server);
    const page = await fresh.open(fresh.authorizeUrl(site.request().query));
    const path = new URL(page.address).pathname;
    const signedIn = await fresh.postJson(`${path}/sign-in`, { username: someone.username, password: PASSWORD });
    const consent = await fresh.open(String(signedIn.json().redirect_to));
    // Left open: another request in the same browser is nobody's.
    expect((await fresh.open(fresh.authorizeUrl({ ...site.request().query, prompt: 'none' }))).answer.error).toBe(
      'login_required',
    );
    expect((await fresh.decide(consent, 'allow')).answer.code).toBeDefined();
    expect(fresh.cookies.filter((name) => name.includes('session'))).toEqual([]);
    expect(await server.database.sql('SELECT 1 FROM phone_session WHERE direct AND ended_at IS NULL')).toEqual([]);
  });

  it('T9: a request takes one answer, whoever gives it', async () => {
    const fresh = new StandardBrowser(server);
    const someone = await person(server.app, server);
    const page = await fresh.open(fresh.authorizeUrl(site.request().query));
    const path = new URL(page.address).pathname;
    const body = { username: someone.username, password: PASSWORD };
    const answers = await Promise.all([
      fresh.postJson(`${path}/sign-in`, body),
      fresh.postJson(`${path}/sign-in`, body),
      fresh.postJson(`${path}/cancel`, {}),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const lost of answers.filter(({ status }) => status !== 200)) expect(lost.status).toBe(410);
  });

  it('T19: a sign-in page answers to the browser that asked, from our own origin alone', async () => {
    const fresh = new StandardBrowser(server);
    const page = await fresh.open(fresh.authorizeUrl(site.request().query));
    const path = new URL(page.address).pathname;
    const body = { username: phone.username, password: PASSWORD };
    expect((await new StandardBrowser(server).postJson(`${path}/sign-in`, body)).status).toBe(410);
    expect((await fresh.postJson(`${path}/sign-in`, body, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await fresh.postForm(`${path}/sign-in`, body)).status).toBe(415);
    expect((await fresh.postJson(`${path}/sign-in`, body)).status).toBe(200);
  });

  it('T52: keeps what it was given when it asks again, opens a sign-in page, or asks twice at once', async () => {
    const lives = async (token: string | undefined) => (await site.userinfo(String(token))).status;
    const silent = async () => {
      const request = site.request({ prompt: 'none' });
      return claimsOf(request, await browser.open(browser.authorizeUrl(request.query)));
    };
    const first = await silent();
    expect(await lives(first.accessToken)).toBe(200);
    const second = await silent();
    await ask({ prompt: 'login' });
    const [third, fourth] = await Promise.all([silent(), silent()]);
    for (const { status, accessToken } of [first, second, third, fourth]) {
      expect([status, await lives(accessToken)]).toEqual([200, 200]);
    }
    const grants = "SELECT 1 FROM engine_record WHERE kind = 'Grant' AND payload->>'accountId' = $1";
    expect((await server.database.sql(grants, [phone.accountId])).length).toBe(1);
  });

  it('T52: remembers every site of requests at once, and signs all of them out', async () => {
    const sites = await Promise.all([1, 2, 3, 4].map(() => oauthSite(server.app, server)));
    for (const one of sites) {
      await forgetScans(server.database);
      const other = new StandardBrowser(server);
      await other.signInByPhone(other.authorizeUrl(one.request().query), phone);
    }
    const tokens = await Promise.all(
      sites.map(async (one) => {
        const { query, verifier } = one.request({ prompt: 'none' });
        const { answer } = await browser.copy().open(browser.authorizeUrl(query));
        const exchanged = await one.exchange(String(answer.code), verifier);
        expect(exchanged.status, exchanged.body).toBe(200);
        return String(exchanged.json().access_token);
      }),
    );
    for (const [i, one] of sites.entries()) expect((await one.userinfo(tokens[i] ?? '')).status).toBe(200);
    await phone.post('/phone/sign-out', {});
    for (const [i, one] of sites.entries()) expect((await one.userinfo(tokens[i] ?? '')).status).toBe(401);
  });
});
