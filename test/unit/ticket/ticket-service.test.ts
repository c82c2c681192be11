import { beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../../src/secret.js';
import type { Nudge } from '../../../src/ticket/nudge.js';
import type { Ticket, TicketStatus } from '../../../src/ticket/ticket.js';
import { TicketService } from '../../../src/ticket/ticket-service.js';
import type { TicketStore } from '../../../src/ticket/ticket-store.js';
import { ANNA, later, START, subjectOf, ticketIn } from './sample.js';

/** The service over one ticket in memory; `reads` counts the looks at it, `published` its nudges. */
function build(status: TicketStatus) {
  const house = {
    ticket: ticketIn(status, { waitSecretHash: hashSecret('wait'), scanGrantHash: hashSecret('grant') }) as Ticket,
    now: START,
    reads: 0,
    published: [] as string[],
    waiters: new Set<() => void>(),
  };
  const read = async () => {
    house.reads += 1;
    return { ticket: house.ticket, now: house.now };
  };
  const store: Partial<TicketStore> = {
    find: read,
    findByScanToken: read,
    recentOf: async () => ({ scans: 0, mismatches: 0 }),
    replace: async (next, expected) => {
      if (expected !== house.ticket) return false;
      house.ticket = next;
      return true;
    },
  };
  const nudge: Nudge = {
    publish: async (id) => void house.published.push(id),
    subscribe: (_, wake) => {
      house.waiters.add(wake);
      return () => house.waiters.delete(wake);
    },
    close: async () => {},
  };
  return Object.assign(house, {
    service: new TicketService({
      store: store as TicketStore,
      nudge,
      pendingSeconds: 120,
      requestLives: async () => true,
    }),
  });
}

/** Everything that needs no timer has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('nudges', () => {
  it('follow every change of status, and nothing else', async () => {
    const house = build('pending');
    const { scanGrant } = await house.service.scan('token', ANNA);
    expect(house.published).toEqual(['ticket']);
    // The same phone looks again: a new grant, the same status.
    const again = await house.service.scan('token', ANNA);
    expect(again.scanGrant).not.toBe(scanGrant);
    expect(house.published).toHaveLength(1);
    await house.service.confirm(again.scanGrant, ANNA, house.ticket.matchCode, subjectOf(ANNA));
    await house.service.delegate('ticket', 'wait');
    expect(house.published).toHaveLength(2);
    await house.service.redeem('ticket', 'wait');
    expect(house.published).toHaveLength(3);
  });

  it('follow a denial and a cancelled ticket', async () => {
    const denied = build('scanned');
    await denied.service.deny('ticket.grant', ANNA);
    const cancelled = build('pending');
    await cancelled.service.cancel('ticket', 'wait');
    expect([denied.published, cancelled.published]).toEqual([['ticket'], ['ticket']]);
  });

  it('do not follow a move that somebody else made first', async () => {
    const house = build('confirmed');
    const moves = await Promise.allSettled([1, 2, 3].map(() => house.service.redeem('ticket', 'wait')));
    expect(moves.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(house.published).toHaveLength(1);
  });
});

describe('watching a ticket', () => {
  let house: ReturnType<typeof build>;
  let end: AbortController;
  let statuses: AsyncGenerator<{ status: TicketStatus }>;
  beforeEach(() => {
    house = build('pending');
    end = new AbortController();
    statuses = house.service.watch('ticket', 'wait', end.signal);
  });
  const wake = () => {
    for (const one of house.waiters) one();
  };

  it('tells the status it finds, then waits for a nudge and reads again', async () => {
    expect((await statuses.next()).value).toMatchObject({ status: 'pending' });
    const next = statuses.next();
    await settled();
    const reads = house.reads;
    await settled();
    expect(house.reads).toBe(reads);
    house.ticket = ticketIn('scanned', { waitSecretHash: hashSecret('wait') });
    wake();
    await settled();
    expect(house.reads).toBe(reads + 1);
    expect((await next).value).toEqual({ status: 'scanned', matchCode: '42', expiresIn: 60 });
    end.abort();
  });

  it('misses no nudge that comes while it reads', async () => {
    const first = statuses.next();
    // The read is under way and has seen the old row.
    house.ticket = { ...house.ticket, status: 'cancelled' };
    wake();
    expect((await first).value).toMatchObject({ status: 'pending' });
    const next = statuses.next();
    await settled();
    expect(house.reads).toBe(2);
    expect((await next).value).toMatchObject({ status: 'cancelled' });
  });

  it('ends after a final status, and leaves nobody listening', async () => {
    await statuses.next();
    house.ticket = { ...house.ticket, status: 'denied' };
    wake();
    expect((await statuses.next()).value).toEqual({ status: 'denied', expiresIn: 0 });
    expect((await statuses.next()).done).toBe(true);
    expect(house.waiters.size).toBe(0);
  });

  it('ends when its reader goes, and leaves nobody listening', async () => {
    await statuses.next();
    const next = statuses.next();
    await settled();
    end.abort();
    expect((await next).done).toBe(true);
    expect(house.waiters.size).toBe(0);
  });

  it('T2 tells nothing to a wrong wait secret', async () => {
    const wrong = house.service.watch('ticket', 'other', end.signal);
    await expect(wrong.next()).rejects.toMatchObject({ code: 'not_found' });
    expect(house.waiters.size).toBe(0);
  });

  it('T6 tells of the end of time as expired', async () => {
    house.now = later(61);
    expect((await statuses.next()).value).toEqual({ status: 'expired', expiresIn: 0 });
    expect((await statuses.next()).done).toBe(true);
  });
});
