/** Group A of the threat model, what only more than one server can show: T5 and T7 raced over two processes, T6 across a restart. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/secret.js';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { openPage, type WaitingPage, waiter } from '../support/page.js';
import { type Phone, phoneWith, signIn } from '../support/phone.js';
import { type Node, startNode } from '../support/start-app.js';
import { approve, forgetScans } from '../support/story.js';
import { matchCodeOf, openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const RACERS = 50;
const ROUNDS = 100;

type Where = { url: string; port: number };

describe('one ticket and two servers', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];
  let statusOf: TicketHouse['statusOf'];
  let age: TicketHouse['age'];
  let nodes: Node[] = [];

  const start = () => startNode({ databaseUrl: server.database.url, publicUrl: server.url });
  beforeAll(async () => {
    ({ server, shop, anna, ben, statusOf, age } = await openTicketHouse());
    nodes = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await server?.stop();
  });
  beforeEach(() => forgetScans(server.database));

  const at = (i: number): Where => ({ url: server.url, port: (nodes[i % 2] as Node).port });
  /** Many calls at once, every other one at the other server; how many answers had each status. */
  const race = async (count: number, call: (where: Where, i: number) => Promise<{ status: number }>) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => call(at(i), i)));
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return { answers, counts };
  };
  const redeemAt = (where: Where, page: WaitingPage) => waiter(where, page.ticketId, page.waitSecret).redeem();
  const codes = async () =>
    (
      await server.database.sql<{ n: number }>(
        "SELECT count(*)::int AS n FROM engine_record WHERE kind = 'AuthorizationCode'",
      )
    )[0]?.n;
  const csrfAt = async (phone: Phone, page: WaitingPage) =>
    pageData<{ csrf: string }>((await phone.open(page.qr)).body).csrf;
  const scanAt = (where: Where, phone: Phone, page: WaitingPage, csrf: string) =>
    phoneWith(where, phone.cookie).post('/phone/scan', { scan_token: page.qr.split('/').pop(), csrf });

  it('T5 gives the code to exactly one of fifty who ask at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const page = await openPage(at(round), shop.request());
      await approve(anna, page);
      const before = (await codes()) ?? 0;
      const { answers, counts } = await race(RACERS, (where) => redeemAt(where, page));
      expect(counts[200]).toBe(1);
      expect((counts[409] ?? 0) + (counts[410] ?? 0)).toBe(RACERS - 1);
      expect(await codes()).toBe(before + 1);
      const won = answers.find(({ status }) => status === 200) as Awaited<ReturnType<WaitingPage['redeem']>>;
      expect((await shop.exchange(String(won.json().code))).json()).toMatchObject({ openid: expect.any(String) });
    }
  });

  it('T5 counts the handle of the widget and the page itself as one', async () => {
    for (let round = 0; round < 5; round += 1) {
      const page = await openPage(at(round), shop.request());
      await approve(anna, page);
      const handle = (await page.continue()).json<{ continue: string }>().continue;
      const before = (await codes()) ?? 0;
      const { counts } = await race(RACERS, (where, i) =>
        i % 4 < 2 ? redeemAt(where, page) : send(handle, { port: where.port }),
      );
      expect((counts[200] ?? 0) + (counts[303] ?? 0)).toBe(1);
      expect((counts[409] ?? 0) + (counts[410] ?? 0)).toBe(RACERS - 1);
      expect(await codes()).toBe(before + 1);
    }
  });

  it('T5 answers a replay with 410 at once and two minutes later, and a second confirmation with 409', async () => {
    const page = await openPage(at(0), shop.request());
    const scanned = await anna.scan(page.qr);
    const code = await matchCodeOf(page);
    await anna.confirm(scanned, code);
    expect((await page.redeem()).status).toBe(200);
    for (const by of ['0 seconds', '1 second', '120 seconds']) {
      await age(page.ticketId, by);
      const replay = await redeemAt(at(1), page);
      expect([replay.status, replay.json().code]).toEqual([410, undefined]);
    }
    expect((await anna.confirm(scanned, code)).status).toBe(409);
  });

  it('T7 binds the ticket to one of two people who scan at once, and only that phone confirms, once', async () => {
    const annaElsewhere = await signIn(server, anna.username, 'a long enough one');
    const openids = new Map<Phone, string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round % 8 === 0) await forgetScans(server.database);
      const page = await openPage(at(round), shop.request());
      const elsewhere = await csrfAt(annaElsewhere, page);
      const tokens = await Promise.all([anna, ben].map((phone) => csrfAt(phone, page)));
      const scans = await Promise.all(
        [anna, ben].map((phone, i) => scanAt(at(round + i), phone, page, tokens[i] as string)),
      );
      expect(scans.map(({ status }) => status).sort()).toEqual([200, 409]);
      const first = scans[0]?.status === 200 ? 0 : 1;
      const [winner, loser] = first === 0 ? [anna, ben] : [ben, anna];
      const [won, lost] = [scans[first] as RawAnswer, scans[1 - first] as RawAnswer];
      expect(lost.json()).toEqual({ error: 'conflict', error_description: expect.any(String) });

      const code = await matchCodeOf(page);
      const grant = { scan_grant: won.json().scan_grant, match_code: code };
      expect((await loser.post('/phone/confirm', { ...grant, csrf: tokens[1 - first] })).status).toBe(403);
      expect((await annaElsewhere.post('/phone/confirm', { ...grant, csrf: elsewhere })).status).toBe(403);
      expect(await statusOf(page.ticketId)).toBe('scanned');
      const confirms = await Promise.all(
        [0, 1].map((i) =>
          phoneWith(at(round + i), winner.cookie).post('/phone/confirm', { ...grant, csrf: tokens[first] }),
        ),
      );
      expect(confirms.map(({ status }) => status).sort()).toEqual([200, 409]);

      const { openid } = (await shop.exchange(String((await page.redeem()).json().code))).json<{ openid: string }>();
      expect(openid).toBe(openids.get(winner) ?? openid);
      expect(openid).not.toBe(openids.get(loser));
      openids.set(winner, openid);
    }
  }, 60_000);

  it('T7 binds the ticket to exactly one of twenty phones that scan at once', async () => {
    const more = await Promise.all(
      Array.from({ length: 18 }, (_, i) =>
        signIn(at(i), i % 2 === 0 ? anna.username : ben.username, 'a long enough one'),
      ),
    );
    const page = await openPage(at(0), shop.request());
    const phones = [anna, ben, ...more];
    const tokens = await Promise.all(phones.map((phone) => csrfAt(phone, page)));
    const { answers, counts } = await race(phones.length, (where, i) =>
      scanAt(where, phones[i] as Phone, page, tokens[i] as string),
    );
    expect(counts).toEqual({ 200: 1, 409: phones.length - 1 });
    const [row] = await server.database.sql<{ cookie_hash: string }>(
      'SELECT s.secret_hash AS cookie_hash FROM ticket t JOIN phone_session s ON s.id = t.scanned_session WHERE t.id = $1',
      [page.ticketId],
    );
    const winner = phones[answers.findIndex(({ status }) => status === 200)] as Phone;
    expect(row?.cookie_hash).toBe(hashSecret(winner.cookie.split('=')[1] as string));
  });

  it('T6 draws one fresh QR code when a page asks for it twenty times at once', async () => {
    const page = await openPage(at(0), shop.request());
    const { counts } = await race(20, (where) => waiter(where, page.ticketId, page.waitSecret).renew());
    expect(counts[201]).toBe(1);
    expect((counts[409] ?? 0) + (counts[410] ?? 0)).toBe(19);
  });

  it('T6 knows after a restart what is over and what is not', async () => {
    const [page, old] = [await openPage(at(0), shop.request()), await openPage(at(0), shop.request())];
    await nodes[0]?.stop();
    await age(old.ticketId, '121 seconds');
    nodes[0] = await start();
    expect((await waiter(at(0), old.ticketId, old.waitSecret).status()).status).toBe(410);
    expect((await phoneWith(at(0), anna.cookie).open(old.qr)).status).toBe(410);
    expect((await waiter(at(0), page.ticketId, page.waitSecret).status()).json()).toMatchObject({ status: 'pending' });
  });

  it('tells a page that waits at one server of a scan at the other', async () => {
    const page = await openPage(at(0), shop.request());
    const waiting = waiter(at(0), page.ticketId, page.waitSecret).status('?wait=25&seen=pending');
    await phoneWith(at(1), anna.cookie).scan(page.qr);
    expect((await waiting).json()).toMatchObject({ status: 'scanned' });
  });
});
