import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ticket, TicketStatus } from '../../../src/ticket/ticket.js';
import type { TicketStore } from '../../../src/ticket/ticket-store.js';
import type { TicketView } from '../../../src/ticket/ticket-view.js';
import { createTicketWatcher } from '../../../src/ticket/ticket-watcher.js';
import { later, START, ticketIn } from './sample.js';

/** The watcher over one ticket in memory; `asked` holds what each statement asked for. */
function build() {
  const house = {
    ticket: { ...ticketIn('pending'), revision: 0 } as Ticket,
    now: START,
    asked: [] as string[][],
    heard: [] as TicketView[],
    errors: 0,
    isDown: false,
    wake: (_id?: string) => {},
    read: async () => ({ ticket: house.ticket, now: house.now }),
    move(status: TicketStatus) {
      house.ticket = { ...ticketIn(status), revision: house.ticket.revision + 1 };
    },
  };
  const store: Pick<TicketStore, 'newsOf'> = {
    async newsOf(known) {
      house.asked.push(known.map(({ id }) => id));
      if (house.isDown) throw new Error('down');
      const { ticket, now } = house;
      const isNews = known.some(({ revision }) => revision !== ticket.revision) || ticket.expiresAt <= now;
      return isNews ? [{ ticket, now }] : [];
    },
  };
  const watcher = createTicketWatcher(
    store,
    {
      subscribe: (wake) => {
        house.wake = wake;
        return () => {};
      },
    },
    () => (house.errors += 1),
  );
  return Object.assign(house, { watcher });
}

/** Everything that needs no timer has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('watching a ticket', () => {
  let house: ReturnType<typeof build>;
  beforeEach(() => {
    house = build();
  });
  afterEach(() => house.watcher.close());
  const watch = () => house.watcher.watch('ticket', house.read, (view) => house.heard.push(view));

  it('begins with the status it finds, and asks again when it is nudged', async () => {
    const watched = await watch();
    expect(watched.view()).toMatchObject({ status: 'pending' });
    await settled();
    expect(house.asked).toEqual([]);
    house.move('scanned');
    house.wake('ticket');
    await settled();
    expect(house.heard).toEqual([{ status: 'scanned', matchCode: '42', expiresIn: 60 }]);
    expect(watched.view()).toMatchObject({ status: 'scanned', matchCode: '42' });
  });

  it('does not ask for tickets that nobody watches', async () => {
    await watch();
    house.wake('another');
    await settled();
    expect(house.asked).toEqual([]);
  });

  it('misses no nudge that comes while the ticket is read for the first time', async () => {
    const late = defer();
    const old = house.ticket;
    const watching = house.watcher.watch(
      'ticket',
      async () => {
        await late.promise;
        return { ticket: old, now: house.now };
      },
      (view) => house.heard.push(view),
    );
    house.move('cancelled');
    house.wake('ticket');
    await settled();
    late.resolve();
    await watching;
    await settled();
    expect(house.heard).toEqual([{ status: 'cancelled', expiresIn: 0 }]);
  });

  it('tells nothing twice, and nothing when the status is the same', async () => {
    await watch();
    house.ticket = { ...house.ticket, revision: 1 };
    house.wake('ticket');
    await settled();
    expect(house.heard).toEqual([]);
    house.wake('ticket');
    await settled();
    expect(house.asked).toHaveLength(2);
    expect(house.heard).toEqual([]);
  });

  it('never goes back to what an older reading says', async () => {
    const old = house.ticket;
    const watched = await watch();
    house.move('scanned');
    house.wake('ticket');
    await settled();
    house.ticket = old;
    house.wake('ticket');
    await settled();
    expect(house.heard).toMatchObject([{ status: 'scanned' }]);
    expect(watched.view().status).toBe('scanned');
  });

  it('ends after a final status, and watches nothing then', async () => {
    await watch();
    house.move('denied');
    house.wake('ticket');
    await settled();
    expect(house.heard).toEqual([{ status: 'denied', expiresIn: 0 }]);
    expect(house.watcher.size).toBe(0);
  });

  it('ends when its reader goes', async () => {
    const watched = await watch();
    watched.stop();
    watched.stop();
    house.move('scanned');
    house.wake('ticket');
    await settled();
    expect(house.heard).toEqual([]);
    expect(house.watcher.size).toBe(0);
  });

  it('reads what is due, though somebody is nudged during every statement', async () => {
    await watch();
    await house.watcher.watch('busy', house.read, () => {});
    const store = house.asked;
    let left = 20;
    const push = store.push.bind(store);
    store.push = (...ids) => {
      if (left-- > 0) house.wake('busy');
      return push(...ids);
    };
    house.wake('busy');
    house.wake();
    await settled();
    expect(house.asked.slice(0, 3).flat()).toContain('ticket');
  });

  it('asks for all in one statement after the nudges were lost, and again until the store answers', async () => {
    await watch();
    await house.watcher.watch('other', house.read, () => {});
    house.isDown = true;
    house.move('scanned');
    house.wake();
    await settled();
    expect(house.errors).toBe(1);
    expect(house.asked).toEqual([['ticket', 'other']]);
    house.isDown = false;
    // At the next tick, long before everything is read again.
    await expect.poll(() => house.heard, { timeout: 1_000 }).toMatchObject([{ status: 'scanned' }]);
  });

  it('lets nobody in whom the reading refuses, and forgets them', async () => {
    const refused = house.watcher.watch(
      'ticket',
      () => Promise.reject(new Error('not yours')),
      () => {},
    );
    await expect(refused).rejects.toThrow('not yours');
    expect(house.watcher.size).toBe(0);
  });

  it('T6 tells of the end of time as expired', async () => {
    house.now = later(61);
    expect((await watch()).view()).toEqual({ status: 'expired', expiresIn: 0 });
    expect(house.watcher.size).toBe(0);
  });

  it('T6 tells the end of time when it comes, not when everything is read again', async () => {
    house.now = later(59.8);
    await watch();
    house.now = later(60.1);
    await expect.poll(() => house.heard, { timeout: 1_000 }).toEqual([{ status: 'expired', expiresIn: 0 }]);
  });

  it('T75 finds by itself what nobody was nudged about', async () => {
    await watch();
    house.move('scanned');
    await expect.poll(() => house.heard).toMatchObject([{ status: 'scanned' }]);
  });
});

function defer() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
