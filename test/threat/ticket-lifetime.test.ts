/** Group A of the threat model, T6 and T8: tickets end in time, and skip no state. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData } from '../support/http.js';
import { openPage } from '../support/page.js';
import { forgetScans } from '../support/story.js';
import { matchCodeOf, openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

describe('the life of a ticket', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];
  let statusOf: TicketHouse['statusOf'];
  let age: TicketHouse['age'];

  beforeAll(async () => {
    ({ server, shop, anna, ben, statusOf, age } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  it('T6 ends an unscanned ticket after 120 s, a scanned one after 60 s, a confirmed one after 30 s', async () => {
    for (const [status, seconds] of [
      ['pending', 120],
      ['scanned', 60],
      ['confirmed', 30],
    ] as const) {
      for (const [by, over] of [
        [seconds - 15, false],
        [seconds + 1, true],
      ] as const) {
        const page = await openPage(server, shop.request());
        const scanned = status === 'pending' ? undefined : await anna.scan(page.qr);
        const code = scanned ? await matchCodeOf(page) : '';
        if (scanned && status === 'confirmed') await anna.confirm(scanned, code);
        await age(page.ticketId, `${by} seconds`);
        expect((await page.status()).status, `${status} after ${by} s`).toBe(over ? 410 : 200);
        if (!over) continue;
        expect((await anna.open(page.qr)).status).toBe(410);
        if (scanned) expect((await anna.confirm(scanned, code)).status).toBe(410);
        expect([(await page.redeem()).status, (await page.continue()).status, (await page.cancel()).status]).toEqual([
          410, 410, 410,
        ]);
      }
      await forgetScans(server.database);
    }
  });

  it('T6 refuses the scan of a page that was opened in time and posted too late', async () => {
    const page = await openPage(server, shop.request());
    const { csrf, scanToken } = pageData<{ csrf: string; scanToken: string }>((await anna.open(page.qr)).body);
    await age(page.ticketId, '121 seconds');
    expect((await anna.post('/phone/scan', { scan_token: scanToken, csrf })).status).toBe(410);
    expect(await statusOf(page.ticketId)).toBe('pending');
  });

  it('T6 ends the old ticket in the request that draws a fresh QR code, and on closing the page', async () => {
    const page = await openPage(server, shop.request());
    const scanned = await anna.scan(page.qr);
    expect((await page.renew()).status).toBe(201);
    expect((await page.status()).status).toBe(410);
    expect((await anna.confirm(scanned, '00')).status).toBe(410);
    const closed = await openPage(server, shop.request());
    expect((await closed.cancel()).status).toBe(204);
    expect((await anna.open(closed.qr)).status).toBe(410);
  });

  it('T8 skips no state: what is not due is refused and changes nothing', async () => {
    const page = await openPage(server, shop.request());
    const { csrf } = pageData<{ csrf: string }>((await anna.open(page.qr)).body);
    const forged = { scan_grant: `${page.ticketId}.${'A'.repeat(43)}`, csrf };
    expect((await anna.post('/phone/confirm', { ...forged, match_code: '00' })).status).toBe(409);
    expect((await anna.post('/phone/deny', forged)).status).toBe(409);
    expect([(await page.redeem()).status, (await page.continue()).status]).toEqual([409, 409]);
    expect(await statusOf(page.ticketId)).toBe('pending');

    const bens = pageData<{ csrf: string }>((await ben.open(page.qr)).body).csrf;
    const scanned = await anna.scan(page.qr);
    const code = await matchCodeOf(page);
    expect((await page.redeem()).status).toBe(409);
    for (const grant of [scanned.scanGrant, forged.scan_grant]) {
      expect((await ben.post('/phone/deny', { scan_grant: grant, csrf: bens })).status).toBe(403);
      expect((await ben.post('/phone/confirm', { scan_grant: grant, csrf: bens, match_code: code })).status).toBe(403);
    }
    expect((await anna.post('/phone/confirm', { ...forged, match_code: code })).status).toBe(403);
    expect(await statusOf(page.ticketId)).toBe('scanned');

    expect((await anna.deny(scanned)).status).toBe(200);
    expect((await anna.confirm(scanned, code)).status).toBe(410);
    expect((await anna.deny(scanned)).status).toBe(410);
    expect([(await page.redeem()).status, (await page.cancel()).status]).toEqual([409, 409]);
    expect(await statusOf(page.ticketId)).toBe('denied');
  });
});
