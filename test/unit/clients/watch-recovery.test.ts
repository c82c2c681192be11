import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pace } from '../../../clients/web/src/pace.js';
import { type TicketWatch, type WatchTicket, watchAt } from '../../../clients/web/src/watch-ticket.js';
import { WaitServer, type Way } from '../../support/wait-server.js';
import { giveWindow, QUICK, watchAtServer, window } from '../../support/watching.js';

let server: WaitServer;
let watch: TicketWatch | undefined;

beforeAll(giveWindow);
afterEach(async () => {
  watch?.stop();
  await server?.stop();
});

async function start(
  pace: Partial<Pace> = {},
  more: Partial<WatchTicket> = {},
  prepare: (s: WaitServer) => void = () => {},
) {
  server = await new WaitServer().listen();
  prepare(server);
  const { watch: begun, heard } = watchAtServer(server, pace, more);
  watch = begun;
  return { heard, done: begun.done };
}

const held = (way: Way) => expect.poll(() => server.holding).toEqual([way]);
const times = (way: Way) => server.asked.filter((one) => one === way).length;

describe('a watch that loses its connection', () => {
  it.each(['socket', 'events', 'long-poll', 'poll'] as const)(
    'says so while nobody answers, and begins with what changed meanwhile (%s)',
    async (name) => {
      const { heard, done } = await start({ unnoticed: 20 }, { transports: [name] });
      await expect.poll(() => heard).toContain('pending');
      await server.down();
      await expect.poll(() => heard.at(-1)).toBe('(lost)');
      server.say('scanned');
      await server.listen();
      // Whoever polls hears it again and again.
      await expect.poll(() => heard.join(' ')).toContain('(open) scanned');
      server.say('confirmed');
      expect(await done).toMatchObject({ status: 'confirmed' });
    },
  );

  it.each(['socket', 'events', 'long-poll'] as const)(
    'comes back by itself, and worries nobody, when the server says goodbye (%s)',
    async (name) => {
      const { heard } = await start({ steady: 0 }, { transports: [name] });
      await held(name);
      for (const status of ['pending', 'scanned']) {
        server.goodbye();
        server.say(status);
        await held(name);
      }
      await expect.poll(() => heard.at(-1)).toBe('scanned');
      expect(heard).not.toContain('(lost)');
    },
  );

  it('takes a 503 that names no time for a lost server, not for a full one', async () => {
    const { heard } = await start({ firstRest: 600_000, unnoticed: 20 }, { transports: ['events', 'poll'] });
    await held('events');
    server.behave('events', 'proxy').behave('ask', 'proxy').cut();
    await expect.poll(() => heard.at(-1)).toBe('(lost)');
    // Not the question with it: one that was answered after a refused stream would say that only the stream is ill.
    server.behave('events', 'work');
    await held('events');
  });

  it('does not come back in one moment with all the others', async () => {
    server = await new WaitServer(false).listen();
    const watches = Array.from({ length: 60 }, () =>
      watchAt({ ...QUICK, spread: 1_000 }, { server: server.url, ...server.ticket, transports: ['socket'] }),
    );
    await expect.poll(() => server.holding.length).toBe(60);
    server.goodbye();
    await expect.poll(() => server.holding.length).toBe(60);
    const back = server.times.slice(60).sort((a, b) => a - b);
    expect((back[59] as number) - (back[0] as number)).toBeGreaterThan(500);
    for (const one of watches) one.stop();
  });

  it.each(['socket', 'events'] as const)('notices that nothing comes any more (%s)', async (name) => {
    const silent = { ping: 50, pong: 200, silence: 250 };
    const { heard } = await start(silent, { transports: [name] }, (s) => s.behave(name, 'mute'));
    await expect.poll(() => heard).toContain('pending');
    server.behave(name, 'work');
    await held(name);
    expect(times(name)).toBe(2);
  });

  it('keeps a connection on which signs of life come', async () => {
    const { heard } = await start({ ping: 20, pong: 5_000, silence: 400 }, { transports: ['events'] });
    await held('events');
    const other = watchAt(
      { ...QUICK, ping: 20, silence: 400 },
      { server: server.url, ...server.ticket, transports: ['poll'] },
    );
    // Longer than the silence that ends it.
    await expect.poll(() => times('ask')).toBeGreaterThan(30);
    other.stop();
    expect(times('events')).toBe(1);
    expect(heard).toEqual(['(connecting)', '(open)', 'pending']);
  });

  it('turns to the next transport when one falls mute again and again', async () => {
    const silent = { ping: 30, pong: 100 };
    await start(silent, {}, (s) => s.behave('socket', 'mute'));
    await held('events');
    expect(times('socket')).toBe(2);
  });

  it.each([
    ['the network is back', 'online'],
    ['the page is shown again', 'pageshow'],
  ])('does not wait for the next attempt when %s', async (_why, event) => {
    const { heard } = await start({ firstRetry: 600_000, lastRetry: 600_000 }, { transports: ['socket'] });
    await held('socket');
    await server.down();
    await expect.poll(() => heard.at(-1)).toBe('(lost)');
    await server.listen();
    window.dispatchEvent(new Event(event));
    await held('socket');
    expect(heard.at(-2)).toBe('(open)');
  });

  it('asks at once when it wakes up, and drops what died in its sleep', async () => {
    const { heard } = await start({ ping: 600_000, pong: 200, pingsApart: 0 }, {}, (s) => s.behave('socket', 'mute'));
    await expect.poll(() => heard).toContain('pending');
    server.behave('socket', 'work').say('scanned');
    window.dispatchEvent(new Event('online'));
    await expect.poll(() => heard).toContain('scanned');
    await held('socket');
    expect(heard).not.toContain('(lost)');
  });

  it.each(['events', 'long-poll'] as const)(
    'begins anew on another network: what was held on the old one says nothing more (%s)',
    async (name) => {
      const patient = { silence: 600_000, hold: 600_000 };
      const { heard } = await start(patient, { transports: [name] }, (s) =>
        s.behave(name, name === 'events' ? 'mute' : 'swallow'),
      );
      await expect.poll(() => heard).toContain('pending');
      await expect.poll(() => server.asked).toContain(name);
      server.behave(name, 'work');
      window.dispatchEvent(new Event('online'));
      await held(name);
      server.say('scanned');
      await expect.poll(() => heard.at(-1)).toBe('scanned');
    },
  );
});

