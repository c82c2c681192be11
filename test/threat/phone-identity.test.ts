/** Group B of the threat model: T18: who the phone is, its session says and nothing else. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RawAnswer } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { phoneWith } from '../support/phone.js';
import { oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';
import {
  csrfOf,
  decisionsOf,
  matchCodeOf,
  openTicketHouse,
  scanTokenOf,
  type TicketHouse,
} from '../support/ticket-house.js';

describe('the phone', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let anna: TicketHouse['anna'];
  let ben: TicketHouse['ben'];
  let statusOf: TicketHouse['statusOf'];

  beforeAll(async () => {
    ({ server, shop, anna, ben, statusOf } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const rowOf = async (page: WaitingPage) =>
    (await server.database.sql('SELECT * FROM ticket WHERE id = $1', [page.ticketId]))[0];
  it('T18 takes who it is from the session alone: a field that says otherwise is refused', async () => {
    const names = [
      'userId',
      'user_id',
      'openid',
      'unionid',
      'sub',
      'phone',
      'account',
      'account_id',
      'accountId',
      'uid',
      'username',
      'session_id',
      'subject',
      'scannedBy',
    ];
    const values = [ben.accountId, [ben.accountId], { id: ben.accountId }, [[ben.username]], null];
    for (const { path, body, page } of await decisionsOf({ server, shop, anna })) {
      const before = await rowOf(page);
      for (const name of names) {
        for (const value of values) {
          const answer = await anna.post(path, { ...body, [name]: value });
          expect([path, name, answer.status]).toEqual([path, name, 400]);
          expect(answer.body).not.toContain(ben.accountId);
        }
      }
      expect(await rowOf(page)).toEqual(before);
    }
  });

  it('T18 signs in the person whose phone it is, whatever headers and queries name another', async () => {
    const openid = async (phone: typeof anna, query = '', headers: Record<string, string> = {}) => {
      const page = await openPage(server, shop.request());
      const scan = await phone.post(
        `/phone/scan${query}`,
        { scan_token: scanTokenOf(page), csrf: await csrfOf(phone, page) },
        headers,
      );
      const grant = {
        scan_grant: scan.json().scan_grant,
        csrf: await csrfOf(phone, page),
        match_code: await matchCodeOf(page),
      };
      expect((await phone.post(`/phone/confirm${query}`, grant, headers)).status).toBe(200);
      expect(await statusOf(page.ticketId)).toBe('confirmed');
      return (await shop.exchange(String((await page.redeem()).json().code))).json().openid;
    };
    const [annas, bens] = [await openid(anna), await openid(ben)];
    expect(annas).not.toBe(bens);
    const lies = {
      'x-user-id': ben.accountId,
      'x-openid': String(bens),
      'x-remote-user': ben.username,
      authorization: `Bearer ${ben.cookie.split('=')[1]}`,
    };
    expect(await openid(anna, `?user_id=${ben.accountId}&openid=${bens}`, lies)).toBe(annas);
  });

  it('T18 believes neither of two session cookies, and no cookie of another name', async () => {
    const page = await openPage(server, shop.request());
    const csrf = await csrfOf(anna, page);
    const [, secret] = anna.cookie.split('=') as [string, string];
    for (const cookie of [
      `${anna.cookie}; ${ben.cookie}`,
      `${ben.cookie}; ${anna.cookie}`,
      `phone=${secret}`,
      `__host-phone=${secret}`,
      '',
    ]) {
      const answer = await phoneWith(server, cookie).post('/phone/scan', { scan_token: scanTokenOf(page), csrf });
      expect([cookie, answer.status]).toEqual([cookie, 401]);
    }
    expect(await statusOf(page.ticketId)).toBe('pending');
  });
});

describe('a phone of a server that trusts nobody', () => {
  it('T18 shows whose phone it is before anything is decided', async () => {
    const server = await startApp();
    try {
      const phone = await person(server.app, server, 'Carla');
      for (const page of [
        await openPage(server, (await wechatSite(server.app, server)).request()),
        await openPage(server, (await oauthSite(server.app, server)).request().query),
      ]) {
        const shown: RawAnswer = await phone.open(page.qr);
        expect(shown.body).toContain('Carla');
        expect(shown.body).toContain(phone.username);
      }
    } finally {
      await server.stop();
    }
  });
});
