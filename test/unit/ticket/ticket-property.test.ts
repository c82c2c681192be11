/** T8: whatever two people, their sessions and the waiting page do in whatever order, tickets move along the table's arrows only. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/error.js';
import {
  isFinal,
  type PhoneIdentity,
  statusAt,
  type Ticket,
  type TicketEvent,
  transition,
} from '../../../src/ticket/ticket.js';
import { ANNA, ANNA_ELSEWHERE, BEN, later, START, subjectOf, ticketIn } from './sample.js';

const ROUNDS = 6_000;
const STEPS = 14;

const ARROWS = new Set([
  'pending>scanned',
  'pending>cancelled',
  'scanned>scanned',
  'scanned>confirmed',
  'scanned>denied',
  'scanned>cancelled',
  'confirmed>confirmed',
  'confirmed>cancelled',
  'confirmed>redeemed',
  'denied>denied',
]);

/** mulberry32: small, and the same numbers on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Step {
  readonly event: TicketEvent;
  readonly at: number;
  readonly worked: boolean;
}

/** Plays one random story; every phone holds the grants it was given and tries the other's as well. */
function play(seed: number): { steps: Step[]; statuses: string[]; ticket: Ticket } {
  const pick = generator(seed);
  const phones = [ANNA, ANNA_ELSEWHERE, BEN];
  const grants: string[] = ['no-grant'];
  let ticket = ticketIn('pending', { expiresAt: later(120), matchRequired: pick(4) > 0 });
  let at = 0;
  const steps: Step[] = [];
  const statuses = ['pending'];
  for (let i = 0; i < STEPS; i += 1) {
    at += [0, 0, 0, 0, 1, 1, 5, 29, 30, 61][pick(10)] as number;
    const by = phones[pick(3)] as PhoneIdentity;
    const presented = grants[pick(grants.length)] as string;
    const event = randomEvent(pick, by, presented === ticket.scanGrantHash, `grant-${i}`);
    const from = statusAt(ticket, later(at));
    let worked = true;
    try {
      ticket = transition(ticket, event, later(at));
      if (event.type === 'scan') grants.push(event.scanGrantHash);
      const arrow = `${from}>${ticket.status}`;
      if (!ARROWS.has(arrow)) throw new Error(`seed ${seed}: ${event.type} moved ${arrow}`);
      statuses.push(ticket.status);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      worked = false;
    }
    steps.push({ event, at, worked });
  }
  return { steps, statuses, ticket };
}

function randomEvent(
  pick: (below: number) => number,
  by: PhoneIdentity,
  grantMatches: boolean,
  grant: string,
): TicketEvent {
  const events: TicketEvent[] = [
    { type: 'scan', by, scanGrantHash: grant, matchCode: '11' },
    { type: 'scan', by, scanGrantHash: grant, matchCode: '22' },
    { type: 'confirm', by, grantMatches, matchCodeMatches: pick(4) > 0, subject: subjectOf(by) },
    { type: 'confirm', by, grantMatches, matchCodeMatches: pick(4) > 0, subject: subjectOf(by) },
    { type: 'redeem' },
    { type: 'redeem' },
    { type: 'deny', by, grantMatches },
    { type: 'delegate', continueHash: grant },
    { type: 'cancel' },
  ];
  // The rarer endings stay rare, or few stories would reach a code.
  return events[pick(12) % events.length] as TicketEvent;
}

const same = (a: PhoneIdentity, b: PhoneIdentity) => a.accountId === b.accountId && a.sessionId === b.sessionId;

describe('random stories of two people and one ticket', () => {
  const stories = Array.from({ length: ROUNDS }, (_, seed) => ({ seed, ...play(seed + 1) }));

  it('T8 moves only along the arrows of the table, and never out of a final status', () => {
    for (const { seed, statuses } of stories) {
      const end = statuses.findIndex((status) => isFinal(status as Ticket['status']));
      const after = end === -1 ? [] : statuses.slice(end + 1);
      // A person's denial may be handed over by handle; that is its only change.
      expect(
        after.every((status) => status === 'denied' && statuses[end] === 'denied'),
        `seed ${seed}: ${statuses}`,
      ).toBe(true);
    }
  });

  it('T8 reaches a code only through scan and confirm by one phone, in order and in time', () => {
    const redeemed = stories.filter(({ ticket }) => ticket.status === 'redeemed');
    // A generator that never gets there proves nothing.
    expect(redeemed.length).toBeGreaterThan(ROUNDS / 50);
    for (const { seed, steps, ticket } of redeemed) {
      const worked = steps.filter((step) => step.worked);
      const first = worked.find(({ event }) => event.type === 'scan');
      const confirmed = worked.filter(({ event }) => event.type === 'confirm');
      const redeem = worked.filter(({ event }) => event.type === 'redeem');
      const why = `seed ${seed}`;
      expect([confirmed.length, redeem.length], why).toEqual([1, 1]);
      const [scan, confirm, end] = [first as Step, confirmed[0] as Step, redeem[0] as Step];
      const scanner = (scan.event as TicketEvent & { type: 'scan' }).by;
      const { by, grantMatches, matchCodeMatches } = confirm.event as TicketEvent & { type: 'confirm' };
      expect(worked.indexOf(scan) < worked.indexOf(confirm) && worked.indexOf(confirm) < worked.indexOf(end), why).toBe(
        true,
      );
      expect(same(scanner, by) && grantMatches && (matchCodeMatches || !ticket.matchRequired), why).toBe(true);
      expect(ticket.subject?.accountId, why).toBe(scanner.accountId);
      expect(scan.at < 120 && confirm.at - scan.at < 60 && end.at - confirm.at < 30 && end.at < 300, why).toBe(true);
    }
  });

  it('T8 ends a ticket for good with a denial by the phone that scanned, and with nobody else', () => {
    const denied = stories.filter(({ ticket }) => ticket.deniedBecause === 'person');
    expect(denied.length).toBeGreaterThan(ROUNDS / 100);
    for (const { seed, steps, ticket } of denied) {
      const { event } = steps.find((step) => step.worked && step.event.type === 'deny') as Step;
      const denial = event as TicketEvent & { type: 'deny' };
      expect(ticket.scannedBy && same(ticket.scannedBy, denial.by) && denial.grantMatches, `seed ${seed}`).toBe(true);
      expect(ticket.subject, `seed ${seed}`).toBeUndefined();
    }
  });

  it('T8 plays the same stories again from the same seeds', () => {
    expect(play(7)).toEqual(play(7));
    expect(START).toEqual(later(0));
  });
});
