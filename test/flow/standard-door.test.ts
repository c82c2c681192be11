import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

describe('the standard door', () => {
  let server: TestApp;
  let site: OauthSite;
  let phone: Awaited<ReturnType<typeof person>>;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const tokens = async (code: string, verifier: string) => {
    const answer = await site.exchange(code, verifier);
    expect(answer.status, answer.body).toBe(200);
    return decodeJwt(String(answer.json().id_token));
  };

  it('ends a scan in a code at the site, with state and iss, and keeps nothing of it in the browser', async () => {
    const browser = new StandardBrowser(server);
    const { query, verifier } = site.request();
    const arrived = await browser.signInByPhone(browser.authorizeUrl(query), phone);
    expect(arrived.address.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(arrived.answer).toEqual({ code: expect.any(String), state: query.state, iss: server.url });
    expect(await tokens(String(arrived.answer.code), verifier)).toMatchObject({
      amr: ['pwd', 'qr'],
      nonce: query.nonce,
    });
    expect(browser.cookies.filter((name) => name.includes('session'))).toEqual([]);
    const again = await browser.open(browser.authorizeUrl({ ...site.request().query, prompt: 'none' }));
    expect(again.answer.error).toBe('login_required');
  });

  it('keeps the browser signed in if the person chose so, and says so in amr', async () => {
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    const { query, verifier } = site.request({ prompt: 'none' });
    const arrived = await browser.open(browser.authorizeUrl(query));
    const claims = await tokens(String(arrived.answer.code), verifier);
    expect(claims.amr).toEqual(['pwd', 'qr', 'remembered']);
  });

  it('signs in by password, asks what the site gets once, and remembers the answer', async () => {
    const browser = new StandardBrowser(server);
    const someone = await person(server.app, server);
    const who = { username: someone.username, password: 'a long enough one' };
    const { query, verifier } = site.request();
    const page = await browser.open(browser.authorizeUrl(query));
    const signedIn = await browser.postJson(`${new URL(page.address).pathname}/sign-in`, who);
    const consent = await browser.open(String(signedIn.json().redirect_to));
    expect(consent.address).toContain('/interaction/');
    const arrived = await browser.decide(consent, 'allow');
    const claims = await tokens(String(arrived.answer.code), verifier);
    expect(claims.amr).toEqual(['pwd']);
    const other = new StandardBrowser(server);
    const next = site.request();
    const nextPage = await other.open(other.authorizeUrl(next.query));
    const nextSignIn = await other.postJson(`${new URL(nextPage.address).pathname}/sign-in`, who);
    const straight = await other.open(String(nextSignIn.json().redirect_to));
    expect(straight.answer.code).toBeDefined();
  });

  it('tells the site of a denial', async () => {
    const browser = new StandardBrowser(server);
    const { query } = site.request();
    const arrived = await browser.signInByPhone(browser.authorizeUrl(query), phone, { deny: true });
    expect(arrived.answer).toMatchObject({ error: 'access_denied', state: query.state, iss: server.url });
  });

  it('answers login_required when somebody else signs in than id_token_hint names, by phone and by password', async () => {
    const first = new StandardBrowser(server);
    const request = site.request();
    const arrived = await first.signInByPhone(first.authorizeUrl(request.query), phone);
    const hint = (await site.exchange(String(arrived.answer.code), request.verifier)).json().id_token as string;
    const another = await person(server.app, server);
    const asked = () => new StandardBrowser(server);
    const query = () => ({ ...site.request().query, id_token_hint: hint });
    const byPhone = asked();
    expect((await byPhone.signInByPhone(byPhone.authorizeUrl(query()), another)).answer).toMatchObject({
      error: 'login_required',
      iss: server.url,
    });
    const byPassword = asked();
    const who = { username: another.username, password: 'a long enough one' };
    expect((await byPassword.signInByPassword(byPassword.authorizeUrl(query()), who)).answer.error).toBe(
      'login_required',
    );
    const same = asked();
    expect((await same.signInByPhone(same.authorizeUrl(query()), phone)).answer.code).toBeDefined();
  });
});
