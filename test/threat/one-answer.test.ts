import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageData, send } from '../support/http.js';
import { openPage, waiter } from '../support/page.js';
import { readQr } from '../support/qr.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, person } from '../support/story.js';

describe('one authorization request', () => {
  let server: TestApp;
  let site: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());

  it('T9 ends in one code, however many of its tickets were approved and redeemed at once', async () => {
    for (let round = 0; round < 5; round++) {
      const pages = [];
      for (let i = 0; i < 3; i++) pages.push(await openPage(server, site.request().query));
      // Three tickets of one request: no door opens them, so the rows are moved together.
      const ids = pages.map(({ ticketId }) => ticketId);
      await server.database.sql(
        'UPDATE ticket SET request_uid = (SELECT request_uid FROM ticket WHERE id = $1) WHERE id = ANY($2)',
        [ids[0], ids],
      );
      for (const page of pages) await approve(await person(server.app, server), page);
      const answers = await Promise.all(pages.map((page) => page.redeem()));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    }
  });

  it('T9 ends in a denial or in a code, never in both', async () => {
    for (let round = 0; round < 10; round++) {
      const phone = await person(server.app, server);
      const denied = await openPage(server, site.request().query);
      await phone.deny(await phone.scan(denied.qr));
      const fresh = (await denied.renew()).json<{ ticket_id: string; wait_secret: string; qr_url: string }>();
      const page = { ...denied, ...waiter(server, fresh.ticket_id, fresh.wait_secret), qr: fresh.qr_url };
      await approve(phone, page);
      const answers = await Promise.all([denied.redeem(), page.redeem()]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    }
  });

  it('T6 has one live ticket at the standard door: a reload cancels the one before', async () => {
    const begun = await send(`${server.url}/oauth/authorize?${new URLSearchParams(site.request().query)}`);
    const cookie = [begun.headers['set-cookie'] ?? []]
      .flat()
      .map((line) => line.split(';')[0])
      .join('; ');
    const open = async () => {
      const answer = await send(server.url + String(begun.headers.location), { headers: { cookie } });
      const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(answer.body);
      return { qr: readQr(answer.body), ...waiter(server, ticketId, waitSecret) };
    };
    const [first, second] = [await open(), await open()];
    expect((await first.status()).status).toBe(410);
    expect((await second.status()).json()).toMatchObject({ status: 'pending' });
    const phone = await person(server.app, server);
    expect((await phone.scan(first.qr)).answer.status).toBe(410);
    expect((await phone.scan(second.qr)).answer.status).toBe(200);
  });

  it('T5 is not ended by a HEAD or a prefetch of its one-time address', async () => {
    const page = await openPage(server, site.request().query);
    await approve(await person(server.app, server), page);
    const address = (await page.continue()).json<{ continue: string }>().continue;
    expect((await send(address, { method: 'HEAD' })).status).toBe(405);
    for (const [name, value] of Object.entries({
      'sec-purpose': 'prefetch',
      'x-moz': 'prefetch',
      'x-purpose': 'preview',
    })) {
      expect((await send(address, { headers: { [name]: value } })).status).toBe(204);
    }
    expect((await send(address)).status).toBe(303);
  });
});
