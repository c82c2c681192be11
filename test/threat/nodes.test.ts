import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { DOORS } from '../support/door.js';
import { pageData, send } from '../support/http.js';
import { openPage, type WaitingPage, waiter } from '../support/page.js';
import { type Phone, phoneWith, type Scanned } from '../support/phone.js';
import { oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { until } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

/** Two server processes that share nothing but the database. */
describe('two nodes, one truth', () => {
  let cluster: Cluster;
  let site: WechatSite;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    cluster = await startCluster();
    site = await wechatSite(cluster.registry.app, cluster.a);
    phone = await person(cluster.registry.app, cluster.b);
  });
  afterAll(() => cluster?.stop());

  /** The same waiting page, its next calls answered by another node. */
  const pageAt = (node: { url: string; port: number }, page: WaitingPage) =>
    waiter(node, page.ticketId, page.waitSecret);
  const matchCode = async (page: WaitingPage) => (await page.status()).json<{ match_code: string }>().match_code;
  const fresh = async () => {
    await forgetScans(cluster.registry.database);
    return openPage(cluster.a, site.request());
  };
  const listeners = () =>
    cluster.registry.database.sql<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );

  it('T75: a login whose every step is answered by another node than the one before', async () => {
    const { a, b, registry } = cluster;
    const cafe = await oauthSite(registry.app, a);
    for (const [query, exchange] of [
      [site.request(), (code: string) => site.exchange(code, {}, b)],
      (() => {
        const { query, verifier } = cafe.request();
        return [query, (code: string) => cafe.exchange(code, verifier, {}, b)] as const;
      })(),
    ] as const) {
      await forgetScans(registry.database);
      const page = await openPage(a, query);
      const scanned = await phone.scan(page.qr);
      expect(scanned.answer.status).toBe(200);
      const confirmed = await phoneWith(a, phone.cookie).confirm(scanned, await matchCode(page));
      expect(confirmed.status).toBe(200);
      expect((await pageAt(b, page).status()).json()).toMatchObject({ status: 'confirmed' });
      const { code } = (await page.redeem()).json<{ code: string }>();
      expect((await pageAt(b, page).redeem()).status).toBe(410);
      expect((await exchange(code)).json()).toHaveProperty('access_token');
      expect((await pageAt(b, page).redeem()).body).not.toContain('code=');
    }
    const { code } = await login(a, phone, site.request());
    const tokens = (await site.exchange(code, {}, b)).json<{ access_token: string; refresh_token: string }>();
    expect((await site.userinfo(tokens.access_token, {}, a)).json()).toHaveProperty('openid');
    expect((await site.refresh(tokens.refresh_token, {}, a)).json()).toMatchObject({
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
    });
  });

  it('T75: a page held by one node hears at once of what a phone does at the other', async () => {
    const page = await fresh();
    const held = page.status('?wait=25&seen=pending');
    const scanned = await phone.scan(page.qr);
    expect((await held).json()).toMatchObject({ status: 'scanned', match_code: expect.stringMatching(/^\d\d$/) });
    const next = page.status('?wait=25&seen=scanned');
    expect((await phone.deny(scanned)).status).toBe(200);
    expect((await next).json()).toMatchObject({ status: 'denied' });
  });

  it('T75: the page completes though every LISTEN connection is killed while it waits', async () => {
    const page = await fresh();
    const held = page.status('?wait=25&seen=pending');
    const before = await listeners();
    // One for each node, and one for the app that registers.
    expect(before).toHaveLength(3);
    await cluster.registry.database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    const scanned = await phone.scan(page.qr);
    expect(scanned.answer.status).toBe(200);
    expect((await held).json()).toMatchObject({ status: 'scanned' });
    const next = page.status('?wait=25&seen=scanned');
    await phone.confirm(scanned, await matchCode(page));
    expect((await next).json()).toMatchObject({ status: 'confirmed' });
    expect((await page.redeem()).json()).toHaveProperty('code');
    // They listen again by themselves, on new connections.
    await until(
      async () => (await listeners()).filter(({ pid }) => !before.some((old) => old.pid === pid)).length === 3,
      'the nodes do not listen again',
    );
    expect(cluster.a.process.exitCode).toBeNull();
    expect(cluster.b.process.exitCode).toBeNull();
  });

  it('T5: fifty redeems of one ticket at both nodes at once give one code; later ones give nothing', async () => {
    const page = await fresh();
    await approve(phone, page);
    await cluster.registry.database.sql("DELETE FROM engine_record WHERE kind = 'AuthorizationCode'");
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, turn) => pageAt(cluster.either(turn), page).redeem()),
    );
    const [won, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    for (const { status, body } of answers.filter((answer) => answer !== won)) {
      expect([409, 410]).toContain(status);
      expect(body).not.toContain('code=');
    }
    const codes = await cluster.registry.database.sql(
      "SELECT 1 FROM engine_record WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL",
    );
    expect(codes).toHaveLength(1);
    for (const turn of [0, 1]) {
      const replay = await pageAt(cluster.either(turn), page).redeem();
      expect(replay.status).toBe(410);
      expect(replay.body).not.toContain('code=');
    }
    expect((await site.exchange(won?.json<{ code: string }>().code ?? '', {}, cluster.b)).json()).toHaveProperty(
      'openid',
    );
  });

  it('T5: redeem and continue race for one ticket across the nodes: one code', async () => {
    const page = await fresh();
    await approve(phone, page);
    const { continue: handle } = (await pageAt(cluster.a, page).continue()).json<{ continue: string }>();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, turn) => {
        const node = cluster.either(turn);
        return turn % 4 < 2 ? pageAt(node, page).redeem() : send(handle, { port: node.port });
      }),
    );
    expect(answers.filter(({ status }) => status === 200 || status === 303)).toHaveLength(1);
  });

  it('T7: of two people who scan one ticket at two nodes at once, one gets it, and only that one signs in', async () => {
    const { registry, a } = cluster;
    const other = await person(registry.app, a);
    for (let round = 0; round < 10; round += 1) {
      const page = await fresh();
      // Both look first, so that it is the scans that race and not the pages.
      const shown = await Promise.all([phone, other].map(async (who) => ({ who, page: await who.open(page.qr) })));
      const scans = await Promise.all(
        shown.map(async ({ who, page: { body } }) => {
          const { scanToken, csrf } = pageData<{ scanToken: string; csrf: string }>(body);
          const answer = await who.post('/phone/scan', { scan_token: scanToken, csrf });
          return { answer, csrf, scanGrant: String(answer.json().scan_grant) };
        }),
      );
      expect(scans.map(({ answer }) => answer.status).sort()).toEqual([200, 409]);
      const first = scans[0]?.answer.status === 200;
      const [winner, loser] = first ? [phone, other] : [other, phone];
      const scanned = scans[first ? 0 : 1] as Scanned;
      expect(scans[first ? 1 : 0]?.answer.body).not.toContain(first ? phone.accountId : other.accountId);
      const code = await matchCode(page);
      expect((await loser.confirm(scanned, code)).status).toBe(403);
      const twice = await Promise.all(
        [a, cluster.b].map((node) => phoneWith(node, winner.cookie).confirm(scanned, code)),
      );
      expect(twice.map(({ status }) => status).sort()).toEqual([200, 409]);
      await page.redeem();
      const [row] = await registry.database.sql<{ account: string }>(
        "SELECT payload->>'accountId' AS account FROM engine_record WHERE kind = 'AuthorizationCode' ORDER BY expires_at DESC LIMIT 1",
      );
      expect(row?.account).toBe(winner.accountId);
    }
  });

  it('T47: twenty refreshes at both nodes at once, the access token dead: every token handed out is alive', async () => {
    await forgetScans(cluster.registry.database);
    const { code } = await login(cluster.a, phone, site.request());
    const { refresh_token: token } = (await site.exchange(code)).json<{ refresh_token: string }>();
    await cluster.registry.database.sql("DELETE FROM engine_record WHERE kind = 'AccessToken'");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, turn) => site.refresh(token, {}, cluster.either(turn))),
    );
    for (const answer of answers) {
      expect(answer.json()).toMatchObject({ refresh_token: token });
      const { access_token: access } = answer.json<{ access_token: string }>();
      expect((await site.userinfo(access, {}, cluster.b)).json()).toHaveProperty('openid');
    }
  });

  it.each(DOORS)(
    'T75: $dialect: a client or account disabled at one node is refused by the other at the next request',
    async (door) => {
      const { a, b, registry } = cluster;
      const own = await door.register(registry.app, a);
      await forgetScans(registry.database);
      const tokens = await own.exchange(await own.login(phone, { where: a }), b);
      expect((await own.userinfo(String(tokens.body.access_token), a)).ok).toBe(true);
      await registry.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [own.clientId]);
      for (const node of [a, b]) expect((await own.userinfo(String(tokens.body.access_token), node)).ok).toBe(false);
    },
  );
});
