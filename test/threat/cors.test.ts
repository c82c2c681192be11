/** T59: a page reads our answers only where it is a public client's own, and only that client's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { basic, postTo } from '../support/signing-site.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const SPA = 'https://spa.example';
const PORT = 'https://spa.example:8443';
const OTHER = 'https://other-spa.example';
const SHOP = 'https://shop.example';
const GONE = 'https://gone.example';
const APP = 'com.example.app:/callback';

let server: TestApp;
/** In a browser at SPA and PORT. */
let spa: OauthSite;
let otherSpa: OauthSite;
/** With a secret, at SHOP. */
let shop: OauthSite;
let native: OauthSite;
let phone: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  server = await startApp();
  const { app } = server;
  const at = (...redirectUris: string[]) => ({ redirectUris });
  spa = await oauthSite(app, server, { authMethod: 'none', ...at(`${SPA}/callback`, `${PORT}/`, REDIRECT_URI) });
  otherSpa = await oauthSite(app, server, { authMethod: 'none', ...at(`${OTHER}/callback`) });
  shop = await oauthSite(app, server, at(`${SHOP}/callback`, REDIRECT_URI));
  native = await oauthSite(app, server, { authMethod: 'none', applicationType: 'native', ...at(APP) });
  const gone = await oauthSite(app, server, { authMethod: 'none', ...at(`${GONE}/callback`) });
  await app.clients.disable('test', gone.clientId);
  await wechatSite(app, server, at('https://wechat.example/cb'));
  phone = await person(app, server);
});
afterAll(() => server?.stop());

/** Origins at which no public client lives, in every spelling that could pass for one. */
const FOREIGN = [
  'https://evil.example',
  'null',
  '*',
  SHOP,
  GONE,
  'https://wechat.example',
  'http://spa.example',
  'https://spa.example:443',
  'https://spa.example:8444',
  'https://SPA.example',
  'https://spa.example.evil.example',
  'https://sub.spa.example',
  'https://evilspa.example',
  'https://spa.exampl',
  'https://spa.example/',
  'https://spa.example/callback',
  'https://spa.example, https://evil.example',
  'https://spa%',
  'https:',
  'https://',
  'com.example.app',
  'com.example.app://',
  'file://',
  'chrome-extension://abcdef',
];
const ENDPOINTS: Record<string, 'GET' | 'POST'> = {
  '/oauth/token': 'POST',
  '/oauth/par': 'POST',
  '/oauth/introspect': 'POST',
  '/oauth/revoke': 'POST',
  '/oauth/device': 'POST',
  '/oauth/userinfo': 'GET',
  '/oauth/jwks': 'GET',
  '/.well-known/openid-configuration': 'GET',
  '/.well-known/oauth-authorization-server': 'GET',
};
/** The ticket API is for pages of embed origins: headless.test.ts. */
const PAGES: Record<string, 'GET' | 'POST'> = {
  '/oauth/authorize': 'GET',
  '/oauth/logout': 'GET',
  '/oauth/logout/confirm': 'POST',
  '/phone/sign-in': 'POST',
  '/phone/scan': 'POST',
  '/phone/confirm': 'POST',
  '/interaction/x': 'GET',
  '/interaction/x/sign-in': 'POST',
  '/interaction/x/consent': 'POST',
  '/connect/qrconnect': 'GET',
  '/sns/userinfo': 'GET',
  '/device': 'GET',
  '/s/x': 'GET',
  '/admin/setup': 'POST',
  '/nowhere': 'GET',
};

const allowed = ({ headers }: RawAnswer) => headers['access-control-allow-origin'];
const varies = ({ headers }: RawAnswer) => /\bOrigin\b/i.test(String(headers.vary));
const call = (path: string, method: string, headers: Record<string, string>, form: Record<string, string> = {}) =>
  method === 'POST' ? postTo(server, path, form, headers) : send(server.url + path, { method, headers });
const preflight = (path: string, method: string, origin?: string) =>
  send(server.url + path, {
    method: 'OPTIONS',
    headers: {
      ...(origin === undefined ? {} : { origin }),
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization, content-type, dpop',
    },
  });
const expectClosed = (what: string, answer: RawAnswer) => {
  expect([what, allowed(answer), answer.headers['access-control-allow-credentials']]).toEqual([
    what,
    undefined,
    undefined,
  ]);
  expect(answer.status, what).toBeLessThan(500);
};
const exchangeFrom = async (origin: string, site: OauthSite) => {
  await forgetScans(server.database);
  const { query, verifier } = site.request();
  const { code } = await login(server, phone, query);
  const form = { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code, code_verifier: verifier };
  const proof = site.secret === '' ? {} : basic(site);
  return postTo(
    server,
    '/oauth/token',
    { ...form, ...(site.secret === '' ? { client_id: site.clientId } : {}) },
    { origin, ...proof },
  );
};

