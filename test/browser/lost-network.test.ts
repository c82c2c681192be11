/** The network goes away while a page waits: it says so, recovers without a reload, and the login is not lost. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BadNetwork, type Desk, openBadNetwork } from '../support/bad-network.js';
import { matchCodeOn, scanScreen } from '../support/screen.js';

let net: BadNetwork;

beforeAll(async () => {
  net = await openBadNetwork();
});
afterAll(() => net?.stop());
afterEach(() => net.clear());

const CUT =
  /net::ERR_(CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED|SOCKET_NOT_CONNECTED)|WebSocket connection to .* failed/;
const saysLost = (desk: Desk) => expect.poll(desk.headline).toBe('Connection lost');
/** From where the page stands: its own network, a wake-up, somebody who looks at it again. */
const tell = (desk: Desk, event: string) => desk.frame.locator('body').evaluate(`${event}`);
const hears = (way: RegExp) => expect.poll(() => net.proxy.seen.some((line) => way.test(line))).toBe(true);
const expectNoReload = (desk: Desk, more = 0) => expect(desk.documents()).toBe(2 + more);

describe.each([
  ['socket', / \/api\/qr\/socket /],
  ['events', /\/events /],
])('a page that waits by %s', (transports, way) => {
  it('says that the connection is lost, keeps its code, and goes on without a reload when it is back', async () => {
    const desk = await net.open({ transports });
    desk.foretell(CUT);
    await hears(way);
    net.proxy.set('down');
    await saysLost(desk);
    expect(await scanScreen(desk.page, desk.frame)).toBe(desk.qr);
    const scanned = await net.scan(desk);
    net.proxy.set('up');
    await net.finish(desk, scanned);
    expectNoReload(desk, 1);
    expect(desk.complaints()).toEqual([]);
  });
});

describe('a waiting page', () => {
  it('finds out on its return that the phone allowed it meanwhile; the number stayed readable', async () => {
    const desk = await net.open();
    desk.foretell(CUT);
    const scanned = await net.scan(desk);
    const code = await matchCodeOn(desk.frame);
    net.proxy.set('down');
    await saysLost(desk);
    // The person may be typing it.
    expect(await matchCodeOn(desk.frame)).toBe(code);
    expect((await net.phone.confirm(scanned, code)).status).toBe(200);
    net.proxy.set('up');
    await tell(desk, "dispatchEvent(new Event('online'))");
    await desk.page.waitForURL(`${net.site.url}/callback?*`);
    expectNoReload(desk, 1);
    expect(desk.complaints()).toEqual([]);
  });

  it('notices that nothing passes any more on a connection that nobody has closed', async () => {
    const desk = await net.open({}, { clock: true });
    await net.fallSilent();
    const scanned = await net.scan(desk);
    // Its question whether somebody is there goes out after 20 s; an answer would take 5 at most.
    for (let seconds = 0; seconds < 30; seconds += 2) await desk.page.clock.runFor(2_000);
    await net.finish(desk, scanned);
    expectNoReload(desk, 1);
    expect(desk.complaints()).toEqual([]);
  });

  it('asks at once when its tab is shown again', async () => {
    const desk = await net.open({}, { clock: true });
    const show = (state: string) =>
      tell(
        desk,
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await show('hidden');
    await net.fallSilent();
    const scanned = await net.scan(desk);
    await show('visible');
    await desk.frame.locator('#match-code').waitFor();
    // By then it knows that its connection is dead, and has another.
    await desk.page.clock.runFor(6_000);
    await net.finish(desk, scanned);
    expectNoReload(desk, 1);
    expect(desk.complaints()).toEqual([]);
  });

  it.each(['socket', 'events'])(
    'wakes up with a laptop whose connections died in its sleep (%s)',
    async (transports) => {
      const desk = await net.open({ transports }, { clock: true });
      const scanned = await net.scan(desk);
      const code = await matchCodeOn(desk.frame);
      await net.fallSilent();
      expect((await net.phone.confirm(scanned, code)).status).toBe(200);
      // Shorter than the ticket lives, longer than a stream may be silent.
      await desk.page.clock.fastForward(40_000);
      await desk.page.waitForURL(`${net.site.url}/callback?*`);
      expect(desk.complaints()).toEqual([]);
    },
  );

  it.each(['socket', 'long-poll'])('outlives a restart of the server (%s)', async (transports) => {
    const desk = await net.open({ transports });
    desk.foretell(CUT);
    await net.restart();
    await net.finish(desk, await net.scan(desk));
    expectNoReload(desk, 1);
    expect(desk.complaints()).toEqual([]);
  });
});
