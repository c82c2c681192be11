import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { QrConnectError } from '../../../clients/web/src/error.js';
import { PACE } from '../../../clients/web/src/pace.js';
import { TRANSPORT_NAMES, type TransportName } from '../../../clients/web/src/transport/transport.js';
import { type TicketWatch, type WatchTicket, watchAt, watchTicket } from '../../../clients/web/src/watch-ticket.js';
import { type Manner, WaitServer, type Way } from '../../support/wait-server.js';

/** Quick enough for a test, and slow enough for a busy machine. */
const QUICK = { ...PACE, firstWord: 1_000, slow: 500, hold: 1_000, poll: 20, firstRetry: 20, spread: 20 };

let server: WaitServer;
let watch: TicketWatch | undefined;

beforeAll(() => {
  Object.assign(globalThis, { WebSocket });
});
afterEach(async () => {
  watch?.stop();
  await server?.stop();
});

/** Starts a server and watches its ticket; `heard` grows. */
async function start(manners: Partial<Record<Way, Manner>> = {}, more: Partial<WatchTicket> = {}, pace = QUICK) {
  server = await new WaitServer().listen();
  for (const [way, manner] of Object.entries(manners)) server.behave(way as Way, manner);
  return watchHere(more, pace);
}

function watchHere(more: Partial<WatchTicket> = {}, pace = QUICK) {
  const heard: string[] = [];
  watch = watchAt(pace, {
    server: server.url,
    ...server.ticket,
    onStatus: ({ status, matchCode }) => heard.push(matchCode ? `${status} ${matchCode}` : status),
    onConnection: (connection) => heard.push(`(${connection})`),
    onError: ({ code }) => heard.push(`(${code})`),
    ...more,
  });
  return { heard, watch, statuses: () => heard.filter((one) => !one.startsWith('(')) };
}

const held = (way: Way) => expect.poll(() => server.holding).toEqual([way]);

