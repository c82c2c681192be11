/** T41, T54 at the standard door: a code is its client's, whatever that proves itself by; and nobody gets more than was allowed. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deviceOf, scanDevice } from '../support/device.js';
import { signJwt } from '../support/hostile-jwts.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { basic, postTo, type SigningSite, signingSite } from '../support/signing-site.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const ORDERS = 'https://orders.example';
const STOCK = 'https://stock.example';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let server: TestApp;
let phone: Awaited<ReturnType<typeof person>>;
let who: { username: string; password: string };
beforeAll(async () => {
  server = await startApp();
  const { app } = server;
  const scopes = [{ name: 'read' }, { name: 'write' }, { name: 'erase' }];
  await app.resources.register('test', { identifier: ORDERS, name: 'Orders', scopes });
  await app.resources.register('test', { identifier: STOCK, name: 'Stock', scopes: [{ name: 'count' }] });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  phone = await person(server.app, server);
  who = { username: phone.username, password: 'a long enough one' };
});

const browser = () => new StandardBrowser(server);
const signIn = async (query: Record<string, string>) => {
  await forgetScans(server.database);
  const one = browser();
  return (await one.signInByPhone(one.authorizeUrl(query), phone)).answer;
};
const codeForm = (code: unknown, verifier: string) => ({
  grant_type: 'authorization_code',
  redirect_uri: REDIRECT_URI,
  code: String(code),
  code_verifier: verifier,
});

describe('T41 a code, a device code and a refresh token', () => {
  let a: SigningSite;
  let b: SigningSite;
  let secretive: OauthSite;
  let open: OauthSite;
  beforeAll(async () => {
    const { app } = server;
    const more = { deviceFlow: true };
    [a, b] = [await signingSite(app, server, more), await signingSite(app, server, more)];
    secretive = await oauthSite(app, server, more);
    open = await oauthSite(app, server, { authMethod: 'none', ...more });
  });

  /** Everything B can bring to be taken for A. */
  const thieves = async (): Promise<
    Record<string, { form: Record<string, string>; headers?: Record<string, string> }>
  > => {
    const asA = await signJwt(a.assertionClaims(), b.header, b.key);
    const issuedByB = await signJwt(a.assertionClaims({ iss: b.clientId }), b.header, b.key);
    const forBoth = await signJwt(b.assertionClaims({ sub: a.clientId }), b.header, b.key);
    return {
      'B by its key': { form: await b.proof() },
      'B by its key, as A in the form': { form: { ...(await b.proof()), client_id: a.clientId } },
      'A by the key of B': { form: await b.proof(asA) },
      'A in the name of B': { form: await b.proof(issuedByB) },
      'B in the name of A': { form: await b.proof(forBoth) },
      'B by its secret': { form: {}, headers: basic(secretive) },
      'B by its secret, as A in the form': { form: { client_id: a.clientId }, headers: basic(secretive) },
      'B without a secret': { form: { client_id: open.clientId } },
      'A without anything': { form: { client_id: a.clientId } },
      'A with a secret': { form: {}, headers: basic({ clientId: a.clientId, secret: secretive.secret }) },
      'A with an assertion that was used': { form: await used() },
    };
  };
  const used = async () => {
    const proof = await a.proof();
    expect((await postTo(server, '/oauth/par', { ...a.request().query, ...proof })).status).toBe(201);
    return proof;
  };
  const expectNothing = async (grant: Record<string, string>) => {
    for (const [how, { form, headers }] of Object.entries(await thieves())) {
      const answer = await postTo(server, '/oauth/token', { ...grant, ...form }, headers);
      expect([how, answer.status], answer.body).toEqual([how, expect.toBeOneOf([400, 401])]);
      expect(answer.body, how).not.toContain('access_token');
    }
  };

  it('are worth nothing to any other client, and are not used up by its trying', async () => {
    const { query, verifier } = a.request({ scope: 'openid offline_access', prompt: 'consent' });
    const { code } = await signIn(query);
    const grant = codeForm(code, verifier);
    await expectNothing(grant);
    const tokens = await postTo(server, '/oauth/token', { ...grant, ...(await a.proof()) });
    expect(tokens.status, tokens.body).toBe(200);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.json().refresh_token) };
    await expectNothing(refresh);
    expect((await postTo(server, '/oauth/token', { ...refresh, ...(await a.proof()) })).status).toBe(200);
  });

  it('of a device as well', async () => {
    await forgetScans(server.database);
    const answer = await postTo(server, '/oauth/device', { scope: 'openid', ...(await a.proof()) });
    const shown = answer.json<{ device_code: string; user_code: string }>();
    expect((await phone.confirm(await scanDevice(server, phone, shown.user_code))).status).toBe(200);
    const grant = { grant_type: DEVICE_GRANT, device_code: shown.device_code };
    await expectNothing(grant);
    expect((await deviceOf(server, secretive).poll(shown as never)).status).toBe(400);
    expect((await postTo(server, '/oauth/token', { ...grant, ...(await a.proof()) })).status).toBe(200);
  });

  it('are for the redirect URI of the request alone', async () => {
    const { query, verifier } = a.request();
    const { code } = await signIn(query);
    for (const uri of ['https://evil.example/', `${REDIRECT_URI}/`, `${REDIRECT_URI}?x`, '']) {
      const form = { ...codeForm(code, verifier), redirect_uri: uri, ...(await a.proof()) };
      expect([uri, (await postTo(server, '/oauth/token', form)).status]).toEqual([uri, 400]);
    }
    expect((await postTo(server, '/oauth/token', { ...codeForm(code, verifier), ...(await a.proof()) })).status).toBe(
      200,
    );
  });
});

