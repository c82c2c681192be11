/** T76: what a flood of sign-in pages may leave behind, at every door, on every node together. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deviceOf, openDevice } from '../support/device.js';
import { askTicket, openHeadless } from '../support/headless.js';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { basic, postTo } from '../support/signing-site.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { type Node, startApp, startNode, type TestApp, until } from '../support/start-app.js';
import { login, person } from '../support/story.js';

const [PER_ADDRESS, PER_CLIENT, IN_ALL] = [20, 60, 90];
const LIMITS = {
  TRUSTED_PROXIES: 'loopback',
  TICKETS_PER_ADDRESS: String(PER_ADDRESS),
  TICKETS_PER_CLIENT: String(PER_CLIENT),
  TICKETS_IN_ALL: String(IN_ALL),
};
const SPA = 'https://spa.example';

describe('a flood of sign-ins', () => {
  let server: TestApp;
  let other: Node;
  let shop: WechatSite;
  let house: OauthSite;
  let spa: OauthSite;
  beforeAll(async () => {
    server = await startApp(LIMITS);
    other = await startNode({ databaseUrl: server.database.url, publicUrl: server.url, env: LIMITS });
    shop = await wechatSite(server.app, server);
    house = await oauthSite(server.app, server, { deviceFlow: true });
    spa = await oauthSite(server.app, server, { authMethod: 'none', embedOrigins: [SPA], deviceFlow: true });
  });
  afterAll(async () => {
    await other?.stop();
    await server?.stop();
  });
  // Whatever was open is over; what the nodes remember of it is gone a second later.
  afterEach(() => server.database.sql("UPDATE ticket SET expires_at = now() - interval '1 second'"));

  const from = (address: string) => ({ 'x-forwarded-for': address });
  const load = (address: string, query: Record<string, string>, node?: Node, headers = {}) =>
    send(`${server.url}/connect/qrconnect?${new URLSearchParams(query)}`, {
      port: node?.port,
      headers: { ...from(address), ...headers },
    });
  /** Everything that a stranger can make the database keep. */
  const kept = async () => {
    const [row] = await server.database.sql<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM ticket) AS tickets,
         (SELECT count(*)::int FROM ticket WHERE expires_at > now()) AS open,
         (SELECT count(*)::int FROM engine_record) AS records`,
    );
    return row as { tickets: number; open: number; records: number };
  };
  const growth = async (work: () => Promise<unknown>) => {
    const before = await kept();
    await work();
    const after = await kept();
    return { tickets: after.tickets - before.tickets, records: after.records - before.records, open: after.open };
  };
  /** Takes every place the address has. */
  const fill = async (address: string) => {
    for (let turn = 0; turn < PER_ADDRESS; turn += 1) await openPage(server, shop.request(), from(address));
  };
  const isFull = ({ status, headers }: RawAnswer) => status === 429 && Number(headers['retry-after']) > 0;

  it('T76: four hundred page loads at once from one address write what it may have and no more; others sign in', async () => {
    const phone = await person(server.app, server);
    let answers: RawAnswer[] = [];
    const grown = await growth(async () => {
      const flood = Promise.all(Array.from({ length: 400 }, () => load('192.0.2.1', shop.request())));
      const { code } = await login(server, phone, shop.request());
      expect((await shop.exchange(code)).json()).toHaveProperty('openid');
      answers = await flood;
    });
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(PER_ADDRESS);
    expect(answers.filter(isFull)).toHaveLength(400 - PER_ADDRESS);
    // The one who signed in has a ticket as well.
    expect(grown.tickets).toBe(PER_ADDRESS + 1);
    expect(await server.database.sql("SELECT 1 FROM ticket WHERE address_key = '192.0.2.1'")).toHaveLength(PER_ADDRESS);
    expect(await server.database.sql("SELECT 1 FROM engine_record WHERE kind = 'Interaction'")).toHaveLength(
      PER_ADDRESS,
    );
    expect(server.log().match(/as many tickets are open as may be/g)).toHaveLength(1);
  });

  it('T76: the page that says so speaks both languages, tells what to do, and shows in the site’s frame', async () => {
    await fill('192.0.2.2');
    const framed = { 'sec-fetch-dest': 'iframe', referer: 'http://127.0.0.1:9/' };
    for (const [lang, words] of [
      ['en', 'wait a minute, then reload this page'],
      ['cn', '稍等一分钟后刷新本页'],
    ]) {
      const page = await load('192.0.2.2', { ...shop.request(), lang: String(lang) }, undefined, framed);
      expect(isFull(page)).toBe(true);
      expect(page.body).toContain(words);
      expect(page.body).toContain('data-error="tickets_full"');
      expect(page.headers['content-security-policy']).toContain('frame-ancestors http://127.0.0.1:9');
      expect(page.headers).not.toHaveProperty('x-frame-options');
      expect(page.headers).not.toHaveProperty('set-cookie');
    }
  });

  it('T76: an IPv6 network is one address, whatever its hosts are called', async () => {
    const answers = [];
    for (let turn = 0; turn <= PER_ADDRESS; turn += 1) answers.push(await load(`2001:db8:7::${turn}`, shop.request()));
    expect(answers.map(({ status }) => status)).toEqual([...Array(PER_ADDRESS).fill(200), 429]);
    expect((await load('2001:db8:8::1', shop.request())).status).toBe(200);
  });

  it('T76: every door that opens tickets is closed to an address that has too many, and writes nothing', async () => {
    const address = from('192.0.2.3');
    const anna = await person(server.app, server);
    const browser = new StandardBrowser(server);
    const begun = await browser.get(browser.authorizeUrl(house.request().query), address);
    const device = await deviceOf(server, house).ask();
    const shown = pageData<{ userCode: string; csrf: string }>(
      (await openDevice(server, anna, device.shown.user_code)).body,
    );
    const waiting = await openPage(server, shop.request(), address);
    const ownServer = await openHeadless(server, house.request().query, { ...basic(house), ...address });
    await fill('192.0.2.3').catch(() => {});
    const grown = await growth(async () => {
      const doors = {
        'the standard page': await browser.get(String(begun.headers.location), address),
        'a fresh code': await send(`${server.url}/api/qr/tickets/${waiting.ticketId}/renew`, {
          method: 'POST',
          headers: { authorization: `Bearer ${waiting.waitSecret}`, ...address },
        }),
        'a device': await anna.post('/phone/scan', { user_code: shown.userCode, csrf: shown.csrf }, address),
        'a page’s own QR code': await askTicket(
          server,
          { ...spa.request().query, client_id: spa.clientId },
          { origin: SPA, ...address },
        ),
      };
      for (const [door, answer] of Object.entries(doors)) expect([door, isFull(answer)]).toEqual([door, true]);
      expect(doors['the standard page'].body).toContain('data-error="tickets_full"');
      expect(doors['a fresh code'].json().error).toBe('too_many_requests');
      expect(doors['a page’s own QR code'].json().error).toBe('too_many_requests');
    });
    expect(grown).toMatchObject({ tickets: 0, records: 0 });
    // Still the same ticket, still waiting.
    expect((await waiting.status()).json()).toMatchObject({ status: 'pending' });
    // A site’s own server speaks for everybody there; its client’s budget bounds it.
    expect((await askTicket(server, house.request().query, { ...basic(house), ...address })).status).toBe(201);
    expect((await ownServer.renew()).status).toBe(201);
  });

  it('T76: what is given up, renewed or reloaded keeps its place until its time is over, or the table would fill', async () => {
    const address = from('192.0.2.4');
    const grown = await growth(async () => {
      for (let turn = 0; turn < PER_ADDRESS - 6; turn += 1) {
        const page = await openPage(server, shop.request(), address);
        await page.cancel();
      }
      let page = await openPage(server, shop.request(), address);
      for (let turn = 0; turn < 3; turn += 1) {
        const fresh = await send(`${server.url}/api/qr/tickets/${page.ticketId}/renew`, {
          method: 'POST',
          headers: { authorization: `Bearer ${page.waitSecret}`, ...address },
        });
        const { ticket_id: ticketId, wait_secret: waitSecret } = fresh.json<Record<string, string>>();
        page = { ...page, ticketId: String(ticketId), waitSecret: String(waitSecret) };
      }
      const browser = new StandardBrowser(server);
      const { headers } = await browser.get(browser.authorizeUrl(house.request().query), address);
      const reloads = [];
      for (let turn = 0; turn < 5; turn += 1) reloads.push(await browser.get(String(headers.location), address));
      expect(reloads.map(({ status }) => status)).toEqual([200, 200, 429, 429, 429]);
    });
    expect(grown.tickets).toBe(PER_ADDRESS);
    expect(isFull(await load('192.0.2.4', shop.request()))).toBe(true);
    await server.database.sql("UPDATE ticket SET expires_at = now() - interval '1 second'");
    await until(async () => (await load('192.0.2.4', shop.request())).status === 200, 'the address stays closed');
  });

  it('T76: a browser that cookies tell apart has five codes waiting; the oldest gives way to the sixth', async () => {
    const browser = new StandardBrowser(server);
    const pages = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const page = await browser.open(browser.authorizeUrl(house.request().query));
      pages.push(pageData<{ ticketId: string }>(page.body).ticketId);
    }
    const rows = await server.database.sql<{ id: string; status: string }>(
      'SELECT id, status FROM ticket WHERE id = ANY($1)',
      [pages],
    );
    const statuses = pages.map((id) => rows.find((row) => row.id === id)?.status);
    expect(statuses).toEqual([...Array(2).fill('cancelled'), ...Array(5).fill('pending')]);
  });

  it('T76: two nodes that are flooded at once let in no more than one would, and a tenth', async () => {
    const flood = Array.from({ length: 200 }, (_, turn) =>
      load('192.0.2.5', shop.request(), turn % 2 === 0 ? undefined : other),
    );
    const opened = (await Promise.all(flood)).filter(({ status }) => status === 200).length;
    expect(opened).toBeGreaterThanOrEqual(PER_ADDRESS);
    expect(opened).toBeLessThanOrEqual(PER_ADDRESS * 1.1);
    expect(isFull(await load('192.0.2.5', shop.request(), other))).toBe(true);
  });

  it('T76: requests of strangers are bounded before any ticket: at the authorization, pushed and device endpoints together', async () => {
    const address = from('192.0.2.6');
    const browser = () => new StandardBrowser(server);
    const ask = () => browser().get(browser().authorizeUrl(house.request().query), address);
    const push = (site: OauthSite, proof: Record<string, string>) =>
      postTo(server, '/oauth/par', site.request().query, { ...proof, ...address });
    const grown = await growth(async () => {
      const asked = await Promise.all(Array.from({ length: 100 }, ask));
      expect(asked.filter(({ status }) => status === 303)).toHaveLength(PER_ADDRESS * 3);
      expect(asked.filter(isFull)).toHaveLength(100 - PER_ADDRESS * 3);
    });
    expect(grown.records).toBe(PER_ADDRESS * 3);
    expect(isFull(await push(spa, {}))).toBe(true);
    expect(isFull((await deviceOf(server, spa).ask({ scope: 'openid' }, address)).answer)).toBe(true);
    // Who has proved who it is is nobody’s stranger, and neither is a refusal.
    const elsewhere = from('192.0.2.7');
    for (let turn = 0; turn < PER_ADDRESS * 3 + 5; turn += 1) {
      const proven = await postTo(server, '/oauth/par', house.request().query, { ...basic(house), ...elsewhere });
      expect(proven.status).toBe(201);
    }
    const pushed = await postTo(server, '/oauth/par', spa.request().query, elsewhere);
    expect(pushed.status).toBe(201);
  });

  it('T76: a page’s request that no ticket comes of is kept as well, and counts with the others of its address', async () => {
    const address = { ...from('192.0.2.8'), origin: SPA };
    const ask = (more = {}) => askTicket(server, { ...spa.request().query, ...more }, address);
    const grown = await growth(async () => {
      for (let turn = 0; turn < PER_ADDRESS * 3; turn += 1) expect((await ask({ prompt: 'none' })).status).toBe(400);
      expect(isFull(await ask({ prompt: 'none' }))).toBe(true);
      expect(isFull(await ask())).toBe(true);
    });
    expect([grown.tickets, grown.records]).toEqual([0, PER_ADDRESS * 3]);
    // What was refused at once was not kept.
    const elsewhere = { ...from('192.0.2.9'), origin: SPA };
    for (let turn = 0; turn < PER_ADDRESS * 3 + 5; turn += 1) {
      const refused = await askTicket(
        server,
        { ...spa.request().query, redirect_uri: 'https://no.example/' },
        elsewhere,
      );
      expect(refused.status).toBe(400);
    }
    expect((await askTicket(server, spa.request().query, elsewhere)).status).toBe(201);
  });

  it('T76: one client’s sign-ins have an end, and so have all together, whatever the addresses', async () => {
    const [mine, yours] = [await wechatSite(server.app, server), await wechatSite(server.app, server)];
    await until(async () => (await kept()).open === 0, 'something is still open');
    // The count of a moment ago is forgotten with this.
    await until(async () => (await load('198.51.100.1', mine.request())).status === 200, 'there is no room');
    const flood = (site: WechatSite, addresses: string, times: number) =>
      Promise.all(Array.from({ length: times }, (_, turn) => load(`${addresses}.${turn}`, site.request())));
    expect((await flood(mine, '198.51.100', 100)).filter(({ status }) => status === 200).length).toBe(PER_CLIENT - 1);
    const others = await flood(yours, '203.0.113', 100);
    expect(others.filter(({ status }) => status === 200)).toHaveLength(IN_ALL - PER_CLIENT);
    expect(others.filter(isFull)).toHaveLength(100 - (IN_ALL - PER_CLIENT));
    expect((await kept()).open).toBe(IN_ALL);
  });

  it('T76: a site’s own server that asks for more than its client may have leaves nothing behind either', async () => {
    await until(async () => (await kept()).open === 0, 'something is still open');
    const own = await oauthSite(server.app, server);
    const asked = () => askTicket(server, own.request().query, basic(own));
    await until(async () => (await asked()).status === 201, 'there is no room');
    const opened = await Promise.all(Array.from({ length: PER_CLIENT }, asked));
    expect(opened.filter(isFull)).toHaveLength(1);
    const { records } = await growth(async () => {
      for (let turn = 0; turn < 10; turn += 1) expect((await asked()).status).toBe(429);
    });
    expect(records).toBe(0);
  });
});
