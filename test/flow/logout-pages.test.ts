import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { type Arrival, postedForm, StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const BYE = 'https://tea.example/bye?from=us';
const APP = 'com.example.tea:/bye';
const LOOPBACK = 'http://[::1]/bye';

describe('the pages of a sign-out', () => {
  let server: TestApp;
  let phone: Awaited<ReturnType<typeof person>>;
  let tea: OauthSite;
  let app: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
    tea = await oauthSite(server.app, server, { name: "Anna's tea & more", postLogoutRedirectUris: [BYE] });
    app = await oauthSite(server.app, server, {
      name: 'Tea app',
      authMethod: 'none',
      applicationType: 'native',
      redirectUris: ['com.example.tea:/in'],
      postLogoutRedirectUris: [APP, LOOPBACK],
    });
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const signedIn = async () => {
    const browser = new StandardBrowser(server);
    await browser.signInByPhone(browser.authorizeUrl(tea.request().query), phone, { remember: true });
    return browser;
  };
  const signOutUrl = (query: Record<string, string> = {}) => `${server.url}/oauth/logout?${new URLSearchParams(query)}`;
  const policyOf = ({ headers }: Pick<Arrival, 'headers'>) => String(headers['content-security-policy']);
  const formAction = (page: Pick<Arrival, 'headers'>) => /form-action ([^;]+)/.exec(policyOf(page))?.[1];
  const press = (browser: StandardBrowser, { body }: { body: string }, more: Record<string, string>) => {
    const action = /<form id="op.logoutForm" method="post" action="([^"]+)"/.exec(body)?.[1] ?? '';
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(body)?.[1] ?? '';
    return browser.submit(action, { xsrf, ...more });
  };
  const expectPage = ({ status, headers, body }: Pick<Arrival, 'status' | 'headers' | 'body'>) => {
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect([headers['x-frame-options'], headers['cache-control']]).toEqual(['DENY', 'no-store']);
    const nonce = /script-src 'nonce-([\w-]+)'; style-src 'nonce-([\w-]+)'/.exec(policyOf({ headers }));
    expect(nonce?.[1]).toBe(nonce?.[2]);
    for (const sheet of body.match(/<link rel="stylesheet"[^>]*>/g) ?? []) expect(sheet).toContain(`"${nonce?.[1]}"`);
    expect(body).toMatch(/<link rel="stylesheet" href="\/assets\/phone/);
    // Without JavaScript: no script at all.
    expect(body).not.toContain('<script');
  };

  it('ask, naming the site by the host it goes back to, and send the answer there and to us only', async () => {
    const browser = await signedIn();
    const query = { client_id: tea.clientId, post_logout_redirect_uri: BYE, state: 's' };
    const page = await browser.get(signOutUrl(query));
    expectPage(page);
    expect(page.body).toContain('<h1>Sign out of this browser?</h1>');
    expect(page.body).toContain('<p class="site-host">tea.example</p>');
    expect(page.body).toContain('Anna&#39;s tea &amp; more');
    expect(formAction(page)).toBe("'self' https://tea.example");
    // Reloading asks again; nothing has ended.
    const again = await browser.get(signOutUrl({ client_id: tea.clientId }));
    expect(again.body).toContain(`<p class="site-host">${new URL(REDIRECT_URI).host}</p>`);
    expect(formAction(again)).toBe("'self'");
    const arrived = await press(browser, await browser.get(signOutUrl(query)), { logout: 'yes' });
    expect(arrived.address).toBe(`${BYE}&state=s`);
    const after = await browser.open(browser.authorizeUrl({ ...tea.request().query, prompt: 'none' }));
    expect(after.answer.error).toBe('login_required');
  });

  it('name an app by its name, and its scheme in the policy, which knows no such origin', async () => {
    const browser = await signedIn();
    const ask = (uri: string) => browser.get(signOutUrl({ client_id: app.clientId, post_logout_redirect_uri: uri }));
    const page = await ask(APP);
    expectPage(page);
    expect(page.body).toContain('<p class="site-host">Tea app</p>');
    expect(formAction(page)).toBe("'self' com.example.tea:");
    expect(formAction(await ask(LOOPBACK))).toBe("'self' http:");
  });

  it('end here when the site gave no address: signed out, or of that site alone', async () => {
    const browser = await signedIn();
    const stayed = await press(browser, await browser.get(signOutUrl({ client_id: tea.clientId })), {});
    expectPage(stayed);
    expect(stayed.body).toContain('Your sign-in at this site has ended.');
    expect(stayed.body).toContain(`<p class="site-host">${new URL(REDIRECT_URI).host}</p>`);
    const gone = await press(browser, await browser.get(signOutUrl({ client_id: tea.clientId })), { logout: 'yes' });
    expectPage(gone);
    expect(gone.body).toContain('This browser is no longer signed in here.');
    expect(gone.body).not.toContain('site-host');
  });

  it('offer the way home, not a form that says it is done, to who stays without a site asking', async () => {
    const browser = await signedIn();
    const page = await browser.get(signOutUrl());
    expectPage(page);
    expect(page.body).not.toContain('site-host');
    expect(page.body).toContain('<a class="button quiet" href="/">Stay signed in</a>');
    expect(page.body.match(/<button/g)).toHaveLength(1);
  });

  it.each([
    ['zh-CN', undefined, 'zh-CN', '要在此浏览器上退出登录吗？'],
    ['fr zh-TW en', 'en', 'zh-CN', '要在此浏览器上退出登录吗？'],
    ['en-GB', 'zh-CN', 'en', 'Sign out of this browser?'],
    ['fr', 'zh-CN,en;q=0.5', 'zh-CN', '要在此浏览器上退出登录吗？'],
    ['', 'de', 'en', 'Sign out of this browser?'],
  ])(
    'speak the language of ui_locales "%s", else of Accept-Language "%s": %s',
    async (uiLocales, accept, lang, heading) => {
      const browser = await signedIn();
      const headers: Record<string, string> = accept === undefined ? {} : { 'accept-language': accept };
      const page = await browser.get(signOutUrl({ ui_locales: uiLocales }), headers);
      expect(page.body).toContain(`<html lang="${lang}"`);
      expect(page.body).toContain(`<h1>${heading}</h1>`);
      const end = await browser.get(`${server.url}/oauth/logout/success`, headers);
      expect(end.body).toContain(`<html lang="${(accept ?? 'en').startsWith('zh') ? 'zh-CN' : 'en'}"`);
    },
  );

  it('are not asked of a browser without a session: its form sends itself, by the one script the policy allows', async () => {
    const browser = new StandardBrowser(server);
    const page = await browser.get(signOutUrl({ client_id: tea.clientId, post_logout_redirect_uri: BYE }));
    expect(page.status).toBe(200);
    expect(policyOf(page)).toMatch(/script-src 'sha256-[\w+/]+='/);
    expect(policyOf(page)).toContain("frame-ancestors 'none'");
    const { action, fields } = postedForm(page.body);
    expect(action).toBe(`${server.url}/oauth/logout/confirm`);
    expect((await browser.submit(action, fields)).address).toBe(BYE);
  });

  it.each([
    ['another address', { post_logout_redirect_uri: 'https://tea.example/other' }],
    ['another host', { post_logout_redirect_uri: 'https://evil.example/bye?from=us' }],
    ['an unknown client', { client_id: 'qc0' }],
    ['a broken hint', { id_token_hint: 'x.y.z' }],
  ])('T39 lead nowhere by %s', async (_name, more) => {
    const browser = await signedIn();
    const page = await browser.get(signOutUrl({ client_id: tea.clientId, ...more }));
    expect([page.status, page.headers.location]).toEqual([400, undefined]);
    expect(page.body).toContain('error-card');
    const { query } = tea.request({ prompt: 'none' });
    expect((await browser.open(browser.authorizeUrl(query))).answer.code).toBeDefined();
  });

  it('T39 lead nowhere without a client, whatever address is given', async () => {
    const browser = await signedIn();
    const page = await browser.get(signOutUrl({ post_logout_redirect_uri: 'https://evil.example/' }));
    expect([page.body.includes('evil'), formAction(page)]).toEqual([false, "'self'"]);
    const arrived = await press(browser, page, { logout: 'yes' });
    expect(new URL(arrived.address).origin).toBe(server.url);
  });
});
