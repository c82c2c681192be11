/** T49: each kind of token, code, cookie and secret opens what it is for, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceOf, scanDevice } from '../support/device.js';
import { observe, type RawAnswer, send } from '../support/http.js';
import { openPage, waiter } from '../support/page.js';
import { type OauthSite, oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { basic, dpopProver, postTo } from '../support/signing-site.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const ORDERS = 'https://orders.example';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let server: TestApp;
let site: OauthSite;
let other: OauthSite;
let phone: Awaited<ReturnType<typeof person>>;
/** Kind -> a value that is good at its own place. */
const values: Record<string, string> = {};
let verifier: string;
let ticketId: string;

beforeAll(async () => {
  server = await startApp();
  const { app } = server;
  await app.resources.register('test', { identifier: ORDERS, name: 'Orders', scopes: [{ name: 'read' }] });
  const scope = 'openid profile unionid offline_access read';
  site = await oauthSite(app, server, { scope, deviceFlow: true });
  other = await oauthSite(app, server, { scope, deviceFlow: true });
  const shop = await wechatSite(app, server);
  phone = await person(app, server);

  const signIn = async (more: Record<string, string> = {}, remember = false) => {
    await forgetScans(server.database);
    const browser = new StandardBrowser(server);
    const { query, verifier: secret } = site.request({
      scope: 'openid profile offline_access',
      prompt: 'consent',
      ...more,
    });
    const { answer } = await browser.signInByPhone(browser.authorizeUrl(query), phone, { remember });
    return { code: String(answer.code), verifier: secret };
  };
  const tokensOf = async (signedIn: { code: string; verifier: string }) =>
    (await site.exchange(signedIn.code, signedIn.verifier)).json<Record<string, string>>();
  const keep = (kind: string, value: unknown) => {
    expect([kind, typeof value === 'string' && value.length >= 20]).toEqual([kind, true]);
    values[kind] = String(value);
  };

  const stop = observe(({ answer }) => {
    const cookies = [answer.headers['set-cookie'] ?? []].flat();
    const session = cookies.map((line) => /^(?:__Host-)?engine-session=([\w-]{20,})/.exec(line)?.[1]).find(Boolean);
    if (session) values['browser session'] = session;
  });
  const tokens = await tokensOf(await signIn({}, true));
  stop();
  keep('browser session', values['browser session']);
  keep('access token', tokens.access_token);
  keep('refresh token', tokens.refresh_token);
  keep('ID token', tokens.id_token);
  keep(
    'access token for an API',
    (await tokensOf(await signIn({ scope: 'openid read', resource: ORDERS }))).access_token,
  );

  const prover = dpopProver();
  const bind = async (signedIn: { code: string; verifier: string }) => {
    const form = {
      grant_type: 'authorization_code',
      redirect_uri: REDIRECT_URI,
      code: signedIn.code,
      code_verifier: signedIn.verifier,
    };
    const proof = await prover.proof('POST', `${server.url}/oauth/token`);
    return prover.hear(await postTo(server, '/oauth/token', form, { ...basic(site), dpop: proof }));
  };
  const forBinding = await signIn();
  await bind(forBinding);
  keep('access token of a key', (await bind(forBinding)).json().access_token);

  const waiting = await signIn();
  keep('code', waiting.code);
  verifier = waiting.verifier;
  await forgetScans(server.database);
  const { shown } = await deviceOf(server, site).ask();
  expect((await phone.confirm(await scanDevice(server, phone, shown.user_code))).status).toBe(200);
  keep('device code', shown.device_code);
  const page = await openPage(server, site.request().query);
  ticketId = page.ticketId;
  keep('wait secret', page.waitSecret);
  keep('ticket', page.ticketId);
  keep('scan token', new URL(page.qr).pathname.split('/').at(-1));
  keep('phone session', phone.cookie.split('=')[1]);
  keep('client secret', site.secret);
  const wechat = (await shop.exchange((await login(server, phone, shop.request())).code)).json<
    Record<string, string>
  >();
  keep('WeChat access token', wechat.access_token);
  keep('WeChat refresh token', wechat.refresh_token);
  const pushed = await postTo(server, '/oauth/par', site.request().query, basic(site));
  keep('pushed request', String(pushed.json().request_uri).split(':').at(-1));
});
afterAll(() => server?.stop());

const token = (form: Record<string, string>) => postTo(server, '/oauth/token', form, basic(site));
const cookieName = () => phone.cookie.split('=')[0] as string;

