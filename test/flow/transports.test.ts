import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPage, type WaitingPage } from '../support/page.js';
import { oauthSite, wechatSite } from '../support/relying-party.js';
import { forgetScans } from '../support/story.js';
import { openTicketHouse, type TicketHouse } from '../support/ticket-house.js';
import { eventsOf, longPollOf, socketOf, type Transport, waitBy } from '../support/transports.js';

let place: TicketHouse;
let page: WaitingPage;

beforeAll(async () => {
  place = await openTicketHouse();
});
afterAll(() => place?.server.stop());
beforeEach(async () => {
  await forgetScans(place.server.database);
  page = await openPage(place.server, place.shop.request());
});

const HELD: Transport[] = ['socket', 'events', 'long-poll'];

describe.each(HELD)('waiting by %s', (transport) => {
  const wait = (of = page) => waitBy(transport, place.server, of);

  it('tells the status at once, then the match code, then that it is confirmed, and nothing of the code', async () => {
    const waiting = wait();
    expect(await waiting.next()).toEqual({ status: 'pending', expires_in: expect.any(Number) });
    const scanned = await place.anna.scan(page.qr);
    const seen = await waiting.next();
    expect(seen).toEqual({
      status: 'scanned',
      match_code: expect.stringMatching(/^\d\d$/),
      expires_in: expect.any(Number),
    });
    expect(seen.expires_in).toBeLessThanOrEqual(60);
    await place.anna.confirm(scanned, seen.match_code);
    expect(await waiting.next()).toEqual({ status: 'confirmed', expires_in: expect.any(Number) });
    expect((await page.redeem()).status).toBe(200);
    // The end of it: the code went to the one who redeemed.
    expect(await waiting.next()).toEqual({ status: 'redeemed', expires_in: 0 });
    expect([1000, 'status', 200]).toContain(await waiting.ended);
  });

  it('tells a denial and ends', async () => {
    const waiting = wait();
    await place.anna.deny(await place.anna.scan(page.qr));
    await waiting.ended;
    expect(waiting.told.at(-1)).toEqual({ status: 'denied', expires_in: 0 });
  });

  it('answers an unknown ticket and a wrong secret alike, and one that is over as gone', async () => {
    const { ticketId, waitSecret } = page;
    const unknown = { ticketId: 'x'.repeat(22), waitSecret };
    const wrong = { ticketId, waitSecret: 'w'.repeat(43) };
    const notFound = transport === 'socket' ? 4404 : 404;
    for (const ticket of [unknown, wrong]) {
      expect(await waitBy(transport, place.server, ticket).ended).toBe(notFound);
    }
    await page.cancel();
    expect(await wait().ended).toBe(transport === 'socket' ? 4410 : 410);
  });

  it('hears of the end of time without anybody saying so', async () => {
    const waiting = wait();
    await waiting.next();
    await place.age(page.ticketId, '1 hour');
    await waiting.ended;
    // A held request that meets the end is answered as any request would be.
    if (transport === 'long-poll') expect(await waiting.ended).toBe(410);
    else expect(waiting.told.at(-1)).toEqual({ status: 'expired', expires_in: 0 });
  });
});

it('holds no long poll for a change of what never changes', async () => {
  await page.cancel();
  const denied = await openPage(place.server, place.shop.request());
  await place.anna.deny(await place.anna.scan(denied.qr));
  const started = performance.now();
  expect((await page.status('?wait=25&seen=cancelled')).status).toBe(410);
  expect((await denied.status('?wait=25&seen=denied')).json()).toMatchObject({ status: 'denied' });
  expect(performance.now() - started).toBeLessThan(10_000);
});

describe('one waiter per ticket', () => {
  it('lets the older one go when a newer one comes, by whatever transport', async () => {
    const socket = socketOf(place.server, page);
    await socket.next();
    const events = eventsOf(place.server, page);
    await events.next();
    expect(await socket.ended).toBe(4409);
    const again = socketOf(place.server, page);
    await again.next();
    expect(await events.ended).toBe('superseded');
    const poll = longPollOf(place.server, page);
    await poll.next();
    expect(await again.ended).toBe(4409);
    poll.hangUp();
  });

  it('lets nobody take the place who does not hold the secret', async () => {
    const waiting = socketOf(place.server, page);
    await waiting.next();
    const stranger = { ticketId: page.ticketId, waitSecret: 'w'.repeat(43) };
    for (const transport of HELD) await waitBy(transport, place.server, stranger).ended;
    await place.anna.scan(page.qr);
    expect((await waiting.next()).status).toBe('scanned');
    waiting.hangUp();
  });
});

