import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newProof, postToken } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp, until } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';
import { waitBy } from '../support/transports.js';

/** The server stays up while its Postgres, one of this file's own, is crashed and brought back. */
describe('while the database is away', () => {
  let postgres: OwnPostgres;
  let server: TestApp;
  let shop: WechatSite;
  let cafe: OauthSite;
  let phone: Phone & { username: string };
  beforeAll(async () => {
    postgres = await startOwnPostgres();
    server = await startApp({}, postgres.database);
    shop = await wechatSite(server.app, server);
    cafe = await oauthSite(server.app, server);
    phone = await person(server.app, server);
  });
  beforeEach(() => postgres.recover());
  afterAll(() => server?.stop());

  const get = (path: string) => send(server.url + path);
  const ready = () =>
    until(async () => (await get('/health/ready')).status === 200, 'the server does not find its database again');
  const listening = () =>
    until(
      async () => (await server.database.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")).length === 1,
      'the server does not listen again',
    );
  const page = (query: Record<string, string>) => get(`/connect/qrconnect?${new URLSearchParams(query)}`);
  const fresh = async (query = shop.request()) => {
    await forgetScans(server.database);
    return openPage(server, query);
  };
  const newTokens = async () => {
    await forgetScans(server.database);
    const { code } = await login(server, phone, shop.request());
    return { ...(await shop.exchange(code)).json<{ access_token: string; refresh_token: string }>(), code };
  };

  it('answers 503 with Retry-After at every door, and takes up again where it was without a restart', async () => {
    const tokens = await newTokens();
    const { query, verifier } = cafe.request();
    const granted = await login(server, phone, query);
    const pending = await fresh();
    const confirmed = await fresh();
    await approve(phone, confirmed);
    const held = waitBy('events', server, pending);
    await held.next();
    await postgres.crash();

    const answers: Record<string, RawAnswer> = {
      'the WeChat page': await page(shop.request()),
      'the OAuth page': await page(query),
      status: await pending.status(),
      redeem: await confirmed.redeem(),
      'the scan page': await phone.open(pending.qr),
      'sign-in': await phone.post('/phone/sign-in', { username: phone.username, password: 'a long enough one' }),
      scan: await phone.post('/phone/scan', { scan_token: 'x'.repeat(27), csrf: 'y' }),
      'the setup page': await get('/admin/setup?token=x'),
      'WeChat exchange': await shop.exchange(granted.code),
      'WeChat refresh': await shop.refresh(tokens.refresh_token),
      'WeChat user info': await shop.userinfo(tokens.access_token),
      'WeChat auth': await shop.auth(tokens.access_token, 'x'),
      token: await cafe.exchange(granted.code, verifier),
      'user info': await cafe.userinfo(newProof().verifier),
      authorize: await get(`/oauth/authorize?${new URLSearchParams(query)}`),
      ready: await get('/health/ready'),
    };
    for (const [door, { status, headers, body }] of Object.entries(answers)) {
      // WeChat's clients take any other status for a broken network; theirs is said in the body.
      expect(status, door).toBe(door.startsWith('WeChat ') ? 200 : 503);
      expect(Number(headers['retry-after']), door).toBeGreaterThan(0);
      expect(body, door).not.toMatch(/ECONNREFUSED|ENOENT|postgres|socket|stack/i);
      if (door.startsWith('WeChat ')) {
        const said = { errcode: -1, errmsg: expect.stringMatching(/^system error, rid: [0-9a-f-]{26}$/) };
        expect(JSON.parse(body), door).toEqual(said);
      }
      if (/page|authorize/.test(door)) expect(headers['content-type'], door).toContain('text/html');
      if (/^(status|redeem|scan|sign-in)$/.test(door)) expect(JSON.parse(body).error, door).toBe('unavailable');
      if (/^(token|user info)$/.test(door)) expect(JSON.parse(body).error, door).toBe('temporarily_unavailable');
    }
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/js/wxLogin.js')).status).toBe(200);

    await postgres.recover();
    await ready();
    expect((await cafe.exchange(granted.code, verifier)).json()).toHaveProperty('id_token');
    expect((await confirmed.redeem()).json()).toHaveProperty('code');
    expect((await shop.userinfo(tokens.access_token)).json()).toHaveProperty('nickname');
    await forgetScans(server.database);
    await approve(phone, pending);
    // Who was held all through it has missed nothing.
    while ((await held.next()).status !== 'confirmed');
    const { code } = (await pending.redeem()).json<{ code: string }>();
    expect((await shop.exchange(code)).json()).toHaveProperty('openid');
  });

  it('hears nudges again after the database came back', async () => {
    const waiting = await fresh();
    await postgres.crash();
    await postgres.recover();
    await ready();
    await listening();
    const held = waiting.status('?wait=25&seen=pending');
    expect((await phone.scan(waiting.qr)).answer.status).toBe(200);
    expect((await held).json()).toMatchObject({ status: 'scanned' });
  });

  it('loses nothing it has acknowledged: codes, consumptions, revocations, tickets', async () => {
    const kept: string[] = [];
    for (let i = 0; i < 3; i += 1) kept.push((await newTokens()).access_token);
    const replayed = await newTokens();
    expect((await shop.exchange(replayed.code)).json()).toMatchObject({ errcode: 40163 });
    const cancelled = await fresh();
    expect((await cancelled.cancel()).status).toBe(204);
    const unspent = await login(server, phone, shop.request());
    const spent = await newTokens();
    await postgres.crash();
    await postgres.recover();
    await ready();
    for (const token of [...kept, spent.access_token]) {
      expect((await shop.userinfo(token)).json()).toHaveProperty('openid');
    }
    expect((await shop.userinfo(replayed.access_token)).json()).toMatchObject({ errcode: 40001 });
    expect((await cancelled.status()).status).toBe(410);
    expect((await unspent.page.redeem()).status).toBe(410);
    expect((await shop.exchange(unspent.code)).json()).toHaveProperty('openid');
    expect((await shop.exchange(spent.code)).json()).toMatchObject({ errcode: 40163 });
  });

  it('makes no promise it does not keep when the crash comes between', async () => {
    const { query, verifier } = cafe.request();
    const { code } = await login(server, phone, query);
    // In flight when the lights go out: each is answered 200 and holds, or is not answered 200.
    const racing = Promise.all(Array.from({ length: 5 }, () => cafe.exchange(code, verifier).catch(() => undefined)));
    await postgres.crash();
    const answers = await racing;
    await postgres.recover();
    await ready();
    for (const answer of answers) expect([200, 400, 503, undefined]).toContain(answer?.status);
    const won = answers.filter((answer) => answer?.status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    const again = await cafe.exchange(code, verifier);
    // Spent for good if anybody was told so.
    if (won.length > 0) expect(again.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('survives every connection being cut: at worst "try again", never a fault of ours, then all is well', async () => {
    const tokens = await newTokens();
    for (let round = 0; round < 5; round += 1) {
      const calls = Promise.all(Array.from({ length: 10 }, () => shop.userinfo(tokens.access_token)));
      await server.database.sql(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      for (const answer of await calls) {
        expect(answer.status).toBe(200);
        expect([undefined, -1]).toContain(answer.json().errcode);
      }
    }
    const isBack = async () => 'openid' in (await shop.userinfo(tokens.access_token)).json();
    await until(isBack, 'it does not come back');
    const levels = server
      .log()
      .split('\n')
      .filter((line) => line.includes('"msg":"server_error"'));
    expect(levels).toEqual([]);
  });

  it('wakes a held page though the LISTEN connection is killed while it waits', async () => {
    await listening();
    const waiting = await fresh();
    const held = waiting.status('?wait=25&seen=pending');
    const killed = await server.database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'",
    );
    expect(killed).toHaveLength(1);
    expect((await phone.scan(waiting.qr)).answer.status).toBe(200);
    expect((await held).json()).toMatchObject({ status: 'scanned' });
  });

  it('answers 503 rather than wait when a table stays locked, and works when it is free', async () => {
    const waiting = await fresh();
    const lock = new pg.Client({ connectionString: postgres.database.url });
    await lock.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE');
      const answer = await waiting.status();
      expect(answer.status).toBe(503);
      expect(answer.headers).toHaveProperty('retry-after');
      const { code: _, ...form } = { code: '', redirect_uri: 'https://a.example/' };
      expect((await postToken(server, cafe, { ...form, code: 'c' })).status).toBe(400);
    } finally {
      await lock.end();
    }
    expect((await waiting.status()).json()).toMatchObject({ status: 'pending' });
  });

  it.each(['browser_session', 'account', 'client', 'engine_record'])(
    'gives a remembered browser no code, and says that it is busy, while %s is locked',
    async (table) => {
      await forgetScans(server.database);
      const browser = new StandardBrowser(server);
      await browser.signInByPhone(browser.authorizeUrl(cafe.request().query), phone, { remember: true });
      const ask = () => browser.copy().get(browser.authorizeUrl(cafe.request().query));
      const lock = new pg.Client({ connectionString: postgres.database.url });
      await lock.connect();
      try {
        await lock.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        const { status, headers, body } = await ask();
        const told = typeof headers.location === 'string' ? new URL(headers.location).searchParams : undefined;
        expect(told?.get('code') ?? null).toBeNull();
        // Once the engine knows whom to answer it tells the site (RFC 6749 4.1.2.1), else the person.
        if (told) return expect(told.get('error')).toBe('temporarily_unavailable');
        expect(status).toBe(503);
        expect(headers).toHaveProperty('retry-after');
        expect(body).toMatch(/^\s*<!doctype html>/);
      } finally {
        await lock.end();
      }
      expect(String((await ask()).headers.location)).toContain('code=');
    },
  );
});
