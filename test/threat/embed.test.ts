/** Group C of the threat model, what HTTP can show of T28 to T30: who may frame, cookies, messages. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { observe, pageData, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { approve, forgetScans } from '../support/story.js';
import { openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const EVIL = 'https://evil.example';

describe('the embedded page', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let anna: TicketHouse['anna'];

  beforeAll(async () => {
    ({ server, shop, house, anna } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const connect = (query: Record<string, string> | string, headers: Record<string, string> = {}) =>
    send(`${server.url}/connect/qrconnect?${typeof query === 'string' ? query : new URLSearchParams(query)}`, {
      headers,
    });
  const ancestors = (headers: { [name: string]: string | string[] | undefined }) =>
    /frame-ancestors ([^;]*)/.exec(String(headers['content-security-policy']))?.[1];
  const tickets = async () => (await server.database.sql<{ n: number }>('SELECT count(*)::int AS n FROM ticket'))[0]?.n;

  it('T28 invites exactly the origins registered for the client', async () => {
    const lists = [['https://a.example'], ['https://b.example', 'https://www.b.example:8443'], undefined];
    for (const embedOrigins of lists) {
      const expected = (embedOrigins ?? [new URL(REDIRECT_URI).origin]).join(' ');
      const wechat = await wechatSite(server.app, server, { embedOrigins });
      const oauth = await oauthSite(server.app, server, { embedOrigins });
      for (const query of [wechat.request(), oauth.request().query]) {
        const answer = await connect(query);
        expect(ancestors(answer.headers)).toBe(expected);
        expect(answer.headers['x-frame-options']).toBeUndefined();
      }
    }
  });

  it('T28 invites nobody for an unknown or disabled client, or to an error page', async () => {
    const closed = await wechatSite(server.app, server);
    const closedOauth = await oauthSite(server.app, server);
    await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = ANY($1)', [
      [closed.clientId, closedOauth.clientId],
    ]);
    const before = await tickets();
    for (const query of [
      { ...shop.request(), appid: 'wx0000000000000000' },
      closed.request(),
      closedOauth.request().query,
      { ...house.request().query, client_id: 'qc0000000000000000' },
      house.request({ theme: 'x' }).query,
      // A client of one dialect does not exist at the other's door.
      { ...house.request().query, client_id: shop.clientId },
      { ...shop.request(), appid: house.clientId },
    ]) {
      const answer = await connect(query);
      expect(ancestors(answer.headers), JSON.stringify(query)).toBe("'none'");
      expect(answer.headers['x-frame-options']).toBe('DENY');
      expect(answer.body).toContain('<meta name="qrconnect-error"');
    }
    expect(await tickets()).toBe(before);
  });

  it('T28 tells a known client’s site its mistake in the frame it may show, with no ticket in it', async () => {
    const before = await tickets();
    for (const [query, reason] of [
      [shop.request({ redirect_uri: EVIL }), 'wechat_redirect_uri'],
      [shop.request({ scope: 'snsapi_base' }), 'wechat_scope'],
      [house.request({ redirect_uri: EVIL }).query, 'invalid_redirect_uri'],
    ] as const) {
      const answer = await connect(query);
      const { client } = await server.app.clients
        .find(query.appid ?? query.client_id ?? '')
        .then((found) => ({ client: found }));
      expect(ancestors(answer.headers)).toBe(client?.embedOrigins.join(' '));
      expect(answer.headers['x-frame-options']).toBeUndefined();
      expect(answer.body).toContain(`<meta name="qrconnect-error" content="${reason}">`);
    }
    expect(await tickets()).toBe(before);
  });

  it('T28 makes no ticket for a frame in a page that is not invited', async () => {
    const before = await tickets();
    for (const dest of ['iframe', 'frame', 'embed', 'object', 'fencedframe']) {
      for (const referer of [
        `${EVIL}/page`,
        'http://127.0.0.1:10/',
        'https://127.0.0.1:9/',
        'about:blank',
        'data:text/html,x',
      ]) {
        for (const query of [shop.request(), house.request().query]) {
          const answer = await connect(query, { 'sec-fetch-dest': dest, referer });
          expect([dest, referer, answer.status]).toEqual([dest, referer, 403]);
          expect(ancestors(answer.headers)).toBe("'none'");
        }
      }
    }
    expect(await tickets()).toBe(before);
    for (const referer of ['http://127.0.0.1:9/page?x', undefined]) {
      const headers = { 'sec-fetch-dest': 'iframe', ...(referer ? { referer } : {}) };
      expect((await connect(shop.request(), headers)).status).toBe(200);
    }
  });

  it('T29 sets no cookie from the first page to the code, and needs none', async () => {
    const cookies: string[] = [];
    const stop = observe(({ url, answer }) => {
      if (!url.includes('/phone/') && answer.headers['set-cookie']) cookies.push(url);
    });
    const page = await openPage(server, house.request({ login_type: 'qr-connect' }).query);
    await page.status('?wait=1&seen=x');
    const renewed = await page.renew();
    expect(renewed.status).toBe(201);
    const other = await openPage(server, house.request().query);
    await approve(anna, other);
    const handle = (await other.continue()).json<{ continue: string }>().continue;
    expect((await send(handle)).status).toBe(303);
    const third = await openPage(server, shop.request());
    await approve(anna, third);
    expect((await third.redeem()).status).toBe(200);
    await third.cancel();
    await connect({ appid: 'wx0' });
    stop();
    expect(cookies).toEqual([]);
  });

  it("T29 pays no heed to cookies, its own, planted or another person's", async () => {
    const begun = await send(`${server.url}/oauth/authorize?${new URLSearchParams(house.request().query)}`);
    const engine = (begun.headers['set-cookie'] as string[]).map((one) => one.split(';')[0]);
    const { query, verifier } = house.request();
    const jars = ['a=b', '__Host-phone=x', anna.cookie, engine.join('; '), `${engine.join('; ')}; ${anna.cookie}`];
    const uids = new Set<unknown>();
    for (const cookie of jars) {
      const page = await openPage(server, query, { cookie });
      expect(page.headers['set-cookie']).toBeUndefined();
      expect(page.html).not.toContain(anna.username);
      const [row] = await server.database.sql('SELECT request_uid FROM ticket WHERE id = $1', [page.ticketId]);
      uids.add(row?.request_uid);
      await approve(anna, page);
      const { code } = (await page.redeem()).json<{ code: string }>();
      expect((await house.exchange(code, verifier)).status).toBe(200);
    }
    expect(uids.size).toBe(jars.length);
  });

  it('T29 puts the wait secret into no address, header or log', async () => {
    const urls: string[] = [];
    const answers: string[] = [];
    const stop = observe(({ url, answer }) => {
      urls.push(url);
      answers.push(JSON.stringify(answer.headers), answer.body);
    });
    const page = await openPage(server, house.request({ login_type: 'qr-connect' }).query);
    await approve(anna, page);
    const handle = (await page.continue()).json<{ continue: string }>().continue;
    await send(handle);
    stop();
    expect(urls.filter((url) => url.includes(page.waitSecret))).toEqual([]);
    expect(page.qr).not.toContain(page.waitSecret);
    expect(answers.filter((text) => text.includes(page.waitSecret))).toEqual([page.html]);
    expect(page.html.split(page.waitSecret)).toHaveLength(2);
    expect(server.log()).not.toContain(page.waitSecret);
  });

  it('T30 gives the page one exact origin for its messages, and only a registered one', async () => {
    const site = await oauthSite(server.app, server, { embedOrigins: ['https://a.example', 'http://127.0.0.1:9'] });
    const wechat = await wechatSite(server.app, server, { embedOrigins: ['https://b.example'] });
    const origin = async (query: Record<string, string>, referer?: string) =>
      pageData<{ parentOrigin: unknown }>((await connect(query, referer ? { referer } : {})).body).parentOrigin;
    expect(await origin(site.request().query)).toBe('http://127.0.0.1:9');
    expect(await origin(site.request().query, 'https://a.example/deep?x=1')).toBe('https://a.example');
    for (const referer of [
      `${EVIL}/`,
      'https://a.example.evil.example/',
      'null',
      '*',
      'https://a.example@evil.example/',
    ]) {
      expect(await origin(site.request().query, referer)).toBe('http://127.0.0.1:9');
      expect(await origin(wechat.request(), referer)).toBe('https://b.example');
    }
    // Naming an origin in the query changes nothing.
    const wish = { origin: EVIL, parentOrigin: EVIL, parent: EVIL, targetOrigin: '*' };
    expect(await origin(site.request(wish).query)).toBe('http://127.0.0.1:9');
  });

  it('T30 posts no message to everyone, in any script that is shipped', () => {
    const folders = ['browser', 'dist/browser', 'views', 'examples'].map((name) => join(projectRoot, name));
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(m?[jt]s|njk|html)$/.test(name) && !name.includes('node_modules'))
        .map((name) => join(folder, name)),
    );
    const calls = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/postMessage\(([^;]{0,200})/g)].map((found) => `${file}: ${found[1]}`),
    );
    expect(calls.length).toBeGreaterThanOrEqual(4);
    for (const call of calls) {
      expect(call).not.toMatch(/["'`]\*["'`]/);
      // Always two arguments: what, and to whom.
      expect(call).toMatch(/,\s*(this\.origin|this\.\w+|SERVER|"http[^"]*"|\w+)\)/);
    }
  });

  it('T30 hands the frame a one-time handle, never the code', async () => {
    const page = await openPage(server, house.request({ login_type: 'qr-connect' }).query);
    expect(pageData(page.html)).toMatchObject({ navigate: 'parent', parentOrigin: 'http://127.0.0.1:9' });
    await approve(anna, page);
    const codes = () => server.database.sql("SELECT key FROM engine_record WHERE kind = 'AuthorizationCode'");
    const before = await codes();
    const answer = (await page.continue()).json<{ continue: string }>();
    expect(Object.keys(answer)).toEqual(['continue']);
    expect(await codes()).toEqual(before);
    expect((await send(answer.continue)).status).toBe(303);
    expect((await send(answer.continue)).headers.location).toBeUndefined();
    expect((await send(`${answer.continue.slice(0, -1)}${answer.continue.endsWith('A') ? 'B' : 'A'}`)).status).toBe(
      404,
    );
  });
});
