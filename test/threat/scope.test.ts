/** T54: no site gets more than it is registered for, than its person saw, or than it had before. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { postToken } from '../support/door.js';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const TEXTS = JSON.parse(readFileSync(join(projectRoot, 'locales/en.json'), 'utf8')) as Record<string, string>;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

type Tokens = Record<'access_token' | 'refresh_token' | 'id_token' | 'scope', string>;

describe('what a site may ask for', () => {
  let server: TestApp;
  let phone: Phone;
  /** Registered for `openid` alone, and for that and lasting access. */
  let narrow: OauthSite;
  let lasting: OauthSite;
  let wide: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
    narrow = await oauthSite(server.app, server, { scope: 'openid' });
    lasting = await oauthSite(server.app, server, { scope: 'openid offline_access' });
    wide = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const requests = async () =>
    (await server.database.sql("SELECT 1 FROM ticket UNION ALL SELECT 1 FROM engine_record WHERE kind = 'Interaction'"))
      .length;
  const tokensOf = async (site: OauthSite, more: Record<string, string>) => {
    const { query, verifier } = site.request(more);
    const { code } = await login(server, phone, query);
    return (await site.exchange(code, verifier)).json<Tokens>();
  };
  const claimsOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>;

  it.each(['openid profile', 'openid unionid', 'openid offline_access', 'openid snsapi_login', 'profile openid'])(
    'T54 answers invalid_scope to %j from a site registered for openid, and opens nothing',
    async (scope) => {
      const { query } = narrow.request({ scope });
      const before = await requests();
      const page = await send(`${server.url}/connect/qrconnect?${new URLSearchParams(query)}`);
      expect([page.status, page.headers.location]).toEqual([400, undefined]);
      expect(page.body).toContain('content="invalid_scope"');
      expect(page.body).not.toContain('waitSecret');
      // Without it the engine leaves lasting access out instead of refusing it (OpenID Connect Core 11).
      const lastingly = new URLSearchParams({ ...query, prompt: 'consent' });
      const sent = await send(`${server.url}/oauth/authorize?${lastingly}`);
      expect(new URL(String(sent.headers.location)).searchParams.get('error')).toBe('invalid_scope');
      const pushed = await send(`${server.url}/oauth/par`, {
        method: 'POST',
        headers: {
          ...FORM,
          authorization: `Basic ${Buffer.from(`${narrow.clientId}:${narrow.secret}`).toString('base64')}`,
        },
        body: lastingly.toString(),
      });
      expect([pushed.status, pushed.json().error]).toEqual([400, 'invalid_scope']);
      expect(await requests()).toBe(before);
    },
  );

  it('T54 a site registered for every scope does not get those of the other dialect either', async () => {
    const { query } = wide.request({ scope: 'openid snsapi_login' });
    const page = await send(`${server.url}/connect/qrconnect?${new URLSearchParams(query)}`);
    expect([page.status, page.body.includes('waitSecret')]).toEqual([400, false]);
  });

  it('T54 gives no more than was asked and registered: no claim beyond openid', async () => {
    const tokens = await tokensOf(narrow, { scope: 'openid' });
    expect(tokens.scope).toBe('openid');
    expect(tokens).not.toHaveProperty('refresh_token');
    const claims = Object.keys(claimsOf(tokens.id_token)).sort();
    expect(claims).toEqual(['acr', 'amr', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'nonce', 'sub']);
    const profile = (await narrow.userinfo(tokens.access_token)).json();
    expect(profile).toEqual({ sub: claimsOf(tokens.id_token).sub });
  });

  it('T54 answers a refresh that asks for more with 400, and one that asks for less with less', async () => {
    const tokens = await tokensOf(lasting, { scope: 'openid offline_access' });
    const { refresh_token } = tokens;
    for (const scope of ['openid offline_access profile', 'profile', 'openid unionid', 'openid snsapi_login']) {
      const answer = await lasting.refresh(refresh_token, { scope });
      expect([scope, answer.status, answer.json().error]).toEqual([scope, 400, 'invalid_scope']);
    }
    const less = (await lasting.refresh(refresh_token, { scope: 'openid' })).json<Tokens>();
    expect(less.scope).toBe('openid');
    expect((await lasting.userinfo(less.access_token)).json()).not.toHaveProperty('nickname');
    // A code brings what its request asked for, whatever the exchange says.
    const { query, verifier } = wide.request({ scope: 'openid' });
    const { code } = await login(server, phone, query);
    const answer = await postToken(server, wide, { code, code_verifier: verifier, scope: 'openid profile' });
    expect(answer.json()).toMatchObject({ scope: 'openid' });
  });

  it('T54 shows on the phone what a second login asks beyond the first', async () => {
    const english = { headers: { cookie: phone.cookie, 'accept-language': 'en' } };
    const shown = async (scope: string) => {
      const page = await openPage(server, wide.request({ scope }).query);
      const { body } = await send(server.url + new URL(page.qr).pathname, english);
      const scanned = await phone.scan(page.qr);
      expect(scanned.answer.json()).toMatchObject({ request: { scope } });
      await phone.confirm(scanned, (await page.status()).json<{ match_code: string }>().match_code);
      expect((await page.redeem()).status).toBe(200);
      return ['openid', 'profile', 'unionid', 'offline_access'].filter((one) =>
        body.includes(TEXTS[`scope.${one}`] as string),
      );
    };
    expect(await shown('openid')).toEqual(['openid']);
    expect(await shown('openid profile')).toEqual(['openid', 'profile']);
    const all = 'openid profile unionid offline_access';
    expect(await shown(all)).toEqual(all.split(' '));
  });

  it('T54 leaves out a scope that does not exist: on the phone, in the token, at userinfo', async () => {
    const { query, verifier } = wide.request({ scope: 'openid email phone admin' });
    const page = await openPage(server, query);
    const scanned = await phone.scan(page.qr);
    expect(scanned.answer.json()).toMatchObject({ request: { scope: 'openid' } });
    await phone.confirm(scanned, (await page.status()).json<{ match_code: string }>().match_code);
    const { code } = (await page.redeem()).json<{ code: string }>();
    const tokens = (await wide.exchange(code, verifier)).json<Tokens>();
    expect(tokens).toMatchObject({ scope: 'openid' });
    expect(Object.keys((await wide.userinfo(tokens.access_token)).json())).toEqual(['sub']);
  });

  it('T54 the claims parameter fetches nothing, at either door', async () => {
    const wanted = Object.fromEntries(
      ['nickname', 'name', 'picture', 'unionid', 'address', 'email'].map((name) => [name, { essential: true }]),
    );
    const claims = JSON.stringify({ userinfo: wanted, id_token: { ...wanted, sub: { value: 'somebody' } } });
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata.claims_parameter_supported ?? false).toBe(false);
    const plain = await tokensOf(wide, { scope: 'openid' });
    const asking = await tokensOf(wide, { scope: 'openid', claims });
    expect(Object.keys(claimsOf(asking.id_token))).toEqual(Object.keys(claimsOf(plain.id_token)));
    const userinfo = async (tokens: Tokens) => Object.keys((await wide.userinfo(tokens.access_token)).json()).sort();
    expect(await userinfo(asking)).toEqual(await userinfo(plain));
    const atEngine = wide.request({ scope: 'openid', claims }).query;
    await send(`${server.url}/oauth/authorize?${new URLSearchParams(atEngine)}`);
    expect(
      await server.database.sql(
        "SELECT 1 FROM engine_record WHERE kind = 'Interaction' AND payload::text LIKE '%essential%'",
      ),
    ).toEqual([]);
  });

  it.each([
    'snsapi_login,snsapi_userinfo',
    'snsapi_login openid profile',
    'snsapi_login,openid,offline_access,unionid',
  ])('T54 a WeChat site that asks for %s gets snsapi_login and no more', async (scope) => {
    const site = await wechatSite(server.app, server);
    const of = async (asked: string) => {
      const page = await openPage(server, site.request({ scope: asked }));
      const scanned = await phone.scan(page.qr);
      expect(scanned.answer.json()).toMatchObject({ request: { scope: 'snsapi_login' } });
      await phone.confirm(scanned, (await page.status()).json<{ match_code: string }>().match_code);
      const tokens = (await site.exchange((await page.redeem()).json<{ code: string }>().code)).json<Tokens>();
      return { tokens, profile: (await site.userinfo(tokens.access_token)).json() };
    };
    const [plain, asking] = [await of('snsapi_login'), await of(scope)];
    expect(asking.tokens.scope).toBe('snsapi_login');
    expect(Object.keys(asking.tokens)).toEqual(Object.keys(plain.tokens));
    expect(asking.profile).toEqual(plain.profile);
    expect((await wide.userinfo(asking.tokens.access_token)).status).toBeGreaterThanOrEqual(400);
  });
});
