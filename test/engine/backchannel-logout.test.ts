import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { logLogoutTokens, notifyLogout } from '../../src/engine/backchannel.js';
import { hashSecret } from '../../src/secret.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { type Received, type Sink, startSink } from '../support/sink.js';
import { type Arrival, postedForm, StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const BYE = 'http://127.0.0.1:9/bye';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What the log was told, as one text for looking through. */
interface Entry {
  level: 'info' | 'warn';
  fields: Record<string, unknown>;
}

describe('back-channel logout (OpenID Connect Back-Channel Logout 1.0)', () => {
  let server: TestApp;
  let provider: Provider;
  let phone: Awaited<ReturnType<typeof person>>;
  let shop: OauthSite;
  let cafe: OauthSite;
  let shopServer: Sink;
  let cafeServer: Sink;
  /** What the sites answer next; 200 when there is nothing left. */
  const statuses: number[] = [];
  const entries: Entry[] = [];
  const log = {
    info: (fields: object) => void entries.push({ level: 'info', fields: { ...fields } }),
    warn: (fields: object) => void entries.push({ level: 'warn', fields: { ...fields } }),
  };

  beforeAll(async () => {
    server = await startApp();
    // The app shows its engine to nobody but the parts it connects.
    ({ provider } = server.app as unknown as { provider: Provider });
    logLogoutTokens(provider, log);
    phone = await person(server.app, server);
    shopServer = await startSink((_req, res) => void res.writeHead(statuses.shift() ?? 200).end());
    cafeServer = await startSink((_req, res) => void res.writeHead(204).end());
    shop = await oauthSite(server.app, server, {
      backchannelLogoutUri: `http://localhost:${shopServer.port}/bye`,
      postLogoutRedirectUris: [BYE],
    });
    cafe = await oauthSite(server.app, server, {
      backchannelLogoutUri: `http://127.0.0.1:${cafeServer.port}/logout?site=cafe`,
      idTokenAlg: 'ES256',
    });
  });
  afterAll(async () => {
    await shopServer?.stop();
    await cafeServer?.stop();
    await server?.stop();
  });
  beforeEach(() => forgetScans(server.database));
  afterEach(() => {
    for (const list of [statuses, entries, shopServer.received, cafeServer.received]) list.splice(0);
  });

  const tokenIn = ({ body }: Received) => String(new URLSearchParams(body).get('logout_token'));
  const only = (sink: Sink) => {
    expect(sink.received).toHaveLength(1);
    return sink.received[0] as Received;
  };
  const signOutUrl = (query: Record<string, string> = {}) => `${server.url}/oauth/logout?${new URLSearchParams(query)}`;
  const pressed = (page: Arrival) => {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1] ?? '';
    return { action, xsrf: /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '' };
  };
  const press = (browser: StandardBrowser, page: Arrival, more: Record<string, string>) => {
    const { action, xsrf } = pressed(page);
    return browser.submit(action, { xsrf, ...more });
  };

  /** A browser that stays signed in, and what the sites got of it. */
  const signedIn = async (...sites: OauthSite[]) => {
    const browser = new StandardBrowser(server);
    const given: Array<{ idToken: string; accessToken: string; claims: ReturnType<typeof decodeJwt> }> = [];
    for (const site of sites) {
      const { query, verifier } = site.request();
      const address = browser.authorizeUrl(query);
      const page = await browser.open(address);
      const arrived =
        given.length === 0
          ? await browser.answerByPhone(page, phone, { remember: true })
          : await browser.decide(page, 'allow');
      const answer = await site.exchange(String(arrived.answer.code), verifier);
      expect(answer.status, answer.body).toBe(200);
      const { id_token: idToken, access_token: accessToken } = answer.json<Record<string, string>>();
      given.push({ idToken: `${idToken}`, accessToken: `${accessToken}`, claims: decodeJwt(`${idToken}`) });
    }
    return { browser, given: given as [(typeof given)[number], ...typeof given] };
  };

  const verify = async (token: string, audience: string) => {
    const keys = (await send(`${server.url}/oauth/jwks`)).json<JSONWebKeySet>();
    return jwtVerify(token, createLocalJWKSet(keys), { issuer: server.url, audience, typ: 'logout+jwt' });
  };

  it('posts a logout token of the session when the person signs out, and not before', async () => {
    const { browser, given } = await signedIn(shop);
    const [{ idToken, accessToken, claims }] = given;
    expect(claims.sid).toEqual(expect.any(String));
    const query = { id_token_hint: idToken, post_logout_redirect_uri: BYE, state: 'xyz' };
    const page = await browser.open(signOutUrl(query));
    expect([page.status, shopServer.received]).toEqual([200, []]);
    const arrived = await press(browser, page, { logout: 'yes' });
    expect(arrived.address).toBe(`${BYE}?state=xyz`);

    const { method, path, headers, body } = only(shopServer);
    expect([method, path, headers['content-type']]).toEqual(['POST', '/bye', 'application/x-www-form-urlencoded']);
    expect([...new URLSearchParams(body).keys()]).toEqual(['logout_token']);
    const { payload, protectedHeader } = await verify(tokenIn(only(shopServer)), shop.clientId);
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'logout+jwt', kid: expect.any(String) });
    // Exactly these: a nonce would make an ID token of it (section 2.4).
    expect(payload).toEqual({
      iss: server.url,
      aud: shop.clientId,
      iat: expect.any(Number),
      exp: Number(payload.iat) + 120,
      jti: expect.any(String),
      events: { [EVENT]: {} },
      sub: claims.sub,
      sid: claims.sid,
    });
    expect(entries).toEqual([{ level: 'info', fields: { client: shop.clientId, tries: 1 } }]);
    expect((await shop.userinfo(accessToken)).status).toBe(401);
    const again = await browser.open(browser.authorizeUrl({ ...shop.request().query, prompt: 'none' }));
    expect(again.answer.error).toBe('login_required');
  });

  it('tells every site of the session, each with its own subject, session id and algorithm', async () => {
    const { browser, given } = await signedIn(shop, cafe);
    const arrived = await press(browser, await browser.open(signOutUrl()), { logout: 'yes' });
    expect(new URL(arrived.address).pathname).toBe('/oauth/logout/success');
    const told = [
      await verify(tokenIn(only(shopServer)), shop.clientId),
      await verify(tokenIn(only(cafeServer)), cafe.clientId),
    ];
    expect(told.map(({ payload: { sub, sid } }) => ({ sub, sid }))).toEqual(
      given.map(({ claims: { sub, sid } }) => ({ sub, sid })),
    );
    expect(new Set(told.map(({ payload }) => payload.sub)).size).toBe(2);
    expect(told.map(({ protectedHeader }) => protectedHeader.alg)).toEqual(['RS256', 'ES256']);
  });

  it('tells the site that asks, and no other, when the person stays signed in', async () => {
    const { browser, given } = await signedIn(shop, cafe);
    const [asking, other] = given;
    const page = await browser.open(signOutUrl({ id_token_hint: asking.idToken }));
    const arrived = await press(browser, page, {});
    expect(new URL(arrived.address).searchParams.get('client_id')).toBe(shop.clientId);
    await verify(tokenIn(only(shopServer)), shop.clientId);
    expect(cafeServer.received).toEqual([]);
    expect((await cafe.userinfo(String(other?.accessToken))).status).toBe(200);
    const still = await browser.open(browser.authorizeUrl({ ...cafe.request().query, prompt: 'none' }));
    expect(still.answer.code).toBeDefined();
  });

  it('lets the person go on when the site does not answer well', async () => {
    const { browser } = await signedIn(shop);
    statuses.push(500);
    const arrived = await press(browser, await browser.open(signOutUrl()), { logout: 'yes' });
    expect(new URL(arrived.address).pathname).toBe('/oauth/logout/success');
    expect(shopServer.received).toHaveLength(1);
    expect(entries).toEqual([{ level: 'warn', fields: { client: shop.clientId, tries: 1, status: 500 } }]);
  });

  it('ends no session by a GET, nor by a form without the token of its page', async () => {
    const { browser, given } = await signedIn(shop);
    const page = await browser.open(signOutUrl({ client_id: shop.clientId }));
    const { action } = pressed(page);
    expect((await browser.get(`${action}?${new URLSearchParams({ logout: 'yes' })}`)).status).toBe(405);
    for (const xsrf of ['', 'x', hashSecret('x')]) {
      expect((await browser.submit(action, { xsrf, logout: 'yes' })).status).toBe(400);
    }
    expect(shopServer.received).toEqual([]);
    expect((await shop.userinfo(given[0].accessToken)).status).toBe(200);
  });

  it('asks a browser without a session nothing, and tells nobody', async () => {
    const before = shopServer.connections();
    const browser = new StandardBrowser(server);
    const page = await browser.open(signOutUrl({ client_id: shop.clientId, post_logout_redirect_uri: BYE }));
    const { action, fields } = postedForm(page.body);
    expect(fields).toEqual({ xsrf: expect.any(String), logout: 'yes' });
    expect((await browser.submit(action, fields)).address).toBe(BYE);
    expect(shopServer.connections()).toBe(before);
  });

  describe('for a session that ended elsewhere', () => {
    const ended = (clientId: string) => ({ clientId, accountId: phone.accountId, sid: 'the-session' });

    it('makes the same token, of the account’s subject at that site', async () => {
      await notifyLogout(provider, ended(shop.clientId), log);
      const { payload } = await verify(tokenIn(only(shopServer)), shop.clientId);
      const { sub } = (await signedIn(shop)).given[0].claims;
      expect(payload).toMatchObject({ sub, sid: 'the-session', events: { [EVENT]: {} } });
      expect(entries).toEqual([{ level: 'info', fields: { client: shop.clientId, tries: 1 } }]);
    });

    it('tries twice, with a new token', async () => {
      statuses.push(503);
      await notifyLogout(provider, ended(shop.clientId), log);
      const ids = shopServer.received.map((one) => decodeJwt(tokenIn(one)).jti);
      expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
      expect(entries).toEqual([{ level: 'info', fields: { client: shop.clientId, tries: 2 } }]);
    });

    it('gives up after the second, and at once after a refusal', async () => {
      statuses.push(500, 500, 200);
      await notifyLogout(provider, ended(shop.clientId), log);
      expect(shopServer.received).toHaveLength(2);
      statuses.splice(0, 1, 400);
      await notifyLogout(provider, ended(shop.clientId), log);
      expect(shopServer.received).toHaveLength(3);
      expect(entries.map(({ level, fields }) => [level, fields])).toEqual([
        ['warn', { client: shop.clientId, tries: 2, status: 500 }],
        ['warn', { client: shop.clientId, tries: 1, status: 400 }],
      ]);
      const logged = JSON.stringify(entries);
      for (const one of shopServer.received) expect(logged).not.toContain(tokenIn(one));
      expect(logged).not.toContain(String(shopServer.port));
    });

    it('leaves a site alone that did not ask, is disabled, or is not there', async () => {
      const quiet = await oauthSite(server.app, server);
      const closed = await oauthSite(server.app, server, {
        backchannelLogoutUri: `http://localhost:${shopServer.port}/`,
      });
      await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [closed.clientId]);
      for (const id of [quiet.clientId, closed.clientId, 'qc0', '']) await notifyLogout(provider, ended(id), log);
      expect([shopServer.received, entries]).toEqual([[], []]);
    });

    it('T60: goes nowhere else, whatever stands in the database, and throws nothing', async () => {
      const before = shopServer.connections();
      const inside = [
        'https://10.0.0.1/',
        'https://169.254.169.254/latest/meta-data',
        `https://[::ffff:7f00:1]:${shopServer.port}/`,
        `http://0.0.0.0:${shopServer.port}/`,
        `http://localhost.:${shopServer.port}/`,
      ];
      const told = inside.map(async (uri) => {
        const { clientId } = await oauthSite(server.app, server, {
          backchannelLogoutUri: `http://localhost:${shopServer.port}/`,
        });
        const settings = JSON.stringify({ backchannel_logout_uri: uri });
        await server.database.sql('UPDATE client SET settings = settings || $2::jsonb WHERE id = $1', [
          clientId,
          settings,
        ]);
        await notifyLogout(provider, ended(clientId), log);
      });
      await Promise.all(told);
      expect(shopServer.connections()).toBe(before);
      expect(entries).toHaveLength(inside.length);
      for (const { level, fields } of entries) {
        expect([level, String(fields.err)]).toEqual(['warn', 'OutgoingFailed: the request could not be delivered']);
      }
    });

    it('throws nothing when even the database is away', async () => {
      await server.database.sql('ALTER TABLE client RENAME TO client_away');
      await notifyLogout(provider, ended(shop.clientId), log);
      await server.database.sql('ALTER TABLE client_away RENAME TO client');
      expect(entries.map(({ level, fields }) => [level, fields.client])).toEqual([['warn', shop.clientId]]);
    });
  });

  it('is told in the discovery document, and logout tokens are signed as ID tokens are', async () => {
    const document = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    expect(document).toMatchObject({
      end_session_endpoint: `${server.url}/oauth/logout`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
    await notifyLogout(provider, { clientId: cafe.clientId, accountId: phone.accountId, sid: 's' }, log);
    expect(decodeProtectedHeader(tokenIn(only(cafeServer))).alg).toBe('ES256');
  });
});
