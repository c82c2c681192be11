import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/error.js';
import type { OpenTickets, TicketCapStore } from '../../../src/ticket/ticket-cap-store.js';
import { createTicketCaps, type Opener } from '../../../src/ticket/ticket-caps.js';

const LIMITS = { perAddress: 100, perClient: 100_000, inAll: 100_000 };

/** One table, as several nodes see it; an answer takes a while to come back. */
function table() {
  const rows: Opener[] = [];
  const seen = { questions: 0 };
  const after = async <T>(look: () => T): Promise<T> => {
    seen.questions += 1;
    await new Promise((resolve) => setTimeout(resolve, 2));
    return look();
  };
  /** Of every key until its first row ends; 9 unless set. */
  const seconds = new Map<string, number>();
  const count = (by: (row: Opener) => string | undefined) =>
    rows.reduce((counts, row) => {
      const key = by(row);
      if (key === undefined) return counts;
      return counts.set(key, { taken: (counts.get(key)?.taken ?? 0) + 1, seconds: seconds.get(key) ?? 9 });
    }, new Map<string, OpenTickets>());
  const store: TicketCapStore = {
    ofAddress: (key) => after(() => count((row) => (row.addressKey === key ? key : undefined))),
    ofClients: () => after(() => count((row) => row.clientId)),
  };
  return { rows, seen, seconds, store };
}

function node(
  store: TicketCapStore,
  rows: Opener[],
  limits: Partial<typeof LIMITS> = {},
  told: string[] = [],
  writing = () => Math.random() * 5,
) {
  const caps = createTicketCaps({ store, limits: { ...LIMITS, ...limits }, onFull: (limit) => told.push(limit) });
  return (opener: Partial<Opener> = {}) => {
    const who = { addressKey: '192.0.2.1', clientId: 'shop', ...opener };
    return caps.admit(who, async () => {
      // The row is written first; what follows takes time as well.
      await new Promise((resolve) => setTimeout(resolve, writing()));
      rows.push(who);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return 'opened';
    });
  };
}

const outcomes = (openings: Promise<unknown>[]) =>
  Promise.all(openings.map((opening) => opening.catch((error: AppError) => `${error.code} ${error.retryAfter}`)));
const many = (times: number, open: (turn: number) => Promise<unknown>) =>
  outcomes(Array.from({ length: times }, (_, turn) => open(turn)));

describe('the room for tickets', () => {
  it('T76 is counted on for an address with a sign-in under way, however many others come meanwhile', async () => {
    const { rows, store } = table();
    const slow = [400];
    const open = node(store, rows, { perAddress: 1 }, [], () => slow.shift() ?? 0);
    const first = open();
    await expect.poll(() => slow.length).toBe(0);
    await many(1100, (turn) => open({ addressKey: `address ${turn}` }));
    expect(rows.some(({ addressKey }) => addressKey === '192.0.2.1')).toBe(false);
    const [second] = await outcomes([open()]);
    expect([await first, second]).toEqual(['opened', expect.stringContaining('too_many_requests')]);
  });

  it('T76 is given to as many of two thousand at once as there is, after a few dozen questions', async () => {
    const { rows, seen, store } = table();
    const open = node(store, rows);
    const all = await many(2000, () => open());
    expect(all.filter((one) => one === 'opened')).toHaveLength(100);
    expect(all.filter((one) => one === 'too_many_requests 9')).toHaveLength(1900);
    expect(rows).toHaveLength(100);
    expect(seen.questions).toBeLessThan(120);
    const before = seen.questions;
    await many(1000, () => open());
    expect(seen.questions - before).toBeLessThan(10);
  });

  it('is there for everybody, when just as many come at once', async () => {
    const { rows, store } = table();
    const open = node(store, rows);
    expect(new Set(await many(100, () => open()))).toEqual(new Set(['opened']));
    expect(await many(1, () => open())).toEqual(['too_many_requests 9']);
  });

  it('T76 is shared by nodes that count at the same moment, within a tenth for each', async () => {
    const { rows, store } = table();
    const nodes = Array.from({ length: 4 }, () => node(store, rows));
    await many(2000, (turn) => (nodes[turn % 4] as (typeof nodes)[0])());
    expect(rows.length).toBeGreaterThanOrEqual(100);
    expect(rows.length).toBeLessThanOrEqual(130);
  });

  it('T76 is shared so even when rows are written long after they were let in', async () => {
    const { rows, store } = table();
    const nodes = Array.from({ length: 2 }, () => node(store, rows, {}, [], () => 50));
    await many(2000, (turn) => (nodes[turn % 2] as (typeof nodes)[0])());
    expect(rows.length).toBeGreaterThanOrEqual(100);
    expect(rows.length).toBeLessThanOrEqual(110);
  });

  it('T76 is bounded by client and in all as well, whatever the addresses; a site’s own server has no address here', async () => {
    const { rows, store } = table();
    const told: string[] = [];
    const open = node(store, rows, { perAddress: 5, perClient: 20, inAll: 30 }, told);
    await many(100, (turn) => open({ addressKey: `192.0.2.${turn}` }));
    expect(rows).toHaveLength(20);
    await many(100, () => open({ addressKey: undefined, clientId: 'cafe' }));
    expect(rows).toHaveLength(30);
    expect(await many(2, (turn) => open({ addressKey: `198.51.100.${turn}`, clientId: 'bank' }))).toEqual(
      Array(2).fill('too_many_requests 9'),
    );
    // Each limit once, though a hundred were refused.
    expect(told).toEqual(['perClient', 'inAll']);
  });

  it('says when there will be room again for this client, not for another one', async () => {
    const { rows, seconds, store } = table();
    seconds.set('shop', 119).set('cafe', 4);
    const open = node(store, rows, { perClient: 2, inAll: 3 });
    await open({ clientId: 'cafe', addressKey: undefined });
    await many(2, () => open({ addressKey: undefined }));
    expect(await many(1, () => open({ addressKey: undefined }))).toEqual(['too_many_requests 119']);
    // Anybody's end makes room for everybody.
    expect(await many(1, () => open({ clientId: 'bank', addressKey: undefined }))).toEqual(['too_many_requests 4']);
  });

  it('is free again when an opening fails', async () => {
    const { rows, store } = table();
    const caps = createTicketCaps({ store, limits: { ...LIMITS, perAddress: 3 }, onFull: () => {} });
    const who = { addressKey: '192.0.2.1', clientId: 'shop' };
    const refused = () => caps.admit(who, () => Promise.reject(new AppError('invalid_request')));
    for (let turn = 0; turn < 20; turn += 1) await expect(refused()).rejects.toThrow('malformed');
    expect(rows).toHaveLength(0);
  });

  it('T83 is not given while nobody can count, and is given when somebody can', async () => {
    const { rows, store } = table();
    let away = true;
    const flaky: TicketCapStore = {
      ofAddress: (key, most) => (away ? Promise.reject(new AppError('unavailable')) : store.ofAddress(key, most)),
      ofClients: store.ofClients,
    };
    const open = node(flaky, rows);
    expect(await many(10, () => open())).toEqual(Array(10).fill('unavailable 2'));
    expect(rows).toHaveLength(0);
    away = false;
    expect(await open()).toBe('opened');
  });
});