describe('T54 what a site may have', () => {
  let site: OauthSite;
  const registered = 'openid profile offline_access read write count';
  beforeEach(async () => {
    site = await oauthSite(server.app, server, { scope: registered });
  });

  const tokensOf = async (more: Record<string, string>) => {
    const { query, verifier } = site.request(more);
    const answer = await site.exchange(String((await signIn(query)).code), verifier);
    expect(answer.status, answer.body).toBe(200);
    return answer.json<Record<string, string>>();
  };

  it('does not grow by a refresh, neither in scopes of ours nor of an API, nor to another API', async () => {
    const tokens = await tokensOf({ scope: 'openid offline_access read', resource: ORDERS, prompt: 'consent' });
    const refresh = String(tokens.refresh_token);
    const wider: Array<Record<string, string>> = [
      { scope: 'openid offline_access profile' },
      { scope: 'openid offline_access read write' },
      { scope: 'read erase' },
      { scope: 'count', resource: STOCK },
      { scope: 'openid unionid' },
    ];
    for (const more of wider) {
      const answer = await site.refresh(refresh, more);
      const what = JSON.stringify(more);
      expect([what, answer.status, answer.json().access_token], answer.body).toEqual([what, 400, undefined]);
    }
    const next = (await site.refresh(refresh)).json<Record<string, string>>();
    expect([next.scope, decodeJwt(String(next.access_token)).scope]).toEqual([tokens.scope, 'read']);
    const narrow = (await site.refresh(String(next.refresh_token ?? refresh), { scope: 'openid' })).json();
    expect(narrow.scope).toBe('openid');
    for (const resource of [STOCK, server.url, 'https://nobody.example']) {
      const other = await tokensOf({ scope: 'openid offline_access read', resource: ORDERS, prompt: 'consent' });
      const answer = await site.refresh(String(other.refresh_token), { resource });
      expect([resource, answer.status, answer.json().error]).toEqual([resource, 400, 'invalid_target']);
    }
  });

  it('is shown before it is given: what is new to an older consent, of ours and of an API, by any way to ask', async () => {
    const ask = async (more: Record<string, string>, by = browser()) => {
      const { query } = site.request(more);
      const page = await by.open(by.authorizeUrl(query));
      if (page.answer.code || page.answer.error) return { by, next: page };
      const signedIn = await by.postJson(`${new URL(page.address).pathname}/sign-in`, { ...who, remember: true });
      expect(signedIn.status, signedIn.body).toBe(200);
      return { by, next: await by.open(String(signedIn.json().redirect_to)) };
    };
    const first = await ask({ scope: 'openid' });
    expect(first.next.address).toContain('/interaction/');
    expect((await first.by.decide(first.next, 'allow')).answer).toHaveProperty('code');
    expect((await ask({ scope: 'openid' })).next.answer, 'what was allowed is not asked again').toHaveProperty('code');
    const news: Array<Record<string, string>> = [
      { scope: 'openid profile' },
      { scope: 'openid read', resource: ORDERS },
      { scope: 'openid read write', resource: ORDERS },
      { scope: 'openid count', resource: STOCK },
    ];
    for (const more of news) {
      const what = JSON.stringify(more);
      const silent = await first.by.open(first.by.authorizeUrl({ ...site.request(more).query, prompt: 'none' }));
      expect([what, silent.answer.code, silent.answer.error]).toEqual([what, undefined, 'consent_required']);
      const { by, next } = await ask(more);
      expect([what, next.answer.code, next.address.includes('/interaction/')]).toEqual([what, undefined, true]);
      const denied = await by.decide(next, 'deny');
      expect([what, denied.answer.code, denied.answer.error]).toEqual([what, undefined, 'access_denied']);
    }
    // A denial allowed nothing, and what one site was allowed no other one is.
    expect((await ask({ scope: 'openid profile' })).next.address).toContain('/interaction/');
    site = await oauthSite(server.app, server, { scope: registered });
    expect((await ask({ scope: 'openid' })).next.address).toContain('/interaction/');
  });

  it('is no more than it is registered for, however it asks', async () => {
    const signing = await signingSite(server.app, server, { scope: 'openid read' });
    for (const more of [
      { scope: 'openid profile' },
      { scope: 'openid offline_access', prompt: 'consent' },
      { scope: 'openid read write', resource: ORDERS },
      { scope: 'openid snsapi_login' },
    ] as Array<Record<string, string>>) {
      const { query } = signing.request(more);
      const object = await signing.requestObject(more);
      const asked = [query, { client_id: signing.clientId, request: object }].map(async (request) => {
        const one = browser();
        return (await one.open(one.authorizeUrl(request))).answer.error;
      });
      const pushed = [query, { request: object }].map(async (form) => {
        const answer = await postTo(server, '/oauth/par', { ...form, ...(await signing.proof()) });
        return answer.json().error;
      });
      expect([more.scope, ...(await Promise.all([...asked, ...pushed]))]).toEqual([
        more.scope,
        ...Array(4).fill('invalid_scope'),
      ]);
    }
  });

  it('is nothing that a "claims" parameter names, wherever it stands', async () => {
    const signing = await signingSite(server.app, server);
    const claims = {
      id_token: { nickname: null, unionid: { essential: true } },
      userinfo: { nickname: null, picture: null },
    };
    const inQuery = signing.request({ scope: 'openid', claims: JSON.stringify(claims) });
    const inPush = signing.request({ scope: 'openid', claims: JSON.stringify(claims) });
    const inObject = signing.requestClaims({ scope: 'openid', claims });
    const object = await signJwt(inObject.claims, signing.header, signing.key);
    const pushed = await postTo(server, '/oauth/par', { ...inPush.query, ...(await signing.proof()) });
    const byReference = { client_id: signing.clientId, request_uri: String(pushed.json().request_uri) };
    for (const [request, verifier] of [
      [inQuery.query, inQuery.verifier],
      [byReference, inPush.verifier],
      [{ client_id: signing.clientId, request: object }, inObject.verifier],
    ] as const) {
      const form = { ...codeForm((await signIn(request)).code, verifier), ...(await signing.proof()) };
      const tokens = (await postTo(server, '/oauth/token', form)).json<Record<string, string>>();
      expect(Object.keys((await site.userinfo(String(tokens.access_token))).json())).toEqual(['sub']);
      for (const claim of ['nickname', 'picture', 'unionid']) {
        expect(decodeJwt(String(tokens.id_token))).not.toHaveProperty(claim);
      }
    }
  });
});
