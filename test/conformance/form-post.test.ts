/**
 * oidcc-formpost-basic-certification-test-plan (Form Post OP): the modules of Basic OP with response_mode=form_post, where
 * the answer's way matters.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, expectRefusal, PASSWORD, startBench } from '../support/conformance.js';
import { type OauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { type Arrival, postedForm, type StandardBrowser } from '../support/standard-browser.js';
import { forgetScans } from '../support/story.js';

describe('Form Post OP', () => {
  let bench: Bench;
  let site: OauthSite;
  beforeAll(async () => {
    bench = await startBench();
    ({ site } = bench);
  });
  afterAll(() => bench?.stop());
  beforeEach(() => forgetScans(bench.server.database));

  const asked = (more: Record<string, string> = {}) => site.request({ response_mode: 'form_post', ...more });
  /** The page posts itself: nothing of the answer stands in an address. */
  const posted = (arrived: Arrival): Arrival => {
    expect(arrived.headers['content-type']).toMatch(/^text\/html\b/);
    expect(arrived.headers['cache-control']).toBe('no-store');
    expect(arrived.headers).not.toHaveProperty('location');
    expect(new URL(arrived.address).origin).toBe(bench.server.url);
    expect(arrived.address).not.toMatch(/[?&#](code|error)=/);
    const { action, fields } = postedForm(arrived.body);
    expect(action).toBe(REDIRECT_URI);
    return { ...arrived, answer: fields };
  };
  const through = async (request: ReturnType<typeof asked>, browser = bench.browser()) => {
    const arrived = await browser.signInByPhone(browser.authorizeUrl(request.query), bench.phone, { remember: true });
    return bench.collect(posted(arrived), request);
  };
  const ask = async (more: Record<string, string>, browser: StandardBrowser = bench.browser()) => {
    const request = asked(more);
    return { request, arrived: await browser.open(browser.authorizeUrl(request.query)) };
  };

  it('oidcc-server: code, state and iss come as a form, in a page that sends itself', async () => {
    expect((await bench.metadata()).response_modes_supported).toContain('form_post');
    const browser = bench.browser();
    const request = asked();
    const arrived = await browser.signInByPhone(browser.authorizeUrl(request.query), bench.phone);
    expect(arrived.status).toBe(200);
    const policy = String(arrived.headers['content-security-policy']);
    // Else the browser would not run the line that sends it, or not send it to the site.
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+'/);
    expect(policy).not.toMatch(/form-action/);
    expect(policy).toContain("frame-ancestors 'none'");
    await bench.collect(posted(arrived), request);
  });

  it('oidcc-response-type-missing: invalid_request as a form, or an error page, never a code', async () => {
    const browser = bench.browser();
    const { response_type: _, ...query } = asked().query;
    const arrived = await browser.open(browser.authorizeUrl(query));
    const answer = arrived.body.includes('<form method="post"') ? posted(arrived).answer : arrived.answer;
    expect(answer).toMatchObject({ error: 'invalid_request', state: query.state });
    expect(answer).not.toHaveProperty('code');
  });

  it('oidcc-prompt-none-not-logged-in: an error as a form, with its description, state and iss', async () => {
    const { request, arrived } = await ask({ prompt: 'none' });
    const { answer } = posted(arrived);
    expect(answer).toEqual({
      error: 'login_required',
      error_description: expect.any(String),
      state: request.query.state,
      iss: bench.server.url,
    });
  });

  it('oidcc-prompt-none-logged-in, oidcc-id-token-hint, oidcc-max-age-10000: a code as a form, at once', async () => {
    const browser = bench.browser();
    const first = await through(asked(), browser);
    for (const more of [
      { prompt: 'none' },
      { prompt: 'none', id_token_hint: first.tokens.id_token },
      { max_age: '10000' },
    ] as Array<Record<string, string>>) {
      const { request, arrived } = await ask(more, browser);
      const second = await bench.collect(posted(arrived), request);
      expect(second.claims).toMatchObject({ sub: first.claims.sub, auth_time: first.claims.auth_time });
    }
  });

  it.each([
    ['oidcc-prompt-login', { prompt: 'login' }],
    ['oidcc-max-age-1', { max_age: '1' }],
  ] as const)('%s: asks again, then a code as a form', async (_module, more) => {
    const browser = bench.browser();
    await through(asked(), browser);
    await bench.age(60);
    const { request, arrived } = await ask(more, browser);
    expect(arrived.address).toContain('/interaction/');
    const who = { username: bench.phone.username, password: PASSWORD };
    const second = await browser.signInByPassword(browser.authorizeUrl(request.query), who);
    const { claims } = await bench.collect(posted(second), request);
    expect(claims.auth_time).toEqual(expect.any(Number));
    await bench.age(-60);
  });

  it('oidcc-codereuse: a code that came as a form is good once', async () => {
    const { code, verifier } = await through(asked());
    expectRefusal(await site.exchange(code, verifier), 'invalid_grant');
  });

  it('oidcc-ensure-registered-redirect-uri: an error page without a form to the address that is not registered', async () => {
    const { arrived } = await ask({ redirect_uri: 'https://evil.example/callback' });
    expect(arrived.status).toBe(400);
    expect(arrived.body).not.toContain('evil.example');
  });

  it('oidcc-ensure-post-request-succeeds: a form in, a form out', async () => {
    const browser = bench.browser();
    const request = asked();
    const page = await browser.submit(`${bench.server.url}/oauth/authorize`, request.query);
    await bench.collect(posted(await browser.answerByPhone(page, bench.phone)), request);
  });

  it('the person refuses: access_denied as a form', async () => {
    const browser = bench.browser();
    const { query } = asked();
    const arrived = await browser.signInByPhone(browser.authorizeUrl(query), bench.phone, { deny: true });
    expect(posted(arrived).answer).toMatchObject({ error: 'access_denied', state: query.state });
  });

  it('OAuth 2.0 Form Post Response Mode 4: a state of markup comes back as it was, and is no markup in the page', async () => {
    const state = `"><script>alert('1')</script>&amp;&lt;b>' %22 + ü 张`;
    const browser = bench.browser();
    const { arrived } = await ask({ prompt: 'none', state }, browser);
    expect(posted(arrived).answer.state).toBe(state);
    expect(arrived.body).not.toContain('<script>alert');
    const granted = await through(asked({ state }));
    expect(granted.arrived.body).not.toContain('<script>alert');
  });
});
