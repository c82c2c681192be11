/** T93: what the WeChat dialect allows weakens nothing else, and is never out of sight of whoever runs the server. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Services } from '../../src/app.js';
import { clientCommands } from '../../src/cli/clients.js';
import { Options } from '../../src/cli/command.js';
import { newProof } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { oauthSite, REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp, until } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { findLeaks } from '../support/wire.js';

const API = ['oauth2/access_token', 'oauth2/refresh_token', 'auth', 'userinfo'].map((path) => `/sns/${path}`);
/** Every name that a client of either dialect puts into an address of this dialect (wire format 1.1, 4, 7.1). */
const NAMES = [
  ...['appid', 'secret', 'code', 'grant_type', 'refresh_token', 'access_token', 'openid', 'unionid', 'lang', 'scope'],
  ...['redirect_uri', 'state', 'code_challenge', 'code_verifier', 'client_id', 'client_secret', 'client_assertion'],
  ...['appId', 'app_secret', 'token', 'id_token', 'password', 'nonce', 'href', 'uuid', '_oauthstate', 'unknown'],
];
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the compatible profile', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const errcode = async (answer: Promise<RawAnswer>) => (await answer).json().errcode as number | undefined;

  const lines = () => server.log().split('"msg":"request"').length;

  it('T93 logs no value of any parameter of its addresses, wherever the parameter stands', async () => {
    const before = lines();
    const sent = new Map<string, Set<string>>();
    /** A value of its own for each place, so that a leak names where it came from. */
    const value = (place: string) => {
      const made = randomBytes(24).toString('base64url');
      sent.set(place, new Set([made]));
      return made;
    };
    for (const path of [...API, '/connect/qrconnect', '/connect/l/qrconnect', '/js/wxLogin.js', '/sns/nowhere']) {
      for (const name of NAMES) {
        const query = new URLSearchParams({ [name]: value(`${name} in the query of ${path}`) });
        await send(`${server.url}${path}?${query}`);
        const body = new URLSearchParams({ [name]: value(`${name} in the form of ${path}`) }).toString();
        await send(server.url + path, { method: 'POST', headers: FORM, body });
      }
      const headers = {
        authorization: `Bearer ${value(`Bearer at ${path}`)}`,
        cookie: `phone=${value(`cookie at ${path}`)}`,
        referer: `https://rp.example/?code=${value(`referer at ${path}`)}`,
        'user-agent': value(`user agent at ${path}`),
      };
      await send(`${server.url}${path}?%zz=${value(`a broken escape at ${path}`)}`, { headers });
    }
    // Two requests for each name, and the last one of each address.
    const requests = 8 * (2 * NAMES.length + 1);
    await until(() => lines() - before >= requests, 'not everything was logged');
    expect(findLeaks(server.log(), sent)).toEqual([]);
  });

  it('T93 logs nothing of a whole sign-in with every value right', async () => {
    const { verifier, ...proof } = newProof();
    const state = randomBytes(24).toString('base64url');
    const { code } = await login(server, phone, site.request({ ...proof, state }));
    const tokens = (await site.exchange(code, { code_verifier: verifier })).json<Record<string, string>>();
    const { access_token = '', refresh_token = '', openid = '', unionid = '' } = tokens;
    await site.userinfo(access_token, { openid });
    await site.auth(access_token, openid);
    await site.refresh(refresh_token, { secret: site.secret });
    await site.exchange(code, { code_verifier: verifier });
    const all = { code, verifier, state, access_token, refresh_token, openid, unionid, secret: site.secret };
    const log = server.log();
    expect(log).toContain('/sns/oauth2/refresh_token');
    expect(findLeaks(log, new Map(Object.entries(all).map(([name, one]) => [name, new Set([one])])))).toEqual([]);
    expect(log).not.toContain('/connect/qrconnect?');
  });

  it('T93 enforces a challenge that was sent, and takes no verifier without one', async () => {
    const { verifier, ...proof } = newProof();
    const { code } = await login(server, phone, site.request(proof));
    expect(await errcode(site.exchange(code))).toBe(40029);
    expect(await errcode(site.exchange(code, { code_verifier: newProof().verifier }))).toBe(40029);
    expect(await errcode(site.exchange(code, { code_verifier: verifier }))).toBeUndefined();
    const { code: plain } = await login(server, phone, site.request());
    expect(await errcode(site.exchange(plain, { code_verifier: verifier }))).toBe(40029);
    expect(await errcode(site.exchange(plain))).toBeUndefined();
  });

  it('T93 is off unless it is chosen: a client registered without a dialect is none of its clients', async () => {
    const { client, warnings } = await server.app.clients.register('test', {
      name: 'New',
      redirectUris: [REDIRECT_URI],
    });
    expect([client.dialect, warnings]).toEqual(['oauth', []]);
    const query = new URLSearchParams(site.request({ appid: client.id }));
    expect((await send(`${server.url}/connect/qrconnect?${query}`)).body).toContain('content="wechat_appid"');
    for (const path of API.slice(0, 2)) {
      expect(await errcode(send(`${server.url}${path}?appid=${client.id}&secret=x&grant_type=x`))).toBe(40013);
    }
  });

  it('T93 leaves an audit row that names the dialect when such a client is registered', async () => {
    const { clientId, secret } = await wechatSite(server.app, server, { name: 'Audited' });
    const rows = await server.database.sql<{ actor: string; action: string; detail: object }>(
      'SELECT actor, action, detail FROM audit_event WHERE target = $1',
      [clientId],
    );
    expect(rows).toMatchObject([
      { actor: 'test', action: 'client.create', detail: { name: 'Audited', dialect: 'wechat' } },
    ]);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('T93 warns of it each time the client is looked at, and says what it is', async () => {
    const shown = async (id: string) => {
      const services = { clients: server.app.clients } as unknown as Services;
      return clientCommands.show.prepare(Options.parse([id], clientCommands.show))(services);
    };
    for (let again = 0; again < 2; again += 1) {
      const { text, json } = await shown(site.clientId);
      const { warnings } = json as { warnings: string[] };
      expect(warnings.join('\n')).toMatch(/secret and tokens in query strings/);
      expect(warnings.join('\n')).toMatch(/without state/);
      expect(warnings.join('\n')).toMatch(/without the secret/);
      for (const warning of warnings) expect(text).toContain(`Note: ${warning}.`);
    }
    // The first of them stays, however strict the client is.
    const settings = { refreshRequiresSecret: true, stateRequired: true, openidRequired: true };
    const strict = await wechatSite(server.app, server, settings);
    expect(((await shown(strict.clientId)).json as { warnings: string[] }).warnings).toEqual([
      expect.stringMatching(/secret and tokens in query strings/),
    ]);
    const cafe = await oauthSite(server.app, server);
    expect(((await shown(cafe.clientId)).json as { warnings: string[] }).warnings).toEqual([]);
  });
});
