import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
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

  it('speaks the first language of ui_locales that it knows, else the browser’s', async () => {
    const langOf = async (locales: string, accept: string) => {
      const browser = new StandardBrowser(server);
      const begun = await browser.get(browser.authorizeUrl({ ...site.request().query, ui_locales: locales }));
      const page = await browser.get(String(begun.headers.location), { 'accept-language': accept });
      return /<html lang="([^"]+)"/.exec(page.body)?.[1];
    };
    expect(await langOf('fr zh-CN en', 'en')).toBe('zh-CN');
    expect(await langOf('en-GB zh', 'zh')).toBe('en');
    expect(await langOf('fr', 'zh')).toBe('zh-CN');
  });

  it('asks on the sign-in page where select_account is wanted, though the browser is remembered', async () => {
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    const { query } = site.request({ prompt: 'select_account' });
    const page = await browser.open(browser.authorizeUrl(query));
    expect(page.address).toContain('/interaction/');
    expect((await browser.answerByPhone(page, phone)).answer).toMatchObject({ code: expect.any(String) });
  });

  it('asks for a sign-in as fresh as the client always wants it (default_max_age)', async () => {
    const strict = await oauthSite(server.app, server, { defaultMaxAge: 60 });
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(strict.request().query), phone, { remember: true });
    await server.database.sql(
      `UPDATE engine_record SET payload = jsonb_set(payload, '{loginTs}', to_jsonb((payload->>'loginTs')::int - 120))
       WHERE kind = 'Session' AND payload ? 'loginTs'`,
    );
    const answer = await browser.open(browser.authorizeUrl(strict.request({ prompt: 'none' }).query));
    expect(answer.answer.error).toBe('login_required');
  });

  it('answers invalid_scope at once when nothing that exists is asked for', async () => {
    for (const scope of [undefined, 'email', 'orders.read']) {
      const { scope: _, nonce: __, ...query } = site.request().query;
      const browser = new StandardBrowser(server);
      const { answer } = await browser.open(browser.authorizeUrl(scope === undefined ? query : { ...query, scope }));
      expect(answer).toMatchObject({ error: 'invalid_scope', state: query.state, iss: server.url });
    }
  });

  it('tells the log why a client was refused, and the client only that it was', async () => {
    const { clientId } = await oauthSite(server.app, server);
    const authorization = `Basic ${Buffer.from(`${clientId}:wrong-secret-of-mine`).toString('base64')}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization };
    const body = 'grant_type=authorization_code&code=x';
    const answer = await send(`${server.url}/oauth/token`, { method: 'POST', headers, body });
    expect(answer.json()).toEqual({ error: 'invalid_client', error_description: 'client authentication failed' });
    const line = server
      .log()
      .split('\n')
      .find((one) => one.includes('a client was refused') && one.includes(clientId));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      client: clientId,
      error: 'invalid_client',
      reason: 'invalid secret provided',
    });
    expect(server.log()).not.toContain('wrong-secret-of-mine');
  });

  it('gives a native app no answer without a page, though the browser is remembered (RFC 8252 8.6)', async () => {
    const app = await oauthSite(server.app, server, { applicationType: 'native', authMethod: 'none' });
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(app.request().query), phone, { remember: true });
    const silent = await browser.open(browser.authorizeUrl(app.request({ prompt: 'none' }).query));
    expect(silent.answer.error).toBe('interaction_required');
    expect((await browser.open(browser.authorizeUrl(app.request().query))).address).toContain('/interaction/');
  });

  it('asks the same question at sign-out whatever logout_hint says', async () => {
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    const hint = new URLSearchParams({ client_id: site.clientId, logout_hint: 'somebody' });
    const page = await browser.open(`${server.url}/oauth/logout?${hint}`);
    expect([page.status, page.body.includes('somebody'), page.body.includes('name="xsrf"')]).toEqual([
      200,
      false,
      true,
    ]);
  });
});
