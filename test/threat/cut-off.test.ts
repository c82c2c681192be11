import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, login, person } from '../support/story.js';

describe('somebody an administrator cuts off', () => {
  let server: TestApp;
  let cafe: OauthSite;
  let shop: WechatSite;
  beforeAll(async () => {
    server = await startApp();
    cafe = await oauthSite(server.app, server);
    shop = await wechatSite(server.app, server);
  });
  afterAll(() => server?.stop());

  const actions = (target: string) =>
    server.database
      .sql<{ action: string }>('SELECT action FROM audit_event WHERE target = $1 ORDER BY id', [target])
      .then((rows) => rows.map(({ action }) => action));

  it('T20 can neither sign in, nor scan, nor be read by sites, until enabled; phones sign in again after', async () => {
    const phone = await person(server.app, server);
    const { query, verifier } = cafe.request({ scope: 'openid offline_access' });
    const held = (await cafe.exchange((await login(server, phone, query)).code, verifier)).json<
      Record<string, string>
    >();
    const wechat = (await shop.exchange((await login(server, phone, shop.request())).code)).json<
      Record<string, string>
    >();
    const waiting = await login(server, phone, shop.request());
    const page = await openPage(server, shop.request());
    await server.app.accounts.disable('test', phone.username);

    await expect(server.app.accounts.active(phone.accountId)).resolves.toBeUndefined();
    await expect(signIn(server, phone.username, 'a long enough one')).rejects.toThrow('401');
    expect((await send(page.qr, { headers: { cookie: phone.cookie } })).body).toContain('sign-in');
    expect((await cafe.userinfo(held.access_token as string)).status).toBe(401);
    expect((await cafe.refresh(held.refresh_token as string)).json().error).toBe('invalid_grant');
    expect((await shop.userinfo(wechat.access_token as string)).json()).toHaveProperty('errcode');
    expect((await shop.refresh(wechat.refresh_token as string)).json()).toHaveProperty('errcode');
    expect((await shop.exchange(waiting.code)).json()).toHaveProperty('errcode');

    await server.app.accounts.disable('test', phone.username);
    await server.app.accounts.enable('test', phone.username);
    expect(await actions(phone.accountId)).toEqual(['account.create', 'account.disable', 'account.enable']);
    // The phone that was signed in before stays signed out.
    expect((await phone.post('/phone/scan', { scan_token: 'x', csrf: 'x' })).status).toBe(401);
    const again = await signIn(server, phone.username, 'a long enough one');
    expect(await login(server, again, shop.request())).toHaveProperty('code');
  });

  it('T20 and a new password undo what the phone has scanned or allowed and no page has collected', async () => {
    for (const query of [shop.request(), cafe.request().query]) {
      const phone = await person(server.app, server);
      const [allowed, handed, scanned] = await Promise.all([1, 2, 3].map(() => openPage(server, query)));
      if (!allowed || !handed || !scanned) throw new Error('a page is missing');
      await approve(phone, allowed);
      await approve(phone, handed);
      const handle = (await handed.continue()).json<{ continue: string }>().continue;
      const held = await phone.scan(scanned.qr);
      const { match_code: matchCode } = (await scanned.status()).json<{ match_code: string }>();
      await server.app.accounts.resetPassword('test', phone.username, 'another long one');
      expect((await allowed.redeem()).status).toBe(410);
      expect((await send(handle)).status).toBe(410);
      expect((await phone.confirm(held, matchCode)).status).toBe(401);
      const grants = await server.database.sql(
        "SELECT 1 FROM engine_record WHERE kind IN ('Grant', 'AuthorizationCode') AND payload->>'accountId' = $1",
        [phone.accountId],
      );
      expect(grants).toEqual([]);
      // The visitor is not stuck: the same page, another person or the same one signed in again.
      const again = await signIn(server, phone.username, 'another long one');
      expect(await login(server, again, query)).toHaveProperty('code');
    }
  });

  it('T20 and no sign-in with the old password outlives a new one, however close', async () => {
    for (let round = 0; round < 5; round += 1) {
      const phone = await person(server.app, server);
      const tries = Array.from({ length: 4 }, () =>
        signIn(server, phone.username, 'a long enough one').catch(() => undefined),
      );
      await server.app.accounts.resetPassword('test', phone.username, 'another long one');
      for (const old of await Promise.all(tries)) {
        if (old) expect((await old.post('/phone/scan', { scan_token: 'x', csrf: 'x' })).status).toBe(401);
      }
      expect(
        await server.database.sql('SELECT 1 FROM phone_session WHERE account_id = $1 AND ended_at IS NULL', [
          phone.accountId,
        ]),
      ).toEqual([]);
    }
  });

  it('T52 as a site is refused at every door from the next request on, and let in again when enabled', async () => {
    const phone = await person(server.app, server);
    const { query, verifier } = cafe.request();
    const held = (await cafe.exchange((await login(server, phone, query)).code, verifier)).json<
      Record<string, string>
    >();
    for (const { clientId } of [cafe, shop]) await server.app.clients.disable('test', clientId);
    expect((await cafe.userinfo(held.access_token as string)).status).toBe(401);
    await expect(openPage(server, cafe.request().query)).rejects.toThrow();
    // The WeChat page says so with 200, as WeChat does.
    await expect(openPage(server, shop.request())).rejects.toThrow('wechat_appid');
    for (const { clientId } of [cafe, shop]) await server.app.clients.enable('test', clientId);
    expect((await cafe.userinfo(held.access_token as string)).status).toBe(200);
    await openPage(server, shop.request());
    expect(await actions(cafe.clientId)).toEqual(['client.create', 'client.disable', 'client.enable']);
  });

  it('T52 as a site whose QR codes are on screens: nobody is told that they are in, and no fresh code is drawn', async () => {
    const [site, wechat] = [await oauthSite(server.app, server), await wechatSite(server.app, server)];
    const phone = await person(server.app, server);
    const pages = await Promise.all(
      [site.request().query, wechat.request()].flatMap((query) => [1, 2, 3].map(() => openPage(server, query))),
    );
    const scanned = await Promise.all([1, 4].map((i) => phone.scan((pages[i] as WaitingPage).qr)));
    for (const i of [2, 5]) await approve(phone, pages[i] as WaitingPage);
    const codes = await Promise.all(
      [1, 4].map(async (i) => String((await (pages[i] as WaitingPage).status()).json().match_code)),
    );
    for (const { clientId } of [site, wechat]) await server.app.clients.disable('test', clientId);

    for (const [i, one] of scanned.entries()) expect((await phone.confirm(one, codes[i])).status).toBe(410);
    for (const i of [2, 5]) expect((await (pages[i] as WaitingPage).redeem()).status).toBe(410);
    for (const page of pages) expect((await page.renew()).status).toBe(410);
    // It could be a mistake: what is on the screens then goes on with a fresh code.
    for (const { clientId } of [site, wechat]) await server.app.clients.enable('test', clientId);
    for (const i of [0, 3]) expect((await (pages[i] as WaitingPage).renew()).status).toBe(201);
  });

  it('T52 as a site that is deleted is refused at every door, with all that it holds or has begun', async () => {
    const [site, wechat] = [await oauthSite(server.app, server), await wechatSite(server.app, server)];
    const phone = await person(server.app, server);
    const first = site.request({ scope: 'openid offline_access' });
    const held = (await site.exchange((await login(server, phone, first.query)).code, first.verifier)).json<
      Record<string, string>
    >();
    const heldByShop = (await wechat.exchange((await login(server, phone, wechat.request())).code)).json<
      Record<string, string>
    >();
    const second = site.request();
    const [codeOf, codeOfShop] = [
      (await login(server, phone, second.query)).code,
      (await login(server, phone, wechat.request())).code,
    ];
    const [shown, allowed, handed] = [
      await openPage(server, wechat.request()),
      await openPage(server, site.request().query),
      await openPage(server, site.request().query),
    ];
    await approve(phone, allowed);
    await approve(phone, handed);
    const handle = (await handed.continue()).json<{ continue: string }>().continue;
    for (const { clientId } of [site, wechat]) {
      await server.app.clients.disable('test', clientId);
      await server.app.clients.delete('test', clientId);
    }

    expect((await site.exchange(codeOf, second.verifier)).json().error).toBe('invalid_client');
    expect((await site.refresh(held.refresh_token as string)).json().error).toBe('invalid_client');
    expect((await site.userinfo(held.access_token as string)).status).toBe(401);
    expect((await wechat.exchange(codeOfShop)).json()).toHaveProperty('errcode', 40013);
    expect((await wechat.refresh(heldByShop.refresh_token as string)).json()).toHaveProperty('errcode', 40013);
    expect((await wechat.userinfo(heldByShop.access_token as string)).json()).toHaveProperty('errcode', 40001);
    expect((await send(shown.qr, { headers: { cookie: phone.cookie } })).status).toBe(410);
    expect((await allowed.redeem()).status).toBe(410);
    expect((await send(handle)).status).toBe(410);
    const { status } = await send(`${server.url}/oauth/logout?id_token_hint=${held.id_token}`);
    expect(status).toBe(400);
    expect(server.log()).not.toContain('server_error');
  });
});