describe('T59 a page of a public client', () => {
  it('gets and reads tokens and profile at its own origins, without credentials of the browser', async () => {
    for (const origin of [SPA, PORT]) {
      const tokens = await exchangeFrom(origin, spa);
      expect([tokens.status, allowed(tokens), varies(tokens)], tokens.body).toEqual([200, origin, true]);
      const headers = { origin, authorization: `Bearer ${tokens.json().access_token}` };
      const profile = await call('/oauth/userinfo', 'GET', headers);
      expect([profile.status, allowed(profile), varies(profile)]).toEqual([200, origin, true]);
      for (const path of Object.keys(ENDPOINTS)) {
        const method = ENDPOINTS[path] as string;
        const asked = await preflight(path, method, origin);
        expect([path, asked.status, allowed(asked), varies(asked)]).toEqual([path, 204, origin, true]);
        expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
        if (method === 'GET') expect(allowed(await call(path, 'GET', headers))).toBe(origin);
      }
    }
  });

  it('reads nothing that is another client’s, public or not, at its own origin or theirs', async () => {
    const [mine, theirs] = [await exchangeFrom(SPA, spa), await exchangeFrom(OTHER, spa)];
    expect(mine.status).toBe(200);
    expect([theirs.status, allowed(theirs)]).toEqual([400, undefined]);
    const profile = await call('/oauth/userinfo', 'GET', {
      origin: OTHER,
      authorization: `Bearer ${mine.json().access_token}`,
    });
    expect([profile.status, allowed(profile)]).toEqual([400, undefined]);
    for (const origin of [SPA, OTHER, SHOP, 'null']) {
      const secretive = await exchangeFrom(origin, shop);
      expect([origin, allowed(secretive)]).toEqual([origin, undefined]);
      expect(secretive.status, origin).not.toBe(200);
    }
    for (const path of ['/oauth/par', '/oauth/introspect', '/oauth/revoke', '/oauth/device']) {
      const answer = await call(path, 'POST', { origin: SPA, ...basic(shop) }, { ...shop.request().query, token: 'x' });
      expect([path, answer.status, allowed(answer)]).toEqual([path, 400, undefined]);
      const other = await call(path, 'POST', { origin: SPA }, { ...otherSpa.request().query, token: 'x' });
      expect([path, other.status, allowed(other)]).toEqual([path, 400, undefined]);
    }
  });

  it('of an app with a scheme of its own is no page: the origin "null" is everybody’s', async () => {
    for (const origin of ['null', 'com.example.app://', 'com.example.app:']) {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: native.clientId };
      expectClosed(origin, await call('/oauth/token', 'POST', { origin }, form));
      expectClosed(origin, await preflight('/oauth/token', 'POST', origin));
    }
  });

  it('loses it with the redirect URI, or when the client is disabled', async () => {
    const origin = 'https://moving.example';
    const moving = await oauthSite(server.app, server, {
      authMethod: 'none',
      redirectUris: [`${origin}/cb`, REDIRECT_URI],
    });
    expect(allowed(await preflight('/oauth/token', 'POST', origin))).toBe(origin);
    await server.app.clients.disable('test', moving.clientId);
    expectClosed('disabled', await preflight('/oauth/token', 'POST', origin));
    await server.app.clients.enable('test', moving.clientId);
    expect(allowed(await preflight('/oauth/token', 'POST', origin))).toBe(origin);
    await server.app.clients.update('test', moving.clientId, { redirectUris: [REDIRECT_URI] });
    expectClosed('moved', await preflight('/oauth/token', 'POST', origin));
  });
});

describe('T59 any other page', () => {
  it.each(Object.keys(ENDPOINTS))('reads nothing of %s, and no preflight is granted to it', async (path) => {
    const method = ENDPOINTS[path] as string;
    for (const origin of FOREIGN) {
      const what = `${path} ${origin}`;
      const asked = await preflight(path, method, origin);
      expectClosed(what, asked);
      expect([what, asked.status, varies(asked)]).toEqual([what, 403, true]);
      const forms = [{}, { client_id: spa.clientId, token: 'x' }, { client_id: 'nobody', token: 'x' }] as Record<
        string,
        string
      >[];
      for (const form of forms) {
        const answer = await call(path, method, { origin }, form);
        expectClosed(what, answer);
        expect([what, varies(answer)]).toEqual([what, true]);
      }
      expectClosed(what, await call(path, method, { origin, ...basic(shop) }, { token: 'x' }));
      expectClosed(what, await call(path, method, { origin, authorization: 'Bearer x' }));
    }
  });

  it('does not see that a program without a page is answered, and those documents are the same for all', async () => {
    for (const [path, method] of Object.entries(ENDPOINTS)) {
      const answer = await call(path, method, method === 'POST' ? basic(shop) : {}, { token: 'x' });
      expectClosed(path, answer);
      expect([path, varies(answer)]).toEqual([path, true]);
      expectClosed(path, await preflight(path, method));
      const [mine, foreign] = [
        await call(path, 'GET', { origin: SPA }),
        await call(path, 'GET', { origin: 'https://evil.example' }),
      ];
      if (/jwks|well-known/.test(path)) expect([foreign.status, foreign.body]).toEqual([200, mine.body]);
    }
  });

  it('reads no page of ours, whoever it is', async () => {
    for (const [path, method] of Object.entries(PAGES)) {
      for (const origin of [SPA, server.url, 'https://evil.example', 'null']) {
        const what = `${path} ${origin}`;
        const headers = { origin, cookie: phone.cookie };
        expectClosed(what, await call(path, method, headers, spa.request().query));
        const asked = await preflight(path, method, origin);
        expectClosed(what, asked);
        expect([what, asked.status]).toEqual([what, expect.toBeOneOf([404, 405])]);
        expect(asked.headers['access-control-allow-methods'], what).toBeUndefined();
      }
    }
  });
});
