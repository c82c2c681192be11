import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Services } from '../../src/app.js';
import { clientCommands } from '../../src/cli/clients.js';
import { type Command, Options } from '../../src/cli/command.js';
import { newSecret } from '../../src/secret.js';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { findLeaks, tapWire, type Wire } from '../support/wire.js';

const SECRETS = ['secret', 'client_secret', 'access_token', 'refresh_token'];
const CODES = ['code', 'code_verifier'];

describe('a secret in a query string', () => {
  let server: TestApp;
  let wire: Wire;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    wire = tapWire();
    phone = await person(server.app, server);
  });
  afterAll(async () => {
    wire?.stop();
    await server?.stop();
  });

  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
  const basic = (site: OauthSite) => ({
    authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
  });
  const at = (
    path: string,
    query: Record<string, string>,
    more: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) => send(`${server.url}${path}?${new URLSearchParams(query)}`, { method: 'POST', ...more });
  const expectRefused = (what: string, { status, headers, body }: RawAnswer) => {
    expect([what, status, headers['content-type']]).toEqual([
      what,
      400,
      expect.stringMatching(/^(application\/json|text\/html)/),
    ]);
    expect(body, what).toContain('invalid_request');
    expect(headers['set-cookie'], what).toBeUndefined();
  };
  const grant = async (site: OauthSite, scope = 'openid profile') => {
    await forgetScans(server.database);
    const { query, verifier } = site.request({ scope });
    return { ...(await login(server, phone, query)), verifier };
  };
  /** What the administrator is shown, by both commands. */
  const shown = async (clientId: string) => {
    const ask = (command: Command, args: string[]) =>
      command.prepare(Options.parse(args, command))(server.app as unknown as Services);
    const show = await ask(clientCommands.show, [clientId]);
    const list = await ask(clientCommands.list, []);
    const line = list.text.split('\n').find((text) => text.startsWith(clientId)) ?? '';
    return { show, list, line };
  };
  const isExposed = async (clientId: string) => (await shown(clientId)).line.includes('secret exposed: rotate it');
  const audits = (clientId: string) =>
    server.database.sql('SELECT actor, detail FROM audit_event WHERE action = $1 AND target = $2', [
      'client.secret-exposed',
      clientId,
    ]);
  const warnings = (clientId: string) =>
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"') && line.includes(clientId));

  it('T55 is not for any other method than POST: the token and the PAR endpoint say so', async () => {
    const site = await oauthSite(server.app, server);
    const { code, verifier } = await grant(site);
    const query = { grant_type: 'authorization_code', client_id: site.clientId, client_secret: site.secret, code };
    for (const path of ['/oauth/token', '/oauth/par']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
        for (const asked of [query, {}]) {
          const answer = await at(path, asked, { method });
          expect([path, method, answer.status, answer.headers.allow]).toEqual([path, method, 405, 'POST']);
          if (method !== 'HEAD') expect(answer.json().error).toBe('method_not_allowed');
        }
      }
    }
    expect(await isExposed(site.clientId)).toBe(true);
    expect((await site.exchange(code, verifier)).status).toBe(200);
  });

  it('T55 has its methods told at the other addresses of the engine as well', async () => {
    for (const [path, allow] of [
      ['/oauth/authorize', 'GET, HEAD, POST'],
      ['/oauth/jwks', 'GET, HEAD'],
      ['/oauth/userinfo', 'GET, HEAD, POST'],
      ['/oauth/logout', 'GET, HEAD, POST'],
      ['/oauth/introspect', 'POST'],
      ['/.well-known/openid-configuration', 'GET, HEAD'],
    ] as const) {
      const { status, headers } = await at(path, {}, { method: 'DELETE' });
      expect([path, status, headers.allow]).toEqual([path, 405, allow]);
    }
  });

  it('T55 is refused by every name it may have, at every address but those of the WeChat dialect', async () => {
    const { query } = (await oauthSite(server.app, server)).request();
    const page = await openPage(server, query);
    const address: Array<[string, string, string[]]> = [
      ['POST', '/oauth/token', [...SECRETS, ...CODES]],
      ['POST', '/oauth/par', [...SECRETS, ...CODES]],
      ['POST', '/oauth/userinfo', [...SECRETS, ...CODES]],
      ['GET', '/oauth/userinfo', [...SECRETS, ...CODES]],
      ['GET', '/oauth/authorize', [...SECRETS, ...CODES]],
      ['GET', '/oauth/jwks', [...SECRETS, ...CODES]],
      ['GET', '/.well-known/openid-configuration', SECRETS],
      ['GET', `/api/qr/tickets/${page.ticketId}`, [...SECRETS, ...CODES]],
      ['POST', `/API/qr/tickets/${page.ticketId}/redeem`, [...SECRETS, ...CODES]],
      ['DELETE', `/api/qr/tickets/${page.ticketId}`, [...SECRETS, ...CODES]],
      ['GET', '/connect/qrconnect', SECRETS],
      ['GET', '/', SECRETS],
      ['GET', '/nowhere', SECRETS],
      ['POST', '/phone/sign-in', SECRETS],
    ];
    for (const [method, path, names] of address) {
      for (const name of names) {
        for (const value of [newSecret(), '']) {
          const headers = { authorization: `Bearer ${page.waitSecret}` };
          const answer = await at(path, { ...query, [name]: value }, { method, headers });
          expectRefused(`${method} ${path} ${name}`, answer);
        }
      }
    }
    expect((await page.status()).json()).toMatchObject({ status: 'pending' });
  });

  it('T55 uses nothing up: code, verifier and tokens that came so are as good as before', async () => {
    const site = await oauthSite(server.app, server);
    const { code, verifier } = await grant(site);
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      redirect_uri: REDIRECT_URI,
      code,
      code_verifier: verifier,
    });
    const headers = { ...FORM, ...basic(site) };
    const all: Record<string, string> = { code, code_verifier: verifier };
    for (const query of [all, { code }, { code_verifier: verifier }]) {
      // Even when the body is right as well: sent so, it is no request.
      for (const form of [body.toString(), 'grant_type=authorization_code']) {
        expectRefused('code', await at('/oauth/token', query, { headers, body: form }));
      }
    }
    const issued = await site.exchange(code, verifier);
    expect(issued.status).toBe(200);
    const { access_token: token } = issued.json<Record<string, string>>();
    const userinfo = { method: 'GET' };
    expectRefused('access token', await at('/oauth/userinfo', { access_token: token as string }, userinfo));
    expect((await site.userinfo(token as string)).status).toBe(200);
    expect(await isExposed(site.clientId)).toBe(false);
  });

  it('T55 refuses a refresh token so, and leaves it alone', async () => {
    const site = await oauthSite(server.app, server);
    const { code, verifier } = await grant(site, 'openid offline_access');
    const first = (await site.exchange(code, verifier)).json<{ refresh_token: string }>().refresh_token;
    const form = { headers: { ...FORM, ...basic(site) }, body: 'grant_type=refresh_token' };
    expectRefused('refresh token', await at('/oauth/token', { refresh_token: first }, form));
    expect((await site.refresh(first)).status).toBe(200);
  });

  it('T55 leaves alone what is ignored at the page, and what the WeChat API takes there', async () => {
    const [cafe, shop] = [await oauthSite(server.app, server), await wechatSite(server.app, server)];
    await openPage(server, { ...cafe.request().query, code: newSecret() });
    const stray = Object.fromEntries([...CODES, 'access_token', 'refresh_token'].map((name) => [name, newSecret()]));
    await openPage(server, shop.request({ ...stray, client_id: cafe.clientId }));
    await forgetScans(server.database);
    const { code } = await login(server, phone, shop.request());
    expect((await shop.exchange(code)).json()).toHaveProperty('access_token');
    expect(await isExposed(shop.clientId)).toBe(false);
    expect(await audits(shop.clientId)).toEqual([]);
  });

  it('T55 marks the app secret that a page was opened with, and opens the page', async () => {
    const shop = await wechatSite(server.app, server);
    await openPage(server, shop.request({ secret: shop.secret }));
    expect(await isExposed(shop.clientId)).toBe(true);
  });

  it("T55 marks an oauth client's secret that was tried at the WeChat API", async () => {
    const site = await oauthSite(server.app, server);
    const query = { appid: site.clientId, secret: site.secret, code: 'c', grant_type: 'authorization_code' };
    // In a body it is in the wrong place, but in no log.
    const body = new URLSearchParams(query).toString();
    expect((await at('/sns/oauth2/access_token', {}, { headers: FORM, body })).json()).toMatchObject({
      errcode: 40013,
    });
    expect(await isExposed(site.clientId)).toBe(false);
    expect((await at('/sns/oauth2/access_token', query)).json()).toMatchObject({ errcode: 40013 });
    expect(await isExposed(site.clientId)).toBe(true);
    expect(warnings(site.clientId)).toHaveLength(1);
  });

  it.each<[string, (site: OauthSite) => Promise<RawAnswer>]>([
    ['the query', (site) => at('/oauth/token', { client_id: site.clientId, client_secret: site.secret })],
    ['the query of a GET', (site) => at('/', { client_id: site.clientId, secret: site.secret }, { method: 'GET' })],
    ['the header', (site) => at('/oauth/par', { client_secret: site.secret }, { headers: basic(site) })],
    [
      'the body',
      (site) =>
        at(
          '/oauth/token',
          { client_secret: site.secret },
          { headers: FORM, body: `client_id=${site.clientId}&code=x` },
        ),
    ],
    ['appid', (site) => at('/api/qr/tickets/x', { appid: site.clientId, secret: site.secret }, { method: 'GET' })],
    [
      'the query, beside another secret',
      (site) => at('/oauth/token', { client_id: site.clientId, client_secret: 'other', secret: site.secret }),
    ],
  ])('T55 is exposed from then on, once, and the administrator is told: client named in %s', async (_, expose) => {
    const site = await oauthSite(server.app, server);
    expect(await isExposed(site.clientId)).toBe(false);
    expectRefused('secret', await expose(site));
    const before = await server.database.sql('SELECT secrets, updated_at FROM client WHERE id = $1', [site.clientId]);
    await Promise.all(Array.from({ length: 20 }, () => expose(site)));
    const after = await server.database.sql('SELECT secrets, updated_at FROM client WHERE id = $1', [site.clientId]);
    expect(after).toEqual(before);
    expect(await audits(site.clientId)).toEqual([{ actor: 'server', detail: { secret_of: expect.any(String) } }]);
    expect(warnings(site.clientId)).toHaveLength(1);
    const { show, list, line } = await shown(site.clientId);
    expect(line).toContain('secret exposed: rotate it');
    const fix = `clients rotate-secret ${site.clientId}`;
    expect(warnings(site.clientId)[0]).toContain(fix);
    for (const text of [show.text, list.text]) expect(text).toContain(fix);
    expect(show.json).toMatchObject({ secrets: [{ exposed_at: expect.any(String) }] });
    // It still works: the site is told, not broken.
    expect((await site.exchange('unknown', 'x'.repeat(43))).json().error).toBe('invalid_grant');
  });

  it('T55 is found behind other values, in either name, under a client named twice', async () => {
    const name = (site: OauthSite) => `client_id=${site.clientId}`;
    for (const spell of [
      (site: OauthSite) => `/oauth/token?${name(site)}&client_secret=x&client_secret=y&client_secret=${site.secret}`,
      (site: OauthSite) => `/oauth/token?client_id=no&${name(site)}&client_secret=${site.secret}`,
      (site: OauthSite) => `/sns/oauth2/access_token?appid=${site.clientId}&client_secret=${site.secret}`,
    ]) {
      const site = await oauthSite(server.app, server);
      await send(server.url + spell(site), { method: 'POST' });
      expect(await isExposed(site.clientId)).toBe(true);
    }
    const site = await oauthSite(server.app, server);
    const { secret: fresh } = await server.app.clients.rotateSecret('test', site.clientId, 3600);
    await at('/oauth/token', { client_id: site.clientId, client_secret: site.secret });
    await at('/oauth/token', { client_id: site.clientId, client_secret: site.secret, secret: String(fresh) });
    expect(await audits(site.clientId)).toHaveLength(2);
  });

  it('T55 is exposed once when it comes twenty times at once', async () => {
    const site = await oauthSite(server.app, server);
    const query = { client_id: site.clientId, client_secret: site.secret };
    await Promise.all(Array.from({ length: 20 }, () => at('/oauth/token', query)));
    expect(await audits(site.clientId)).toHaveLength(1);
    expect(warnings(site.clientId)).toHaveLength(1);
  });

  it('T55 is over when the secret is replaced, and the grace with it', async () => {
    const site = await oauthSite(server.app, server);
    await at('/oauth/token', { client_id: site.clientId, client_secret: site.secret });
    await server.app.clients.rotateSecret('test', site.clientId, 3600);
    const { show, line } = await shown(site.clientId);
    expect(line).toMatch(/active$/);
    expect(show.text).toContain('old secret was sent in a query string');
    await server.app.clients.rotateSecret('test', site.clientId, 3600);
    expect((await shown(site.clientId)).show.text).not.toContain('query string');
  });

  it('T55 marks nobody for a secret that is wrong, over, or another client’s', async () => {
    const [site, other] = [await oauthSite(server.app, server), await oauthSite(server.app, server)];
    await server.app.clients.rotateSecret('test', site.clientId, 0);
    for (const client_secret of [newSecret(), site.secret, other.secret, '', 'held-as-a-hash']) {
      expectRefused(client_secret, await at('/oauth/token', { client_id: site.clientId, client_secret }));
    }
    for (const client_id of ['unknown', '', 'a\u0000b', '%', 'x'.repeat(3000)]) {
      expectRefused(client_id, await at('/oauth/token', { client_id, client_secret: other.secret }));
    }
    for (const { clientId } of [site, other]) {
      expect(await isExposed(clientId)).toBe(false);
      expect(await audits(clientId)).toEqual([]);
    }
  });

  it('T55 is in no log, whatever was sent', () => {
    for (const name of ['secret', 'client_secret', 'code', 'code_verifier', 'access_token', 'refresh_token']) {
      expect([...wire.secrets.keys()]).toContain(name);
    }
    expect(server.log()).toContain('came in a query string');
    expect(findLeaks(server.log(), wire.secrets)).toEqual([]);
  });
});