describe('the WebSocket', () => {
  it('answers ping with pong, and closes on any other word', async () => {
    const { ws, ended, next } = socketOf(place.server, page);
    await next();
    ws.send('ping');
    const [data] = (await once(ws, 'message')) as [Buffer];
    expect(String(data)).toBe('pong');
    ws.send('{"status":"confirmed"}');
    expect(await ended).toBe(4400);
  });

  it('closes on a second ping that follows the first too soon', async () => {
    const { ws, ended, next } = socketOf(place.server, page);
    await next();
    ws.send('ping');
    ws.send('ping');
    expect(await ended).toBe(4400);
  });

  it.each([
    ['no JSON', 'hello', 4400],
    ['an unknown field', '{"ticket_id":"a","wait_secret":"b","callback":"x"}', 4400],
    ['a secret that is no text', '{"ticket_id":"a","wait_secret":1}', 4400],
    ['bytes', Buffer.from('{}'), 4400],
    ['more than a page has to say', 'x'.repeat(2000), 1009],
  ])('closes on a first message that is %s', async (_what, first, code) => {
    expect(await socketOf(place.server, page, { first }).ended).toBe(code);
  });

  it('closes when the first message does not come', async () => {
    expect(await socketOf(place.server, page, { first: null }).ended).toBe(4408);
  });

  it('is at its one address only, and answers what else asks for an upgrade as if it had not', async () => {
    expect(await socketOf(place.server, page, { path: '/api/qr/other' }).ended).toBe(404);
    expect(await socketOf(place.server, page, { headers: { host: 'evil.example' } }).ended).toBe(421);
    const { port, host } = new URL(place.server.url);
    const socket = connect(Number(port), '127.0.0.1');
    // As Java's HttpClient asks each plain server.
    socket.write(
      `GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    // And the connection goes on.
    socket.write(`POST /health/live HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    expect(String(((await once(socket, 'data')) as [Buffer])[0])).toMatch(/^HTTP\/1\.1 405 /);
    socket.destroy();
  });

  it('T34 lets in our own page and the registered pages of the ticket’s client, and refuses foreign, missing and opaque origins', async () => {
    const registered = 'https://shop.example.test';
    const others = 'https://another.example.test';
    const shop = await wechatSite(place.server.app, place.server, { embedOrigins: [registered] });
    await oauthSite(place.server.app, place.server, { embedOrigins: [others] });
    for (const origin of ['https://evil.example', `${place.server.url}.evil.example`, 'null', null]) {
      expect(await socketOf(place.server, page, { origin }).ended).toBe(403);
    }
    const own = await openPage(place.server, shop.request());
    const ours = socketOf(place.server, own, { origin: registered });
    expect((await ours.next()).status).toBe('pending');
    ours.hangUp();
    expect(await socketOf(place.server, own, { origin: others }).ended).toBe(4403);
  });
});

describe('the event stream', () => {
  it('is never cached, buffered or compressed, and answers no HEAD', async () => {
    const { req, next, hangUp } = eventsOf(place.server, page, { 'accept-encoding': 'gzip' });
    const [res] = await once(req, 'response');
    await next();
    expect(res.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(res.headers['content-encoding']).toBeUndefined();
    hangUp();
    const head = await place.ask(page.ticketId, ['HEAD', '/events'], { authorization: `Bearer ${page.waitSecret}` });
    expect(head.status).toBe(405);
  });
});

describe('a server that stops', () => {
  it('lets everybody go at once, by every transport', async () => {
    const own = await openTicketHouse();
    const pages = await Promise.all(HELD.map(() => openPage(own.server, own.shop.request())));
    const waiting = HELD.map((transport, i) => waitBy(transport, own.server, pages[i] as WaitingPage));
    await Promise.all(waiting.map((one) => one.next()));
    await own.server.stop();
    expect(await waiting[0]?.ended).toBe(1001);
    expect(await waiting[1]?.ended).toBe('status');
    expect(await waiting[2]?.ended).toBe('cut');
  });
});