interface Place {
  opens: readonly string[];
  present(value: string): Promise<RawAnswer>;
  isOpen(answer: RawAnswer): boolean;
}
const isOk = ({ status, body }: RawAnswer) => status === 200 && !/"errcode":(?!0)/.test(body);
const PLACES: Record<string, Place> = {
  userinfo: {
    opens: ['access token'],
    present: (value) => send(`${server.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${value}` } }),
    isOpen: isOk,
  },
  'userinfo, in the form': {
    opens: ['access token'],
    present: (value) => postTo(server, '/oauth/userinfo', { access_token: value }),
    isOpen: isOk,
  },
  'userinfo, with DPoP': {
    opens: [],
    present: (value) => send(`${server.url}/oauth/userinfo`, { headers: { authorization: `DPoP ${value}` } }),
    isOpen: isOk,
  },
  introspection: {
    opens: ['access token', 'access token of a key', 'refresh token'],
    present: (value) => postTo(server, '/oauth/introspect', { token: value }, basic(site)),
    isOpen: ({ body }) => body.includes('"active":true'),
  },
  'introspection by another client': {
    opens: [],
    present: (value) => postTo(server, '/oauth/introspect', { token: value }, basic(other)),
    isOpen: ({ body }) => body.includes('"active":true') || body.includes('"sub"'),
  },
  'the WeChat API': {
    opens: ['WeChat access token'],
    present: (value) => send(`${server.url}/sns/userinfo?access_token=${encodeURIComponent(value)}&openid=x`),
    isOpen: ({ body }) => body.includes('nickname'),
  },
  'the waiting page’s address': {
    opens: ['wait secret'],
    present: (value) => waiter(server, ticketId, value).status(),
    isOpen: isOk,
  },
  'the phone’s pages': {
    opens: ['phone session'],
    present: (value) => {
      const headers = { 'content-type': 'application/json', origin: server.url, cookie: `${cookieName()}=${value}` };
      return send(`${server.url}/phone/scan`, { method: 'POST', headers, body: '{"scan_token":"x","csrf":"x"}' });
    },
    isOpen: ({ status }) => status !== 401,
  },
  'the phone’s pages, as a bearer token': {
    opens: [],
    present: (value) => {
      const headers = { 'content-type': 'application/json', origin: server.url, authorization: `Bearer ${value}` };
      return send(`${server.url}/phone/scan`, { method: 'POST', headers, body: '{"scan_token":"x","csrf":"x"}' });
    },
    isOpen: ({ status }) => status !== 401,
  },
  'sign-out, as a hint': {
    opens: ['ID token'],
    present: (value) => send(`${server.url}/oauth/logout?id_token_hint=${encodeURIComponent(value)}`),
    isOpen: isOk,
  },
  'a QR code’s address': {
    opens: ['scan token'],
    present: (value) => send(`${server.url}/s/${value}`, { headers: { cookie: phone.cookie } }),
    isOpen: isOk,
  },
  'a client’s secret': {
    opens: ['client secret'],
    present: (value) => postTo(server, '/oauth/par', site.request().query, basic({ ...site, secret: value })),
    isOpen: ({ status }) => status === 201,
  },
  'a pushed request': {
    opens: ['pushed request'],
    present: (value) => {
      const query = { client_id: site.clientId, request_uri: `urn:ietf:params:oauth:request_uri:${value}` };
      return send(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`);
    },
    isOpen: ({ headers }) => String(headers.location).includes('/interaction/'),
  },
  // What these open is used up by it, so they come last.
  'the refresh grant': {
    opens: ['refresh token'],
    present: (value) => token({ grant_type: 'refresh_token', refresh_token: value }),
    isOpen: isOk,
  },
  'the code grant': {
    opens: ['code'],
    present: (value) =>
      token({ grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code: value, code_verifier: verifier }),
    isOpen: isOk,
  },
  'the device grant': {
    opens: ['device code'],
    present: (value) => token({ grant_type: DEVICE_GRANT, device_code: value }),
    isOpen: isOk,
  },
};

describe('T49 every kind of secret at every place', () => {
  it('opens nothing where it does not belong, and is not used up by being tried there', async () => {
    for (const [place, { opens, present, isOpen }] of Object.entries(PLACES)) {
      for (const [kind, value] of Object.entries(values)) {
        if (opens.includes(kind)) continue;
        const answer = await present(value);
        const what = `${kind} at ${place}`;
        expect([what, isOpen(answer)], `${answer.status} ${answer.body.slice(0, 200)}`).toEqual([what, false]);
        expect([what, answer.status < 500]).toEqual([what, true]);
        expect(answer.body, what).not.toMatch(/"(access_token|refresh_token|id_token|nickname)":/);
      }
    }
    for (const kind of Object.keys(values).filter(
      (one) => !['access token', 'access token of a key', 'refresh token'].includes(one),
    )) {
      const answer = await postTo(server, '/oauth/revoke', { token: String(values[kind]) }, basic(site));
      expect([kind, [200, 400].includes(answer.status)], answer.body).toEqual([kind, true]);
    }
  });

  it.each(Object.keys(PLACES))('opens what it is for, after all of that: %s', async (place) => {
    const { opens, present, isOpen } = PLACES[place] as Place;
    for (const kind of opens) {
      const answer = await present(String(values[kind]));
      expect([kind, isOpen(answer)], `${answer.status} ${answer.body.slice(0, 300)}`).toEqual([kind, true]);
    }
  });
});
