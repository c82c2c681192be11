/** What a watch leaves behind, and the small promises of its parts: nothing kept, nobody hurried, nobody worried. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../../clients/web/src/backoff.js';
import { Ladder } from '../../../clients/web/src/ladder.js';
import { PACE, type Pace, pause } from '../../../clients/web/src/pace.js';
import { request } from '../../../clients/web/src/request.js';
import { onWake } from '../../../clients/web/src/surroundings.js';
import { EventStream } from '../../../clients/web/src/transport/event-stream.js';
import { type TicketWatch, type WatchTicket, watchAt } from '../../../clients/web/src/watch-ticket.js';
import { Watchdog } from '../../../clients/web/src/watchdog.js';
import { WaitServer, type Way } from '../../support/wait-server.js';
import { giveWindow, QUICK, watchAtServer, window } from '../../support/watching.js';

let server: WaitServer;
let watch: TicketWatch;

beforeAll(giveWindow);
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  Reflect.deleteProperty(globalThis, 'document');
  watch?.stop();
  await server?.stop();
});

async function start(pace: Partial<Pace>, more: Partial<WatchTicket> = {}, onePlace = true) {
  server = await new WaitServer(onePlace).listen();
  const begun = watchAtServer(server, pace, more);
  watch = begun.watch;
  return begun.heard;
}
const held = (way: Way) => expect.poll(() => server.holding).toEqual([way]);
const times = (way: Way) => server.asked.filter((one) => one === way).length;

describe('a watch', () => {
  it('lets go of the lesser connection itself: another node would hold it on', async () => {
    server = await new WaitServer(false).listen();
    server.behave('socket', 403);
    watch = watchAt({ ...QUICK, firstRest: 100 }, { server: server.url, ...server.ticket });
    await held('events');
    server.behave('socket', 'work');
    await held('socket');
  });

  it('worries nobody about a server that has said goodbye, however soon a loss is told', async () => {
    const heard = await start({ unnoticed: 0, spread: 600_000 }, { transports: ['socket'] });
    await held('socket');
    server.goodbye();
    await expect.poll(() => heard.at(-1)).toBe('(connecting)');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard.at(-1)).toBe('(connecting)');
  });

  it('takes an early answer to a long poll for a goodbye, and does not ask again in the same breath', async () => {
    const heard = await start({ spread: 600_000 }, { transports: ['long-poll'] });
    await held('long-poll');
    server.goodbye();
    await expect.poll(() => heard.at(-1)).toBe('(connecting)');
    expect(times('long-poll')).toBe(1);
  });

  it('gives a transport up that falls mute again and again, however long it spoke before', async () => {
    server = await new WaitServer().listen();
    server.behave('socket', 'mute');
    const pace = { ...QUICK, ping: 30, pong: 100, steady: 0 };
    watch = watchAt(pace, { server: server.url, ...server.ticket });
    await held('events');
  });

  it('keeps a good connection when the server has no time for the question beside it', async () => {
    const heard = await start({}, { transports: ['socket'] });
    await held('socket');
    server.behave('ask', 429);
    window.dispatchEvent(new Event('pageshow'));
    await expect.poll(() => times('ask')).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual(['(connecting)', '(open)', 'pending']);
    expect(times('socket')).toBe(1);
  });

  it('leaves no listener behind, on the page or on the signal', async () => {
    const added = vi.spyOn(globalThis as never as EventTarget, 'addEventListener');
    const removed = vi.spyOn(globalThis as never as EventTarget, 'removeEventListener');
    const { signal } = new AbortController();
    await start({}, { signal, transports: ['poll'] });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    server.say('confirmed');
    await watch.done;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.map(([type]) => type)).toEqual(added.mock.calls.map(([type]) => type));
  });

  it('has decided for `done` as well when a callback stops it at the last status', async () => {
    await start({}, { onStatus: ({ status }) => status === 'confirmed' && watch.stop() });
    await held('socket');
    server.say('confirmed');
    expect(await watch.done).toMatchObject({ status: 'confirmed' });
  });
});

describe('what is done again and again', () => {
  it('leaves nothing on the signal it was given', async () => {
    server = await new WaitServer().listen();
    const { signal } = new AbortController();
    await pause(1, signal);
    await request(`${server.url}/api/qr/tickets/none`, { method: 'GET', signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('never comes before the time that the server asked for', () => {
    const many = Array.from({ length: 200 });
    const retries = many.map(() => new Backoff().next(60));
    const rests = many.map(() => {
      const ladder = new Ladder([], PACE);
      ladder.tooMany(60);
      return ladder.betterIn('poll') as number;
    });
    expect(Math.min(...retries)).toBeGreaterThanOrEqual(60_000);
    // Some of it has gone by already.
    expect(Math.min(...rests)).toBeGreaterThan(59_900);
    expect(Math.max(...retries) - Math.min(...retries)).toBeGreaterThan(1_000);
  });

  it('has a longest rest', () => {
    const ladder = new Ladder([], PACE);
    for (let i = 0; i < 30; i++) for (const name of ladder.order) ladder.fail(name);
    expect(ladder.betterIn('poll')).toBeLessThanOrEqual(PACE.lastRest * 1.2);
  });
});

describe('clocks', () => {
  it('a beat slept through wakes a page that is looked at, and not one whose timers are late by design', () => {
    vi.useFakeTimers();
    const document = { visibilityState: 'hidden' };
    Object.assign(globalThis, { document });
    const woken: string[] = [];
    const stop = onWake((why) => woken.push(why));
    const nap = () => {
      vi.setSystemTime(Date.now() + 60_000);
      vi.advanceTimersByTime(5_000);
    };
    nap();
    expect(woken).toEqual([]);
    document.visibilityState = 'visible';
    nap();
    expect(woken).toEqual(['moved']);
    stop();
    nap();
    expect(woken).toEqual(['moved']);
  });

  it('a watchdog that was late itself looks once more before it barks', () => {
    vi.useFakeTimers();
    let slept = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + slept);
    let barks = 0;
    new Watchdog(() => (barks += 1)).expect(30_000);
    slept = 600_000;
    vi.advanceTimersByTime(30_000);
    expect(barks).toBe(0);
    vi.advanceTimersByTime(2_000);
    expect(barks).toBe(1);
  });

  it('an event whose line end is cut in two is one event of its type', () => {
    const stream = new EventStream();
    const events = ['event: status\r', '\ndata: {}\r', '\n\r\n'].flatMap((piece) => stream.push(piece));
    expect(events).toEqual([{ type: 'status', data: '{}' }]);
  });
});
