/** T52: what was ended at one node is over at the other with its next request: no cache, no token that speaks for itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { type RawAnswer, send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { basic, postTo } from '../support/signing-site.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { forgetScans, person } from '../support/story.js';

type Tokens = Record<'access_token' | 'refresh_token' | 'id_token', string>;

const ORDERS = 'https://orders.example';
const STOCK = 'https://stock.example';

let cluster: Cluster;
let site: OauthSite;
let api: OauthSite;
let phone: Phone & { accountId: string; username: string };
beforeAll(async () => {
  cluster = await startCluster();
  const { app } = cluster.registry;
  api = await oauthSite(app, cluster.a, { name: 'Stock API' });
  await app.resources.register('test', { identifier: ORDERS, name: 'Orders', scopes: [{ name: 'read' }] });
  await app.resources.register('test', {
    identifier: STOCK,
    name: 'Stock',
    scopes: [{ name: 'count' }],
    tokenFormat: 'opaque',
    introspectedBy: [api.clientId],
  });
});
afterAll(() => cluster?.stop());
beforeEach(async () => {
  const { app } = cluster.registry;
  site = await oauthSite(app, cluster.a, {
    scope: 'openid profile unionid offline_access read count',
    postLogoutRedirectUris: [REDIRECT_URI],
  });
  phone = await person(app, cluster.registry);
});

const signIn = async (more: Record<string, string> = {}, remember = false) => {
  await forgetScans(cluster.registry.database);
  const browser = new StandardBrowser(cluster.a);
  const { query, verifier } = site.request({ scope: 'openid profile offline_access', prompt: 'consent', ...more });
  const { answer } = await browser.signInByPhone(browser.authorizeUrl(query), phone, { remember });
  return { browser, verifier, code: String(answer.code) };
};
const tokensOf = async ({ code, verifier }: { code: string; verifier: string }) => {
  const answer = await site.exchange(code, verifier, {}, cluster.a);
  expect(answer.status, answer.body).toBe(200);
  return answer.json<Tokens & Record<string, unknown>>();
};
const revoke = async (token: string, more: Record<string, string> = {}, by = site) =>
  (await postTo(cluster.a, '/oauth/revoke', { token, ...more }, basic(by))).status;
const isActive = async (token: string, by = site, where = cluster.b) =>
  (await postTo(where, '/oauth/introspect', { token }, basic(by))).json().active;
const isDead = async ({ access_token: access, refresh_token: refresh }: Tokens) => {
  const refreshed = await site.refresh(refresh, {}, cluster.b);
  expect([refreshed.status, (await site.userinfo(access, cluster.b)).status]).toEqual([
    expect.toBeOneOf([400, 401]),
    401,
  ]);
  expect(refreshed.body).not.toContain('access_token');
};
/** Both nodes have read everything just now, so whatever they could keep they have. */
const warm = async ({ access_token: access, refresh_token: refresh }: Tokens) => {
  for (const node of [cluster.a, cluster.b]) {
    for (let i = 0; i < 3; i += 1) expect((await site.userinfo(access, node)).status).toBe(200);
    expect(await isActive(refresh, site, node)).toBe(true);
  }
};

describe('T52 what is revoked at one node', () => {
  it('is refused by the other at once: an access token', async () => {
    for (let round = 0; round < 5; round += 1) {
      const tokens = await tokensOf(await signIn());
      await warm(tokens);
      expect(await revoke(tokens.access_token)).toBe(200);
      expect((await site.userinfo(tokens.access_token, cluster.b)).status).toBe(401);
      expect(await isActive(tokens.access_token)).toBe(false);
    }
  });

  it('is refused by the other at once: a refresh token, and what was made with it', async () => {
    for (const hint of [undefined, 'refresh_token', 'access_token', 'nonsense']) {
      const tokens = await tokensOf(await signIn());
      await warm(tokens);
      expect(await revoke(tokens.refresh_token, hint === undefined ? {} : { token_type_hint: hint })).toBe(200);
      await isDead(tokens);
      for (const token of [tokens.access_token, tokens.refresh_token]) expect(await isActive(token)).toBe(false);
    }
  });

  it('is revoked by its own client alone, and nobody hears whose it was', async () => {
    const tokens = await tokensOf(await signIn());
    for (const token of [tokens.access_token, tokens.refresh_token, 'x'.repeat(43)]) {
      const answers = [api, { ...api, secret: 'wrong' }].map((by) =>
        postTo(cluster.a, '/oauth/revoke', { token }, basic(by)),
      );
      const [other, nobody] = (await Promise.all(answers)) as [RawAnswer, RawAnswer];
      // Whoever holds a token of another's hears that it is another's (RFC 7009 2.1), and no more.
      expect([other.status, nobody.status]).toEqual([token.startsWith('xx') ? 200 : 400, 401]);
      expect(other.body).not.toContain(site.clientId);
    }
    await warm(tokens);
  });
});

