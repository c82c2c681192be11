/**
 * oidcc-rp-initiated-logout-certification-test-plan (RP-Initiated Logout OP) and
 * oidcc-backchannel-rp-initiated-logout-certification-test-plan (Back-Channel Logout OP). Where the suite wants to see an
 * error page or a question, we ask; it then wants the browser not to be sent to the site.
 */
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, type SignedIn, startBench } from '../support/conformance.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { type Sink, startSink } from '../support/sink.js';
import type { Arrival, StandardBrowser } from '../support/standard-browser.js';
import { forgetScans } from '../support/story.js';

const BYE = 'http://127.0.0.1:9/post_logout_redirect';
/** As long as the suite makes it. */
const STATE = 'aZ09-._~'.repeat(16);

describe('Logout OP', () => {
  let bench: Bench;
  let site: OauthSite;
  let sink: Sink;
  let browser: StandardBrowser;
  let first: SignedIn;
  beforeAll(async () => {
    bench = await startBench();
    sink = await startSink();
    site = await oauthSite(bench.server.app, bench.server, {
      postLogoutRedirectUris: [BYE],
      backchannelLogoutUri: `http://127.0.0.1:${sink.port}/backchannel_logout`,
    });
  });
  afterAll(async () => {
    await sink?.stop();
    await bench?.stop();
  });
  beforeEach(async () => {
    sink.received.splice(0);
    await forgetScans(bench.server.database);
    browser = bench.browser();
    first = await bench.signIn({ scope: 'openid' }, { browser, site });
  });

  const endpoint = () => `${bench.server.url}/oauth/logout`;
  const leave = (query: Record<string, string>) => browser.open(`${endpoint()}?${new URLSearchParams(query)}`);
  const isQuestion = ({ status, body }: Arrival) => status === 200 && body.includes('id="op.logoutForm"');
  /** Presses "sign out" if that is what the page asks. */
  const press = (page: Arrival) => {
    expect(isQuestion(page), page.body).toBe(true);
    const action = /<form id="op.logoutForm" method="post" action="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    return browser.submit(action, { xsrf, logout: 'yes' });
  };
  const whole = () => ({ id_token_hint: first.tokens.id_token, post_logout_redirect_uri: BYE, state: STATE });
  const stillSignedIn = async () =>
    (await bench.ask({ scope: 'openid', prompt: 'none' }, browser, site)).answer.code !== undefined;
  /** The suite's last step: nobody is signed in. */
  const expectSignedOut = async () => {
    const { answer } = await bench.ask({ scope: 'openid', prompt: 'none' }, browser, site);
    expect(answer).toMatchObject({ error: 'login_required', state: expect.any(String), iss: bench.server.url });
    expect(answer).not.toHaveProperty('code');
  };
  const expectStaysHere = (arrived: Arrival) => {
    expect(new URL(arrived.address).origin).toBe(bench.server.url);
    expect(arrived.headers).not.toHaveProperty('location');
    expect(arrived.headers['content-type']).toMatch(/^text\/html\b/);
  };

  it('oidcc-rp-initiated-logout-discovery-endpoint-verification', async () => {
    const metadata = await bench.metadata();
    expect(metadata.end_session_endpoint).toBe(endpoint());
  });

  it('oidcc-rp-initiated-logout: asks, ends the session, and goes back with state and nothing else', async () => {
    const arrived = await press(await leave(whole()));
    expect(arrived.address).toBe(`${BYE}?${new URLSearchParams({ state: STATE })}`);
    await expectSignedOut();
  });

  it('oidcc-rp-initiated-logout: by POST as well (RP-Initiated Logout 2)', async () => {
    const page = await browser.submit(endpoint(), whole());
    const arrived = await press(page);
    expect(arrived.address).toBe(`${BYE}?${new URLSearchParams({ state: STATE })}`);
    await expectSignedOut();
  });

  it('oidcc-rp-initiated-logout: with an ID token that is over (RP-Initiated Logout 2)', async () => {
    const { signing } = bench.server.app.ring.current();
    const { kid } = decodeProtectedHeader(first.tokens.id_token);
    const key = signing.find((one) => one.kid === kid) as JWK;
    const { iat = 0, exp = 0 } = first.claims;
    const old = await new SignJWT({ ...first.claims, iat: iat - 86_400, exp: exp - 86_400 })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(await importJWK(key, 'RS256'));
    const arrived = await press(await leave({ ...whole(), id_token_hint: old }));
    expect(arrived.address).toBe(`${BYE}?${new URLSearchParams({ state: STATE })}`);
    await expectSignedOut();
  });

  it.each([
    ['another path', `${BYE}/other`],
    ['another host', 'https://evil.example/post_logout_redirect'],
    ['the redirect URI', 'http://127.0.0.1:9/callback'],
  ])('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri: an error page for %s', async (_what, uri) => {
    const arrived = await leave({ ...whole(), post_logout_redirect_uri: uri });
    expect(arrived.status).toBe(400);
    expectStaysHere(arrived);
    expect(await stillSignedIn()).toBe(true);
  });

  it('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri: an error page', async () => {
    const arrived = await leave({ ...whole(), post_logout_redirect_uri: `${BYE}?foo=bar` });
    expect(arrived.status).toBe(400);
    expectStaysHere(arrived);
  });

  it('oidcc-rp-initiated-logout-modified-id-token-hint: one with alg none is an error page', async () => {
    const arrived = await leave({ ...whole(), id_token_hint: new UnsecuredJWT(first.claims).encode() });
    expect(arrived.status).toBe(400);
    expectStaysHere(arrived);
    expect(await stillSignedIn()).toBe(true);
  });

  it('oidcc-rp-initiated-logout-bad-id-token-hint: one with another signature, or none at all, is an error page', async () => {
    const [header, payload] = first.tokens.id_token.split('.');
    for (const hint of [`${header}.${payload}.${'A'.repeat(342)}`, 'abc', `${header}.${payload}.`]) {
      const arrived = await leave({ ...whole(), id_token_hint: hint });
      expect(arrived.status, hint).toBe(400);
      expectStaysHere(arrived);
    }
  });

  it('oidcc-rp-initiated-logout-no-id-token-hint: asks, and does not go to an address that nobody vouches for', async () => {
    const arrived = await press(await leave({ post_logout_redirect_uri: BYE, state: STATE }));
    expectStaysHere(arrived);
    await expectSignedOut();
  });

  it.each([
    ['oidcc-rp-initiated-logout-no-params', {}],
    ['oidcc-rp-initiated-logout-only-state', { state: STATE }],
  ] as const)('%s: asks, signs out, and says so here', async (_module, query) => {
    const arrived = await press(await leave(query));
    expect(arrived.status).toBe(200);
    expectStaysHere(arrived);
    await expectSignedOut();
  });

  it('oidcc-rp-initiated-logout-no-post-logout-redirect-uri: asks, signs out, and says so here', async () => {
    const arrived = await press(await leave({ id_token_hint: first.tokens.id_token, state: STATE }));
    expect(arrived.status).toBe(200);
    expectStaysHere(arrived);
    await expectSignedOut();
  });

  it('oidcc-rp-initiated-logout-no-state: goes back without one', async () => {
    const { state: _, ...query } = whole();
    expect((await press(await leave(query))).address).toBe(BYE);
    await expectSignedOut();
  });

  describe('Back-Channel', () => {
    it('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
      expect(await bench.metadata()).toMatchObject({
        end_session_endpoint: endpoint(),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
      });
    });

    it('oidcc-backchannel-rp-initiated-logout: a logout token of this session, the browser back at the site, nobody signed in', async () => {
      const arrived = await press(await leave(whole()));
      expect(arrived.address).toBe(`${BYE}?${new URLSearchParams({ state: STATE })}`);
      expect(sink.received.map(({ method, path }) => [method, path])).toEqual([['POST', '/backchannel_logout']]);
      const sent = new URLSearchParams(sink.received[0]?.body);
      expect([...sent.keys()]).toEqual(['logout_token']);
      const keys = (await send(`${bench.server.url}/oauth/jwks`)).json<JSONWebKeySet>();
      const { payload } = await jwtVerify(String(sent.get('logout_token')), createLocalJWKSet(keys), {
        issuer: bench.server.url,
        audience: site.clientId,
        algorithms: ['RS256'],
      });
      expect(payload).toMatchObject({
        iat: expect.any(Number),
        exp: expect.any(Number),
        jti: expect.any(String),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        sub: first.claims.sub,
        sid: first.claims.sid,
      });
      expect(payload).not.toHaveProperty('nonce');
      await expectSignedOut();
    });
  });
});
