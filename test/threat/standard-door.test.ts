import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deviceOf } from '../support/device.js';
import { pageData, send } from '../support/http.js';
import { waiter } from '../support/page.js';
import { type OauthSite, oauthSite, wechatSite } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const PASSWORD = 'a long enough one';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the standard door, attacked', () => {
  let server: TestApp;
  let site: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const path = (address: string) => new URL(address).pathname;
  const silent = async (browser: StandardBrowser, by = site) =>
    (await browser.open(browser.authorizeUrl(by.request({ prompt: 'none' }).query))).answer;
  const cookiesOf = (lines: string | string[] | undefined, name: string) =>
    [lines ?? []]
      .flat()
      .filter((line) => line.startsWith(name))
      .map((line) => line.split(';')[0])
      .join('; ');
  /** A sign-in page whose ticket the phone has allowed and the page redeemed: where the browser goes on. */
  const allowed = async (browser: StandardBrowser, phone: Awaited<ReturnType<typeof person>>, address: string) => {
    const page = await browser.open(address);
    const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(page.body);
    const waiting = waiter(server, ticketId, waitSecret);
    const scanned = await phone.scan(String(/href="([^"]+\/s\/[\w-]+)"/.exec(page.body)?.[1]));
    const { match_code } = (await waiting.status()).json<{ match_code: string }>();
    const grant = { scan_grant: scanned.scanGrant, csrf: scanned.csrf, match_code, remember: true };
    expect((await phone.post('/phone/confirm', grant)).status).toBe(200);
    return { page, waiting, to: async () => String((await waiting.redeem()).json().redirect_to) };
  };

  it('T93: a remembered browser gives no code to a WeChat client, whose phone is asked each time', async () => {
    const phone = await person(server.app, server);
    const shop = await wechatSite(server.app, server, { stateRequired: true });
    await login(server, phone, shop.request());
    await forgetScans(server.database);
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    const { redirect_uri = '' } = shop.request();
    const ask = { client_id: shop.clientId, redirect_uri, response_type: 'code', scope: 'snsapi_login' };
    const arrived = await browser.open(browser.authorizeUrl(ask));
    expect(arrived.answer.code).toBeUndefined();
  });

  it('T93: nobody signs in for a WeChat client at /interaction/:uid', async () => {
    const phone = await person(server.app, server);
    const shop = await wechatSite(server.app, server);
    const { redirect_uri = '' } = shop.request();
    const ask = { client_id: shop.clientId, redirect_uri, response_type: 'code', scope: 'snsapi_login' };
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(ask));
    expect(page.status).toBe(400);
    const who = { username: phone.username, password: PASSWORD };
    expect((await browser.postJson(`${path(page.address)}/sign-in`, who)).status).toBeGreaterThanOrEqual(400);
  });

  it('T19: a planted interaction cookie opens nothing: the answer would go to the browser that planted it', async () => {
    const victim = await person(server.app, server);
    const attacker = new StandardBrowser(server);
    const begun = await attacker.get(attacker.authorizeUrl(site.request({ scope: 'openid' }).query));
    // What https://evil.example.com sets with Domain=example.com; the rest of the victim's jar is the victim's own.
    const planted = cookiesOf(begun.headers['set-cookie'], 'engine-interaction');
    const cookie = `${planted}; ${victim.cookie}`;
    const address = `${server.url}${begun.headers.location}`;
    expect((await send(address, { headers: { cookie } })).status).toBe(410);
    const headers = { cookie, origin: server.url, 'content-type': 'application/json' };
    // One tap on "continue as …". The attacker's browser resumes, and even allows the consent page by itself.
    expect((await send(`${address}/continue`, { method: 'POST', headers, body: '{}' })).status).toBe(410);
  });

  it('T19: a planted resume cookie signs nobody in as somebody else', async () => {
    const mallory = await person(server.app, server);
    const attacker = new StandardBrowser(server);
    const begun = await attacker.get(attacker.authorizeUrl(site.request({ scope: 'openid' }).query));
    const who = { username: mallory.username, password: PASSWORD, remember: true };
    const signedIn = await attacker.postJson(`${begun.headers.location}/sign-in`, who);
    const cookie = cookiesOf(begun.headers['set-cookie'], 'engine-resume');
    const resumed = await send(String(signedIn.json().redirect_to), { headers: { cookie } });
    expect(String(resumed.headers['set-cookie'])).not.toContain('engine-session=');
  });

  it('T59: an address of the engine in other letters is not there', async () => {
    const query = new URLSearchParams(site.request({ response_mode: 'fragment' }).query);
    expect((await send(`${server.url}/oauth/Authorize?${query}`)).status).toBe(404);
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const asked = await send(`${server.url}/oauth/Token`, { method: 'OPTIONS', headers: preflight });
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
    const tv = await oauthSite(server.app, server, { deviceFlow: true });
    const headers = {
      ...FORM,
      authorization: `Basic ${Buffer.from(`${tv.clientId}:${tv.secret}`).toString('base64')}`,
    };
    const answer = await send(`${server.url}/oauth/Device`, { method: 'POST', headers, body: 'scope=openid' });
    expect(answer.status).toBe(404);
    expect((await deviceOf(server, tv).ask()).answer.status).toBe(200);
  });

  it('T49: a token of a disabled account is not active at introspection', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const request = site.request();
    const { answer } = await browser.signInByPhone(browser.authorizeUrl(request.query), phone);
    const tokens = (await site.exchange(String(answer.code), request.verifier)).json<{ access_token: string }>();
    await server.app.accounts.disable('test', phone.username);
    expect((await site.userinfo(tokens.access_token)).status).toBe(401);
    const headers = {
      ...FORM,
      authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
    };
    const body = new URLSearchParams({ token: tokens.access_token }).toString();
    const told = await send(`${server.url}/oauth/introspect`, { method: 'POST', headers, body });
    expect(told.json()).toEqual({ active: false });
  });

  it('T49: a token of a disabled client is not active to the API that asks', async () => {
    const api = await oauthSite(server.app, server);
    const identifier = 'https://api.example/orders';
    const scopes = [{ name: 'orders.read', description: 'Read' }];
    await server.app.resources.register('test', {
      identifier,
      name: 'Orders',
      scopes,
      tokenFormat: 'opaque',
      introspectedBy: [api.clientId],
    } as never);
    const shop = await oauthSite(server.app, server, { scope: 'openid orders.read' });
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const request = shop.request({ scope: 'openid orders.read', resource: identifier });
    const { answer } = await browser.signInByPhone(browser.authorizeUrl(request.query), phone);
    const tokens = (await shop.exchange(String(answer.code), request.verifier)).json<{ access_token: string }>();
    await server.app.clients.disable('test', shop.clientId);
    const headers = {
      ...FORM,
      authorization: `Basic ${Buffer.from(`${api.clientId}:${api.secret}`).toString('base64')}`,
    };
    const body = new URLSearchParams({ token: tokens.access_token }).toString();
    const told = await send(`${server.url}/oauth/introspect`, { method: 'POST', headers, body });
    expect(told.body).toBe('{"active":false}');
  });

  it('T20: an unanswered logout page does not switch off what happens at the end of an answer', async () => {
    // a: a sign-in that was not to stay, is forgotten.
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(site.request().query));
    const who = { username: phone.username, password: PASSWORD };
    const signedIn = await browser.postJson(`${path(page.address)}/sign-in`, who);
    const consent = await browser.open(String(signedIn.json().redirect_to));
    await browser.open(`${server.url}/oauth/logout`); // any site can open it
    await browser.decide(consent, 'allow');
    expect.soft(browser.cookies.filter((name) => name.includes('session'))).toEqual([]);
    const live = 'SELECT 1 FROM phone_session WHERE direct AND ended_at IS NULL AND account_id = $1';
    expect.soft(await server.database.sql(live, [phone.accountId])).toEqual([]);
    // b: a code whose phone session ended meanwhile is worth nothing.
    const other = new StandardBrowser(server);
    await other.signInByPhone(other.authorizeUrl(site.request().query), phone, { remember: true });
    await other.open(`${server.url}/oauth/logout`);
    const request = site.request({ prompt: 'login' });
    await server.database.sql('UPDATE phone_session SET auth_time = now() WHERE account_id = $1', [phone.accountId]);
    const to = await (await allowed(other, phone, other.authorizeUrl(request.query))).to();
    await server.database.sql('UPDATE phone_session SET ended_at = now() WHERE account_id = $1', [phone.accountId]);
    const arrived = await other.open(to);
    expect((await site.exchange(String(arrived.answer.code), request.verifier)).status).toBe(400);
  });

  it('T54: what was denied is not remembered as allowed', async () => {
    const phone = await person(server.app, server);
    const fresh = await oauthSite(server.app, server);
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(fresh.request().query));
    const who = { username: phone.username, password: PASSWORD, remember: true };
    const signedIn = await browser.postJson(`${path(page.address)}/sign-in`, who);
    const consent = await browser.open(String(signedIn.json().redirect_to));
    const decide = (decision: string) => browser.postJson(`${path(consent.address)}/consent`, { decision });
    const [denied, tooLate] = await Promise.all([decide('deny'), decide('allow')]);
    expect([denied.status, tooLate.status]).toEqual([200, 410]);
    expect((await browser.open(String(denied.json().redirect_to))).answer.error).toBe('access_denied');
    expect(await silent(browser, fresh)).toMatchObject({ error: 'consent_required' });
  });

  it('T54: nor is what the phone allowed after the page had cancelled', async () => {
    const phone = await person(server.app, server);
    const fresh = await oauthSite(server.app, server);
    const browser = new StandardBrowser(server);
    const { page, waiting } = await allowed(browser, phone, browser.authorizeUrl(fresh.request().query));
    expect((await browser.postJson(`${path(page.address)}/cancel`, {})).status).toBe(200);
    expect((await waiting.redeem()).status).toBe(410);
    const left = "SELECT 1 FROM engine_record WHERE kind = 'Grant' AND payload->>'clientId' = $1";
    expect(await server.database.sql(left, [fresh.clientId])).toEqual([]);
  });

  it('T9: one answer makes one code, however often it is resumed', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    for (let round = 0; round < 3; round += 1) {
      await forgetScans(server.database);
      await server.database.sql('UPDATE phone_session SET auth_time = now() WHERE account_id = $1', [phone.accountId]);
      const fresh = new StandardBrowser(server);
      const to = await (await allowed(fresh, phone, browser.authorizeUrl(site.request().query))).to();
      const arrived = await Promise.all(Array.from({ length: 15 }, () => fresh.copy().open(to)));
      expect(arrived.filter(({ answer }) => answer.code)).toHaveLength(1);
    }
  });

  it('T20: what a client is registered to want at least cannot be talked away in the address bar', async () => {
    const careful = await oauthSite(server.app, server, { defaultMaxAge: 60 });
    const phone = await person(server.app, server);
    await server.database.sql("UPDATE phone_session SET auth_time = now() - interval '1 hour' WHERE account_id = $1", [
      phone.accountId,
    ]);
    const browser = new StandardBrowser(server);
    const address = browser.authorizeUrl(careful.request({ max_age: '999999999' }).query);
    await expect(browser.signInByPhone(address, phone)).rejects.toThrow(/step_up_required/);
  });

  it('T20: a browser is not signed in longer than the phone session that vouched for it', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    await server.database.sql(
      "UPDATE phone_session SET created_at = now() - interval '31 days' WHERE account_id = $1",
      [phone.accountId],
    );
    expect((await phone.post('/phone/sign-out', {})).status).toBe(401);
    expect(await silent(browser)).toMatchObject({ error: 'login_required' });
  });

  it('T80: asking again and again leaves nothing behind for ninety days', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(site.request().query), phone, { remember: true });
    // Nothing comes of these: the person is asked to sign in, and does not.
    for (let i = 0; i < 10; i += 1) await browser.get(browser.authorizeUrl(site.request({ prompt: 'login' }).query));
    const grants = "SELECT 1 FROM engine_record WHERE kind = 'Grant' AND payload->>'accountId' = $1";
    expect(await server.database.sql(grants, [phone.accountId])).toHaveLength(1);
  });

  it('T78: a deep request object is a refusal, not a crash', async () => {
    const spa = await oauthSite(server.app, server, { authMethod: 'none', redirectUris: ['https://spa.example/cb'] });
    const part = (text: string) => Buffer.from(text).toString('base64url');
    const claims = {
      iss: spa.clientId,
      aud: server.url,
      client_id: spa.clientId,
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    const deep = JSON.stringify(claims).replace(/}$/, `,"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`);
    const request = `${part('{"alg":"RS256"}')}.${part(deep)}.${part('x')}`;
    const body = new URLSearchParams({ client_id: spa.clientId, request }).toString();
    const answer = await send(`${server.url}/oauth/par`, { method: 'POST', headers: FORM, body });
    expect(answer.status).toBe(400);
  });

  it('T14: a browser that fetches ahead moves nothing', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(site.request({ scope: 'openid' }).query));
    const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(page.body);
    await browser.get(page.address, { 'sec-purpose': 'prefetch' });
    expect.soft((await waiter(server, ticketId, waitSecret).status()).status).toBe(200);
    const who = { username: phone.username, password: PASSWORD };
    const to = String((await browser.postJson(`${path(page.address)}/sign-in`, who)).json().redirect_to);
    await browser.copy().get(to, { 'sec-purpose': 'prefetch' });
    expect((await browser.open(to)).status).toBe(200);
  });

  it('T19: a sign-in that is never taken up leaves no living session', async () => {
    const phone = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(site.request().query));
    const who = { username: phone.username, password: PASSWORD };
    const both = await Promise.all([1, 2, 3].map(() => browser.postJson(`${path(page.address)}/sign-in`, who)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    const live = 'SELECT 1 FROM phone_session WHERE direct AND ended_at IS NULL AND account_id = $1';
    expect(await server.database.sql(live, [phone.accountId])).toHaveLength(1);
  });
});
