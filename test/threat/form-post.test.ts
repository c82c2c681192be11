/** T46: nothing that was posted to us is posted on; and the one page that posts for us posts what we wrote, and runs our script alone. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { postTo } from '../support/signing-site.js';
import { postedForm, StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const NASTY = `"><script>alert(1)</script><form action='https://evil.example/'>&quot;&#34;'\`{{x}}</form>`;

let server: TestApp;
let site: OauthSite;
let phone: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  server = await startApp();
  site = await oauthSite(server.app, server, { postLogoutRedirectUris: [REDIRECT_URI] });
  phone = await person(server.app, server);
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

/** Directive -> its values. */
const policyOf = ({ headers }: Pick<RawAnswer, 'headers'>) =>
  Object.fromEntries(
    String(headers['content-security-policy'])
      .split(';')
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name = '', ...values]) => [name, values]),
  );

const expectSafePage = (page: Pick<RawAnswer, 'status' | 'headers' | 'body'>) => {
  const { headers, body } = page;
  expect(headers['content-type']).toMatch(/^text\/html/);
  const scripts = [...body.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)];
  expect(scripts).toHaveLength(1);
  expect(scripts[0]?.[0].startsWith('<script>')).toBe(true);
  const hash = createHash('sha256').update(String(scripts[0]?.[1])).digest('base64');
  expect(policyOf(page)).toMatchObject({
    'default-src': ["'none'"],
    'script-src': [`'sha256-${hash}'`],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
  });
  expect(headers['content-security-policy']).not.toMatch(/unsafe|nonce|\*|https?:/);
  expect([...body.matchAll(/<form/g)]).toHaveLength(1);
  expect(body).not.toMatch(/ on\w+=|javascript:|<iframe|<base|<meta http-equiv="refresh"/i);
  expect([headers['cache-control'], headers['referrer-policy']]).toEqual(['no-store', 'no-referrer']);
};

describe('T46 the page that posts an answer to a site', () => {
  const query = (more: Record<string, string> = {}) =>
    site.request({ response_mode: 'form_post', state: NASTY, ...more }).query;

  it('posts to the redirect URI what was answered, however that is spelt', async () => {
    const browser = new StandardBrowser(server);
    const arrived = await browser.signInByPhone(browser.authorizeUrl(query()), phone);
    expectSafePage(arrived);
    const { action, fields } = postedForm(arrived.body);
    expect(action).toBe(REDIRECT_URI);
    expect(fields).toEqual({ code: expect.any(String), state: NASTY, iss: server.url });
    expect(arrived.body).not.toContain('<script>alert');
  });

  it('does the same with an error, whatever stood in the request', async () => {
    for (const more of [
      { prompt: 'none' },
      { prompt: NASTY },
      { scope: `openid snsapi_login` },
      { code_challenge_method: NASTY },
      { resource: `https://x.example/${NASTY}` },
      { id_token_hint: NASTY },
      { acr_values: NASTY, prompt: 'none' },
      { ui_locales: NASTY, claims: NASTY, prompt: 'none' },
    ] as Array<Record<string, string>>) {
      const browser = new StandardBrowser(server);
      const arrived = await browser.open(browser.authorizeUrl(query(more)));
      expectSafePage(arrived);
      const { action, fields } = postedForm(arrived.body);
      expect([JSON.stringify(more), action, fields.state]).toEqual([JSON.stringify(more), REDIRECT_URI, NASTY]);
      expect(fields).toHaveProperty('error');
    }
  });

  it('does the same in a JWT, and on the way from one account to another or out', async () => {
    const browser = new StandardBrowser(server);
    const first = browser.authorizeUrl(query({ response_mode: 'form_post.jwt' }));
    expectSafePage(await browser.signInByPhone(first, phone, { remember: true }));
    await forgetScans(server.database);
    const other = await person(server.app, server);
    const page = await browser.open(browser.authorizeUrl(query({ prompt: 'login' })));
    expectSafePage(await browser.answerByPhone(page, other));
    const out = new StandardBrowser(server);
    const logout = { client_id: site.clientId, post_logout_redirect_uri: REDIRECT_URI, state: NASTY };
    expectSafePage(await out.open(`${server.url}/oauth/logout?${new URLSearchParams(logout)}`));
  });
});

describe('T46 what was posted', () => {
  it('goes on by GET alone: every redirect after a POST is 303', async () => {
    const browser = new StandardBrowser(server);
    const { query } = site.request();
    const seen: Record<string, number> = {};
    seen.authorize = (await postTo(server, '/oauth/authorize', query)).status;
    const arrived = await browser.signInByPhone(browser.authorizeUrl(query), phone, { remember: true });
    expect(arrived.status).toBe(303);
    const asked = await browser.get(`${server.url}/oauth/logout?client_id=${site.clientId}`);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.body)?.[1] ?? '';
    seen.confirm = (await browser.postForm('/oauth/logout/confirm', { xsrf, logout: 'yes' })).status;
    expect(seen).toEqual({ authorize: 303, confirm: 303 });
  });

  it('is never sent on by 307 or 308, whatever it is, wherever it goes', async () => {
    const { query } = site.request();
    const paths = [
      'authorize',
      'par',
      'token',
      'introspect',
      'revoke',
      'device',
      'userinfo',
      'logout',
      'logout/confirm',
    ];
    const forms: Array<Record<string, string>> = [
      query,
      { ...query, response_mode: 'form_post', prompt: 'none' },
      { username: 'x', password: 'a long enough one' },
      { token: 'x', logout: 'yes', xsrf: 'x', post_logout_redirect_uri: REDIRECT_URI, client_id: site.clientId },
    ];
    for (const path of paths) {
      for (const form of forms) {
        for (const at of [`/oauth/${path}`, `/oauth/${path}/`, `//oauth/${path}`]) {
          const { status, headers } = await postTo(server, at, form, { cookie: phone.cookie });
          const what = `${at} ${JSON.stringify(form).slice(0, 40)}`;
          expect([what, status]).not.toEqual([what, expect.toBeOneOf([301, 302, 307, 308])]);
          expect(status, what).toBeLessThan(500);
          if (status !== 303) expect(headers.location, what).toBeUndefined();
        }
      }
    }
  });

  it('with a password in it reaches no site', async () => {
    const browser = new StandardBrowser(server);
    const page = await browser.open(browser.authorizeUrl(site.request({ response_mode: 'form_post' }).query));
    const answer = await browser.postJson(`${new URL(page.address).pathname}/sign-in`, {
      username: phone.username,
      password: 'a long enough one',
    });
    expect([answer.status, answer.headers.location]).toEqual([200, undefined]);
    const next = await send(String(answer.json().redirect_to), { method: 'POST' });
    expect([next.status, next.headers.location]).toEqual([405, undefined]);
  });
});