describe('watchTicket', () => {
  it.each(TRANSPORT_NAMES)('hears the present status and each change by %s, to the decision', async (name) => {
    const { heard, watch, statuses } = await start({}, { transports: [name] });
    await expect.poll(statuses).toContain('pending');
    if (name !== 'poll') await held(name);
    server.say('scanned', { match_code: '42' });
    await expect.poll(() => statuses().at(-1)).toBe('scanned 42');
    if (name !== 'poll') await held(name);
    server.say('confirmed');
    expect(await watch.done).toEqual({ status: 'confirmed', expiresIn: 60 });
    expect([...new Set(heard)]).toEqual(['(connecting)', '(open)', 'pending', 'scanned 42', 'confirmed']);
    await expect.poll(() => server.holding).toEqual([]);
    expect(server.addresses.join()).not.toContain(server.ticket.waitSecret);
  });

  const FALLBACKS: Array<[why: string, manners: Partial<Record<Way, Manner>>, way: Way]> = [
    ['the upgrade is refused', { socket: 403 }, 'events'],
    ['a proxy swallows the upgrade', { socket: 'swallow' }, 'events'],
    ['sockets break at once', { socket: 'fleeting' }, 'events'],
    ['there is no such address either', { socket: 404, events: 404 }, 'long-poll'],
    ['a proxy keeps the stream back', { socket: 403, events: 'swallow' }, 'long-poll'],
    ['a proxy answers something else', { socket: 403, events: 200 }, 'long-poll'],
    ['streams break at once', { socket: 403, events: 'fleeting' }, 'long-poll'],
  ];
  it.each(FALLBACKS)('takes the next best when %s', async (_why, manners, way) => {
    const { heard, statuses } = await start(manners);
    await held(way);
    server.say('scanned');
    await expect.poll(() => statuses().at(-1)).toBe('scanned');
    expect(heard).not.toContain('(lost)');
  });

  it.each([429, 503])('asks every few seconds when the server holds nobody more (%i)', async (refusal) => {
    const { watch, heard } = await start({ socket: refusal, events: refusal, 'long-poll': refusal });
    await expect.poll(() => server.asked.filter((way) => way === 'ask').length).toBeGreaterThan(4);
    server.say('confirmed');
    expect(await watch.done).toMatchObject({ status: 'confirmed' });
    // Told once; nobody comes back to be told again.
    expect(server.asked.filter((way) => way !== 'ask')).toEqual(['socket', 'events']);
    expect(heard).not.toContain('(lost)');
  });

  it('knows the status while it still waits for a transport', async () => {
    const pace = { ...QUICK, firstWord: 60_000, slow: 50 };
    const { statuses } = await start({ socket: 'swallow' }, {}, pace);
    server.say('scanned', { match_code: '07' });
    await expect.poll(statuses).toContain('scanned 07');
    expect(server.asked).toEqual(['socket', 'ask']);
  });

  it('remembers for the next ticket what could not be had', async () => {
    const { watch } = await start({ socket: 403 });
    await held('events');
    watch.stop();
    await expect.poll(() => server.holding).toEqual([]);
    watchHere();
    await held('events');
    expect(server.asked.filter((way) => way === 'socket')).toHaveLength(1);
  });

  it('never goes back to an older word that comes late', async () => {
    const { statuses, watch } = await start({}, { transports: ['socket'] });
    await held('socket');
    server.say('scanned');
    await expect.poll(() => statuses().at(-1)).toBe('scanned');
    server.behave('ask', 'work').say('pending');
    watch.checkNow();
    await expect.poll(() => server.asked).toContain('ask');
    server.say('confirmed');
    await watch.done;
    expect(statuses()).toEqual(['pending', 'scanned', 'confirmed']);
  });

  it.each([
    ['socket', { waitSecret: 'wrong' }],
    ['events', { waitSecret: 'wrong' }],
    ['long-poll', { waitSecret: 'wrong' }],
    ['poll', { waitSecret: 'wrong' }],
  ] as Array<[TransportName, Partial<WatchTicket>]>)(
    'ends with what to do when the ticket is unknown (%s)',
    async (name, more) => {
      const { watch, heard } = await start({}, { transports: [name], ...more });
      await expect(watch.done).rejects.toThrow(/does not know this ticket/);
      expect(heard.at(-1)).toBe('(unknown_ticket)');
      expect(heard).not.toContain('(lost)');
    },
  );

  it.each(['socket', 'events', 'long-poll', 'poll'] as const)(
    'says that an ended ticket is expired (%s)',
    async (name) => {
      const { watch } = await start({ socket: 'swallow', events: 410, ask: 410 }, { transports: [name] });
      expect(await watch.done).toEqual({ status: 'expired', expiresIn: 0 });
    },
  );

  it('says nothing any more once it is stopped, and hangs up', async () => {
    const life = new AbortController();
    const { heard, watch } = await start({}, { signal: life.signal });
    await held('socket');
    const before = heard.length;
    life.abort();
    await expect.poll(() => server.holding).toEqual([]);
    server.say('confirmed');
    await expect(watch.done).rejects.toMatchObject({ code: 'stopped' });
    expect(heard).toHaveLength(before);
  });

  it('outlives a page whose callback throws', async () => {
    const thrown: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error));
    const { watch } = await start(
      {},
      {
        onStatus: () => {
          throw new Error('a mistake in the page');
        },
      },
    );
    await held('socket');
    server.say('confirmed');
    await watch.done;
    await expect.poll(() => thrown.length).toBe(2);
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  });

  it.each([
    [{ server: 'login.example.com' }, /server must be the address/],
    [{ server: 'ftp://login.example.com' }, /server must be the address/],
    [{ ticketId: '' }, /ticketId and waitSecret are needed/],
    [{ waitSecret: undefined as unknown as string }, /ticketId and waitSecret are needed/],
  ])('says at once what is wrong with %j', (wrong, why) => {
    const right = { server: 'https://login.example.com', ticketId: 't', waitSecret: 's' };
    expect(() => watchTicket({ ...right, ...wrong })).toThrow(why);
    expect(() => watchTicket({ ...right, ...wrong })).toThrow(QrConnectError);
  });
});
