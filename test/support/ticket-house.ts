/** A server with a site of each dialect and two people: where the ticket's stories are tried out, and what tests ask of its rows. */
import { pageData, type RawAnswer, send } from './http.js';
import { openPage, type WaitingPage } from './page.js';
import type { Phone } from './phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from './relying-party.js';
import { startApp, type TestApp } from './start-app.js';
import { forgetScans, person } from './story.js';

export interface TicketHouse {
  readonly server: TestApp;
  readonly shop: WechatSite;
  readonly house: OauthSite;
  readonly anna: Phone & { accountId: string; username: string };
  readonly ben: Phone & { accountId: string; username: string };
  /** What the ticket's row says, whatever time it is. */
  statusOf(ticketId: string): Promise<string | undefined>;
  /** Moves the ticket's life into the past. */
  age(ticketId: string, by: string): Promise<unknown>;
  /** One call at the ticket API with every header and byte in the test's hand. */
  ask(
    ticketId: string,
    call: readonly [method: string, path: string],
    headers: Record<string, string | string[]>,
    body?: string,
  ): Promise<RawAnswer>;
}

/** Trusts this machine as a proxy, so that strangers can call from addresses of their own. */
export async function openTicketHouse(): Promise<TicketHouse> {
  const server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  const { sql } = server.database;
  return {
    server,
    shop: await wechatSite(server.app, server),
    house: await oauthSite(server.app, server),
    anna: await person(server.app, server, 'Anna'),
    ben: await person(server.app, server, 'Ben'),
    statusOf: async (id) => (await sql<{ status: string }>('SELECT status FROM ticket WHERE id = $1', [id]))[0]?.status,
    age: (id, by) =>
      sql(
        'UPDATE ticket SET created_at = created_at - $2::interval, expires_at = expires_at - $2::interval WHERE id = $1',
        [id, by],
      ),
    ask: (id, [method, path], headers, body) =>
      send(`${server.url}/api/qr/tickets/${id}${path}`, { method, headers, body }),
  };
}

/** What the waiting page shows after the scan. */
export async function matchCodeOf(page: WaitingPage): Promise<string> {
  return (await page.status()).json<{ match_code: string }>().match_code;
}

export function wrongMatchCode(right: string): string {
  return right === '00' ? '01' : '00';
}

/** The token that binds this phone's decision to the page's ticket. */
export async function csrfOf(phone: Phone, page: WaitingPage): Promise<string> {
  return pageData<{ csrf: string }>((await phone.open(page.qr)).body).csrf;
}

/** What the QR code carries. */
export function scanTokenOf(page: WaitingPage): string {
  return page.qr.split('/').pop() as string;
}

export interface Decision {
  readonly path: '/phone/scan' | '/phone/confirm' | '/phone/deny';
  readonly body: Record<string, string> & { csrf: string };
  readonly page: WaitingPage;
}

/** Anna's three decisions, each ready to be posted, at a ticket in the state it needs. */
export async function decisionsOf({
  server,
  shop,
  anna,
}: Pick<TicketHouse, 'server' | 'shop' | 'anna'>): Promise<Decision[]> {
  await forgetScans(server.database);
  const [scan, confirm, deny] = [
    await openPage(server, shop.request()),
    await openPage(server, shop.request()),
    await openPage(server, shop.request()),
  ];
  const [one, two] = [await anna.scan(confirm.qr), await anna.scan(deny.qr)];
  return [
    { path: '/phone/scan', page: scan, body: { scan_token: scanTokenOf(scan), csrf: await csrfOf(anna, scan) } },
    {
      path: '/phone/confirm',
      page: confirm,
      body: { scan_grant: one.scanGrant, csrf: one.csrf, match_code: await matchCodeOf(confirm) },
    },
    { path: '/phone/deny', page: deny, body: { scan_grant: two.scanGrant, csrf: two.csrf } },
  ];
}
