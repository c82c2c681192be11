/** Group A of the threat model, T1 to T4: what a person, an observer and a guesser get of a ticket. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData, type RawAnswer } from '../support/http.js';
import { openPage } from '../support/page.js';
import { approve, forgetScans } from '../support/story.js';
import { matchCodeOf, openTicketHouse, type TicketHouse, wrongMatchCode } from '../support/ticket-house.js';

const CALLS = [
  ['GET', ''],
  ['GET', '?wait=25&seen=pending'],
  ['POST', '/redeem'],
  ['POST', '/continue'],
  ['POST', '/renew'],
  ['DELETE', ''],
] as const;

/** What a stranger can compare of two answers. */
function visible({ status, headers, body }: RawAnswer): unknown {
  const { date: _, ...rest } = headers;
  return { status, headers: rest, body };
}

describe('the QR ticket', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let anna: TicketHouse['anna'];
  let statusOf: TicketHouse['statusOf'];
  let ask: TicketHouse['ask'];

  beforeAll(async () => {
    ({ server, shop, house, anna, statusOf, ask } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  let strangers = 0;
  const stranger = () => {
    strangers += 1;
    return `198.51.100.${strangers}`;
  };

  it('T1 lets nobody confirm without the match code the waiting page shows, and gives one try', async () => {
    for (const code of [undefined, 'wrong'] as const) {
      const page = await openPage(server, shop.request());
      const scanned = await anna.scan(page.qr);
      const right = await matchCodeOf(page);
      const refused = await anna.confirm(scanned, code && wrongMatchCode(right));
      expect([refused.status, refused.json().error]).toEqual([403, 'match_code_wrong']);
      expect(await statusOf(page.ticketId)).toBe('denied');
      expect((await anna.confirm(scanned, right)).status).toBe(410);
      expect((await page.redeem()).status).toBe(409);
    }
    const page = await openPage(server, shop.request());
    const scanned = await anna.scan(page.qr);
    expect((await anna.confirm(scanned, await matchCodeOf(page))).status).toBe(200);
  });

  it('T1 tells the phone no match code: not in the QR code, on its pages or in its answers', async () => {
    const page = await openPage(server, shop.request());
    await server.database.sql('UPDATE ticket SET match_required = true WHERE id = $1', [page.ticketId]);
    const scanned = await anna.scan(page.qr);
    const code = await matchCodeOf(page);
    expect(code).toMatch(/^\d\d$/);
    expect(Object.keys(scanned.answer.json()).sort()).toEqual(
      [
        'browser',
        'client',
        'expires_in',
        'fresh_sign_in',
        'match_code',
        'place',
        'remember',
        'request',
        'scan_grant',
      ].sort(),
    );
    expect(scanned.answer.json()).toMatchObject({ match_code: 'required', fresh_sign_in: 'off', remember: 'off' });
    expect(pageData((await anna.open(page.qr)).body)).toMatchObject({ matchCode: 'required' });
    expect(page.qr).toMatch(/\/s\/[\w-]{27}$/);
  });

  it('T2 gives an observer without the wait secret the same 404 as for an unknown ticket', async () => {
    const page = await openPage(server, shop.request());
    const other = await openPage(server, shop.request());
    const scanToken = page.qr.split('/').pop() as string;
    const proofs: Array<Record<string, string | string[]>> = [
      {},
      ...[
        other.waitSecret,
        page.waitSecret.slice(0, -1),
        `${page.waitSecret}x`,
        scanToken,
        page.ticketId,
        'null',
        'undefined',
        '[]',
        '\u0001',
      ].map((secret) => ({ authorization: `Bearer ${secret.replace('\u0001', 'x y')}` })),
      { authorization: 'Bearer ' },
      { authorization: page.waitSecret },
      { authorization: `Basic ${Buffer.from(`${page.ticketId}:${page.waitSecret}`).toString('base64')}` },
      { authorization: `bearer  ${page.waitSecret}` },
      { cookie: `wait_secret=${page.waitSecret}; ticket=${page.ticketId}` },
      { 'x-wait-secret': page.waitSecret },
    ];
    for (const call of CALLS) {
      const from = { 'x-forwarded-for': stranger() };
      const unknown = visible(
        await ask('A'.repeat(page.ticketId.length), call, { ...from, authorization: `Bearer ${page.waitSecret}` }),
      );
      expect(unknown).toMatchObject({ status: 404 });
      expect(JSON.stringify(unknown)).not.toMatch(/set-cookie/i);
      for (const proof of proofs) {
        expect(visible(await ask(page.ticketId, call, { ...from, ...proof })), JSON.stringify([call, proof])).toEqual(
          unknown,
        );
      }
    }
    await approve(anna, page);
    expect((await page.redeem()).status).toBe(200);
  });

  it('T2 takes the wait secret from the Authorization header only, and no odd ticket id for a fault of its own', async () => {
    const page = await openPage(server, shop.request());
    await approve(anna, page);
    const secret = page.waitSecret;
    const bodies = [{ wait_secret: secret }, { waitSecret: [secret] }, { authorization: `Bearer ${secret}` }, [secret]];
    for (const body of bodies) {
      const headers = { 'x-forwarded-for': stranger(), 'content-type': 'application/json' };
      expect(
        (
          await ask(
            page.ticketId,
            ['POST', `/redeem?wait_secret=${secret}&token=${secret}`],
            headers,
            JSON.stringify(body),
          )
        ).status,
      ).toBe(404);
    }
    for (const id of [
      '%00',
      `${page.ticketId}%00`,
      '%ff',
      '..%2f',
      '%2e%2e%2f..',
      `${page.ticketId}%20`,
      "'--",
      'a'.repeat(500),
      '[object Object]',
    ]) {
      const answer = await ask(id, ['GET', ''], { 'x-forwarded-for': stranger(), authorization: `Bearer ${secret}` });
      expect([id, answer.status]).toEqual([id, 404]);
    }
    expect((await page.redeem()).status).toBe(200);
  });

  it('T3 answers a thousand guesses with 404, and soon with 429, and the owner as ever', async () => {
    const page = await openPage(server, shop.request());
    const network = `2001:db8:${stranger().split('.').pop()}`;
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        ask(`${'A'.repeat(18)}${1000 + i}`, ['GET', ''], {
          'x-forwarded-for': `${network}::${i.toString(16)}`,
          authorization: `Bearer ${page.waitSecret}`,
        }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 404).length + refused.length).toBe(1_000);
    // Guesses under way together may pass the limit of sixty a minute together.
    expect(refused.length).toBeGreaterThan(800);
    expect(refused.every(({ headers }) => Number(headers['retry-after']) > 0)).toBe(true);
    expect((await page.status()).status).toBe(200);
  });

  it('T4 never takes an id from the page that asks', async () => {
    const wish = 'wish0wish0wish0wish0wi';
    const names = [
      'ticket',
      'ticket_id',
      'ticketId',
      'uuid',
      'qrid',
      'id',
      'sid',
      'scan_token',
      'wait_secret',
      'uid',
      'request_uid',
    ];
    const wishes = Object.fromEntries(names.map((name) => [name, wish]));
    const headers = Object.fromEntries(names.map((name) => [`x-${name.replaceAll('_', '-')}`, wish]));
    headers.cookie = names.map((name) => `${name}=${wish}`).join('; ');
    for (const query of [shop.request(wishes), house.request(wishes).query]) {
      const page = await openPage(server, query, headers);
      const rows = await server.database.sql('SELECT * FROM ticket WHERE id = $1', [page.ticketId]);
      expect(rows).toHaveLength(1);
      expect(JSON.stringify([page.ticketId, page.waitSecret, page.qr, rows])).not.toContain(wish);
      const renewed = await ask(
        page.ticketId,
        ['POST', `/renew?${new URLSearchParams(wishes)}`],
        { authorization: `Bearer ${page.waitSecret}`, 'content-type': 'application/json' },
        JSON.stringify(wishes),
      );
      expect(renewed.status).toBe(201);
      expect(renewed.body).not.toContain(wish);
    }
  });
});