describe('a watch that had to take a lesser transport', () => {
  it('comes back up without a gap once the better one works', async () => {
    const { heard } = await start({ firstRest: 200 }, {}, (s) => s.behave('socket', 403).behave('events', 403));
    await held('long-poll');
    server.behave('events', 'work');
    await held('events');
    server.behave('socket', 'work');
    await held('socket');
    server.say('scanned');
    await expect.poll(() => heard.at(-1)).toBe('scanned');
    // Its own better connection took the place from the lesser one: nobody else is there.
    expect([...new Set(heard)]).toEqual(['(connecting)', '(open)', 'pending', 'scanned']);
    expect(server.asked.at(-1)).toBe('socket');
  });

  it('tries the better one less and less often', async () => {
    await start({ firstRest: 100, lastRest: 600_000, poll: 10 }, { transports: ['socket', 'poll'] }, (s) =>
      s.behave('socket', 403),
    );
    await expect.poll(() => times('socket')).toBe(4);
    const tried = server.times.filter((_, i) => server.asked[i] === 'socket');
    const gaps = tried.slice(1).map((time, i) => time - (tried[i] as number));
    // 100, 200 and 400 ms, give or take a fifth: jitter alone could not do that.
    expect((gaps[2] as number) / (gaps[0] as number)).toBeGreaterThan(2);
  });

  it('tries at once on another network', async () => {
    await start({ firstRest: 600_000 }, {}, (s) => s.behave('socket', 403));
    await held('events');
    server.behave('socket', 'work');
    window.dispatchEvent(new Event('online'));
    await held('socket');
  });

  it('does not fight with a page that took its place, but asks every few seconds from then on', async () => {
    const { heard, done } = await start({ firstRest: 50 });
    await held('socket');
    server.supersede();
    await expect.poll(() => times('ask')).toBeGreaterThan(10);
    window.dispatchEvent(new Event('online'));
    server.say('confirmed');
    expect(await done).toMatchObject({ status: 'confirmed' });
    expect(server.asked.filter((way) => way !== 'ask')).toEqual(['socket']);
    expect(heard).not.toContain('(lost)');
  });
});
