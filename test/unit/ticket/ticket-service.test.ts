import { describe, expect, it } from 'vitest';
import { hashSecret } from '../../../src/secret.js';
import type { Nudge } from '../../../src/ticket/nudge.js';
import type { Ticket, TicketStatus } from '../../../src/ticket/ticket.js';
import { TicketService } from '../../../src/ticket/ticket-service.js';
import type { TicketStore } from '../../../src/ticket/ticket-store.js';
import { createTicketWatcher } from '../../../src/ticket/ticket-watcher.js';
import { ANNA, START, subjectOf, ticketIn } from './sample.js';

/** The service over one ticket in memory; `reads` counts the looks at it, `published` its nudges. */
function build(status: TicketStatus) {
  const house = {
    ticket: ticketIn(status, { waitSecretHash: hashSecret('wait'), scanGrantHash: hashSecret('grant') }) as Ticket,
    now: START,
    reads: 0,
    published: [] as string[],
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
    subscribe: () => () => {},
    close: async () => {},
  };
  return Object.assign(house, {
    service: new TicketService({
      store: store as TicketStore,
      nudge,
      watcher: createTicketWatcher(store as TicketStore, nudge, () => {}),
      caps: { admit: (_opener, open) => open() },
      pendingSeconds: 120,
      requestLives: async () => true,
    }),
  });
}

describe('nudges', () => {
  it('follow every change of status, and nothing else', async () => {
    const house = build('pending');
    const { scanGrant } = await house.service.scan(await house.service.preview('token'), ANNA);
    expect(house.published).toEqual(['ticket']);
    // The same phone looks again: a new grant, the same status.
    const again = await house.service.scan(await house.service.preview('token'), ANNA);
    expect(again.scanGrant).not.toBe(scanGrant);
    expect(house.published).toHaveLength(1);
    await house.service.confirm(
      await house.service.granted(again.scanGrant),
      ANNA,
      house.ticket.matchCode,
      subjectOf(ANNA),
    );
    await house.service.delegate('ticket', 'wait');
    expect(house.published).toHaveLength(2);
    await house.service.redeem('ticket', 'wait');
    expect(house.published).toHaveLength(3);
  });

  it('follow a denial and a cancelled ticket', async () => {
    const denied = build('scanned');
    await denied.service.deny(await denied.service.granted('ticket.grant'), ANNA);
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
