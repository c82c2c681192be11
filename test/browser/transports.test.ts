/** The waiting page over each transport, and over the next one where a network does not let the best one through. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BadNetwork, type Desk, openBadNetwork } from '../support/bad-network.js';
import { oauthSite } from '../support/relying-party.js';
import { scanFreshCode } from '../support/screen.js';
import { waitBy } from '../support/transports.js';

let net: BadNetwork;

beforeAll(async () => {
  net = await openBadNetwork();
});
afterAll(() => net?.stop());
afterEach(() => net.clear());

const asked = (what = '/api/qr/') => expect.poll(() => net.proxy.seen.some((line) => line.includes(what))).toBe(true);

/** The ways of hearing about the ticket, from its first moment to its last. */
const waysOf = async (desk: Desk) => {
  await asked();
  await net.finish(desk, await net.scan(desk));
  return net.ways();
};

describe.each([
  ['socket', ['socket']],
  ['events', ['events']],
  ['long-poll', ['ask', 'long-poll']],
  ['poll', ['ask']],
])('a framed page that waits by %s', (transports, ways) => {
  it('signs its visitor in, and asks in no other way', async () => {
    const desk = await net.open({ transports });
    expect(await waysOf(desk)).toEqual(ways);
    expect(desk.complaints()).toEqual([]);
  });
});

describe('a framed page', () => {
  it('begins with the socket, and goes by the order that a test names', async () => {
    expect(await waysOf(await net.open())).toEqual(['socket']);
    await net.open({ transports: 'nothing,poll,events' });
    await asked();
    expect(net.ways()).toEqual(['ask']);
  });

  it.each(['events', 'poll'])('draws a fresh code when the time of the old one is up (%s)', async (transports) => {
    const desk = await net.open({ transports });
    desk.foretell(/status of 410/);
    const newest = 'SELECT id FROM ticket ORDER BY created_at DESC LIMIT 1';
    await net.server.database.sql(`UPDATE ticket SET expires_at = now() WHERE id = (${newest})`);
    await scanFreshCode(desk.page, desk.frame, desk.qr);
    expect(desk.documents()).toBe(2);
  });

  it('takes the event stream where upgrades are refused, and the socket once they pass on another network', async () => {
    net.proxy.upgrades = 'refuse';
    const desk = await net.open();
    desk.foretell(/WebSocket connection to .* failed/);
    await asked('/events ');
    expect(net.ways()).toEqual(['socket', 'ask', 'events']);
    net.proxy.upgrades = 'pass';
    await desk.frame.locator('body').evaluate("dispatchEvent(new Event('online'))");
    await expect.poll(() => desk.requests.filter(({ kind }) => kind === 'websocket').length).toBe(2);
    await net.finish(desk, await net.scan(desk));
    expect(desk.documents()).toBe(3);
    expect(desk.complaints()).toEqual([]);
  });

  it('finds its way past a proxy that swallows upgrades and keeps streams back, and shows all at once meanwhile', async () => {
    Object.assign(net.proxy, { upgrades: 'swallow', streams: 'keep' });
    const desk = await net.open({}, { clock: true });
    desk.foretell(/WebSocket is closed before the connection is established/);
    await asked('/api/qr/socket ');
    const scanned = await net.scan(desk);
    // While no transport works yet the number is there already.
    await desk.frame.locator('#match-code').waitFor();
    // Each is given five seconds for its first word.
    await desk.page.clock.runFor(5_000);
    await asked('/events ');
    await desk.page.clock.runFor(5_000);
    await asked('?wait=');
    await net.finish(desk, scanned);
    expect(net.ways()).toEqual(['socket', 'ask', 'events', 'long-poll']);
    expect(desk.complaints()).toEqual([]);
  });

  it('asks every few seconds, and fights with nobody, once another page with its secret has taken its place', async () => {
    const desk = await net.open();
    const first = new Promise<string>((resolve) => {
      desk.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => resolve(String(payload))));
    });
    await desk.page.reload();
    const { ticket_id: ticketId, wait_secret: waitSecret } = JSON.parse(await first);
    const thief = waitBy('socket', { url: net.server.url, port: net.server.config.port }, { ticketId, waitSecret });
    await thief.next();
    net.ways();
    await expect.poll(() => net.proxy.seen.filter((line) => line.includes(ticketId)).length).toBeGreaterThan(1);
    expect(net.ways()).toEqual(['ask']);
    thief.hangUp();
    expect(await desk.headline()).toBe('Scan with your phone');
    expect(desk.complaints()).toEqual([]);
  });
});

describe('the login page of the standard door', () => {
  it('goes by the order that a test names, too', async () => {
    const house = await oauthSite(net.server.app, net.server, { redirectUris: [`${net.site.url}/callback`] });
    const { page } = await net.chrome.desktop();
    const { query } = house.request({ redirect_uri: `${net.site.url}/callback` });
    await page.goto(`${net.server.url}/oauth/authorize?${new URLSearchParams(query)}`);
    await asked();
    expect(net.ways()).toEqual(['socket']);
    await page.goto(`${page.url()}?transports=events`);
    await asked('/events ');
    expect(net.ways()).toEqual(['events']);
  });
});
