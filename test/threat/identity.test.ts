/** T58: who a person is at one site says nothing of who they are at another, and never comes to mean somebody else. */
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type Phone, signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

type Where = { url: string; port?: number };
type Person = Phone & { accountId: string; username: string };

interface Seen {
  /** openid or sub. */
  readonly id: string;
  readonly unionid: string;
  readonly everything: Record<string, unknown>;
}

describe('who a person is, and to whom', () => {
  let server: TestApp;
  let shop: WechatSite;
  let cafe: OauthSite;
  let anna: Person;
  beforeAll(async () => {
    server = await startApp();
    shop = await wechatSite(server.app, server, { unionName: 'one' });
    cafe = await oauthSite(server.app, server, { unionName: 'one' });
    anna = await person(server.app, server, 'Anna');
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const seenByWechat = async (site: WechatSite, who: Phone, where: Where = server): Promise<Seen> => {
    const tokens = (await site.exchange((await login(where, who, site.request())).code, {}, where)).json();
    const profile = (await site.userinfo(String(tokens.access_token), {}, where)).json();
    expect([profile.openid, profile.unionid]).toEqual([tokens.openid, tokens.unionid]);
    return { id: String(tokens.openid), unionid: String(tokens.unionid), everything: { ...profile, ...tokens } };
  };
  const seenByOauth = async (site: OauthSite, who: Phone, where: Where = server): Promise<Seen> => {
    const { query, verifier } = site.request();
    const { code } = await login(where, who, query);
    const tokens = (await site.exchange(code, verifier, {}, where)).json<Record<string, string>>();
    const profile = (await site.userinfo(tokens.access_token as string, where)).json();
    const claims = JSON.parse(Buffer.from(String(tokens.id_token).split('.')[1] as string, 'base64url').toString());
    expect(claims.sub).toBe(profile.sub);
    return { id: String(profile.sub), unionid: String(profile.unionid), everything: { ...claims, ...profile } };
  };

  it('T58 the same person is another at every site, of either dialect', async () => {
    const sites = [shop, await wechatSite(server.app, server), await wechatSite(server.app, server)];
    const houses = [cafe, await oauthSite(server.app, server), await oauthSite(server.app, server)];
    const seen = [
      ...(await Promise.all(sites.map((site) => seenByWechat(site, anna)))),
      ...(await Promise.all(houses.map((site) => seenByOauth(site, anna)))),
    ];
    expect(new Set(seen.map(({ id }) => id)).size).toBe(6);
    // Two of them are of one union; the others are of none, which is a union of one.
    expect(new Set(seen.map(({ unionid }) => unionid)).size).toBe(5);
    expect(seen[3]?.unionid).toBe(seen[0]?.unionid);
    const ids = new Set(seen.map(({ id }) => id));
    for (const { unionid } of seen) expect(ids.has(unionid)).toBe(false);
    // The same at the next login, or no site would know its people again.
    expect((await seenByWechat(shop, anna)).id).toBe(seen[0]?.id);
  });

  it('T58 two people are two at every site and in every union', async () => {
    const ben = await person(server.app, server, 'Anna');
    const [one, other] = [await seenByWechat(shop, anna), await seenByWechat(shop, ben)];
    expect(other.everything.nickname).toBe(one.everything.nickname);
    expect(new Set([one.id, one.unionid, other.id, other.unionid]).size).toBe(4);
  });

  it('T58 whoever registers a user name again is a stranger to every site, and holds nothing of the one before', async () => {
    const first = await person(server.app, server, 'Carl');
    const before = [await seenByWechat(shop, first), await seenByOauth(cafe, first)];
    const held = String(before[0]?.everything.access_token);
    await server.database.sql('DELETE FROM account WHERE id = $1', [first.accountId]);
    expect((await shop.userinfo(held)).json()).toHaveProperty('errcode', 50002);
    const registered = { username: first.username, password: 'another long one', nickname: 'Carl' };
    const { id } = await server.app.accounts.create('test', registered);
    expect(id).not.toBe(first.accountId);
    const again = await signIn(server, registered.username, registered.password);
    const after = [await seenByWechat(shop, again), await seenByOauth(cafe, again)];
    const all = [...before, ...after];
    expect(new Set(all.map((seen) => seen.id)).size).toBe(4);
    expect(new Set(all.map((seen) => seen.unionid)).size).toBe(2);
    expect((await shop.userinfo(held)).json()).toHaveProperty('errcode', 50002);
    // Nor does the phone that was theirs speak for the newcomer.
    const shown = await first.open((await openPage(server, shop.request())).qr);
    expect([shown.status, shown.body.includes('Carl'), shown.body.includes('scanToken')]).toEqual([200, false, false]);
  });

  it('T58 no answer holds an e-mail address, a user name or the id of the account', async () => {
    for (const { everything } of [await seenByWechat(shop, anna), await seenByOauth(cafe, anna)]) {
      for (const name of ['email', 'email_verified', 'phone_number', 'preferred_username', 'username', 'account_id']) {
        expect(everything).not.toHaveProperty(name);
      }
      expect(JSON.stringify(everything)).not.toContain(anna.accountId);
      expect(JSON.stringify(everything)).not.toContain(anna.username);
    }
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json<Record<string, string[]>>();
    expect(metadata.subject_types_supported).toEqual(['pairwise']);
    for (const list of ['claims_supported', 'scopes_supported']) {
      expect(metadata[list]?.filter((name) => /email|phone|username/.test(name))).toEqual([]);
    }
  });

  it('T58 no id follows from another without the key of the server', async () => {
    const [a, b] = [await seenByWechat(shop, anna), await seenByOauth(cafe, anna)];
    const [ids, keys] = [
      [a.id, a.unionid, b.id, b.unionid],
      [a.id, a.unionid, shop.secret, cafe.secret, server.url, ''],
    ];
    const known = [shop.clientId, cafe.clientId, anna.accountId, 'union:one', 'openid', 'unionid'];
    // What somebody would try who has the public parts, and even the account's id, in hand.
    for (const one of known) {
      for (const two of known) {
        for (const text of [
          one,
          one + two,
          `${one}:${two}`,
          JSON.stringify([one, two]),
          JSON.stringify(['openid', one, two]),
        ]) {
          const guesses = [
            createHash('sha256').update(text),
            ...keys.map((key) => createHmac('sha256', key).update(text)),
          ];
          for (const guess of guesses.map((hash) => `o${hash.digest('base64url').slice(0, 27)}`)) {
            expect(ids).not.toContain(guess);
          }
        }
      }
    }
    // The same sites and the same account under another key: everybody is somebody else.
    await server.database.sql(
      "UPDATE server_key SET material = jsonb_build_object('secret', $1::text) WHERE purpose = 'subject'",
      ['k'.repeat(43)],
    );
    const other = await startApp({}, server.database);
    try {
      const phone = await signIn(other, anna.username, 'a long enough one');
      const elsewhere = [await seenByWechat(shop, phone, other), await seenByOauth(cafe, phone, other)];
      for (const seen of elsewhere) expect(ids).not.toContain(seen.id);
      for (const seen of elsewhere) expect(ids).not.toContain(seen.unionid);
    } finally {
      await other.app.stop();
    }
  });
});