describe('T52 whoever is cut off at one node', () => {
  it('is refused by the other at once: a client, with its codes, tokens, pushed requests, pages and devices', async () => {
    const tokens = await tokensOf(await signIn());
    const code = await signIn();
    const pushed = await postTo(cluster.a, '/oauth/par', site.request().query, basic(site));
    const open = new StandardBrowser(cluster.b);
    const page = await open.open(open.authorizeUrl(site.request().query));
    await warm(tokens);
    await cluster.registry.app.clients.disable('test', site.clientId);
    await isDead(tokens);
    expect((await site.exchange(code.code, code.verifier, {}, cluster.b)).status).toBe(401);
    const reference = { client_id: site.clientId, request_uri: String(pushed.json().request_uri) };
    for (const query of [reference, site.request().query]) {
      const answer = await send(open.authorizeUrl(query), { port: cluster.b.port });
      expect([answer.status, answer.headers.location]).toEqual([400, undefined]);
    }
    await expect(open.answerByPhone(page, phone)).rejects.toThrow(/failed: 4\d\d/);
    for (const path of ['/oauth/par', '/oauth/introspect', '/oauth/revoke', '/oauth/device']) {
      expect((await postTo(cluster.b, path, { token: tokens.access_token }, basic(site))).status, path).toBe(401);
    }
    await cluster.registry.app.clients.enable('test', site.clientId);
    expect((await site.userinfo(tokens.access_token, cluster.b)).status).toBe(200);
  });

  it('is refused by the other at once: an account, with its tokens, codes and browsers', async () => {
    const kept = await signIn({}, true);
    const tokens = await tokensOf(kept);
    const code = await signIn();
    await warm(tokens);
    await cluster.registry.app.accounts.disable('test', phone.username);
    await isDead(tokens);
    expect((await site.exchange(code.code, code.verifier, {}, cluster.b)).status).toBe(400);
    for (const token of [tokens.access_token, tokens.refresh_token]) expect(await isActive(token)).toBe(false);
    const there = kept.browser.copy(cluster.b);
    const silent = await there.get(there.authorizeUrl(site.request({ prompt: 'none' }).query));
    expect(String(silent.headers.location)).toContain('error=login_required');
  });

  it('is refused by the other at once: a browser that signed out, a phone that did', async () => {
    const kept = await signIn({ scope: 'openid profile', prompt: 'login' }, true);
    const tokens = await tokensOf(kept);
    for (const node of [cluster.a, cluster.b])
      expect((await site.userinfo(tokens.access_token, node)).status).toBe(200);
    const asked = await kept.browser.get(`${cluster.a.url}/oauth/logout?id_token_hint=${tokens.id_token}`);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.body)?.[1] ?? '';
    // A copy of the browser's cookies from before: somebody who stole them, at the other node.
    const stolen = kept.browser.copy(cluster.b);
    expect((await kept.browser.postForm('/oauth/logout/confirm', { xsrf, logout: 'yes' })).status).toBe(303);
    const silent = stolen.authorizeUrl(site.request({ prompt: 'none' }).query);
    expect(String((await stolen.get(silent)).headers.location)).toContain('error=login_required');
    expect((await site.userinfo(tokens.access_token, cluster.b)).status).toBe(401);

    const again = await signIn({ scope: 'openid profile', prompt: 'login' }, true);
    const next = await tokensOf(again);
    expect((await site.userinfo(next.access_token, cluster.b)).status).toBe(200);
    expect((await phone.post('/phone/sign-out', {})).status).toBe(200);
    expect(String((await again.browser.copy(cluster.b).get(silent)).headers.location)).toContain(
      'error=login_required',
    );
  });
});

describe('T52 a token for an API', () => {
  it('that is a JWT opens nothing of ours, and is not made again once it was revoked', async () => {
    const tokens = await tokensOf(await signIn({ scope: 'openid offline_access read', resource: ORDERS }));
    expect(tokens.access_token.split('.')).toHaveLength(3);
    expect((await site.userinfo(tokens.access_token, cluster.b)).status).toBe(401);
    expect(await revoke(tokens.refresh_token)).toBe(200);
    expect((await site.refresh(tokens.refresh_token, {}, cluster.b)).json().error).toBe('invalid_grant');
  });

  it('that is opaque is not active for the API from the next question on', async () => {
    const ends: Array<[string, (tokens: Tokens) => Promise<unknown>]> = [
      ['token', ({ access_token: token }) => revoke(token)],
      ['refresh token', ({ refresh_token: token }) => revoke(token)],
      ['resource', () => cluster.registry.app.resources.disable('test', STOCK)],
      ['client', () => cluster.registry.app.clients.disable('test', site.clientId)],
      ['account', () => cluster.registry.app.accounts.disable('test', phone.username)],
    ];
    for (const [what, end] of ends) {
      const tokens = await tokensOf(await signIn({ scope: 'openid offline_access count', resource: STOCK }));
      for (const node of [cluster.a, cluster.b])
        expect([what, await isActive(tokens.access_token, api, node)]).toEqual([what, true]);
      await end(tokens);
      expect([what, await isActive(tokens.access_token, api)]).toEqual([what, false]);
      await cluster.registry.app.resources.enable('test', STOCK);
      await cluster.registry.app.clients.enable('test', site.clientId);
    }
  });
});
