import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/error.js';
import {
  isFinal,
  LIFETIME,
  statusAt,
  type TicketEvent,
  type TicketStatus,
  transition,
} from '../../../src/ticket/ticket.js';
import { ANNA, ANNA_ELSEWHERE, BEN, later, START, subjectOf, ticketIn } from './sample.js';

const STATUSES: TicketStatus[] = ['pending', 'scanned', 'confirmed', 'redeemed', 'denied', 'cancelled', 'expired'];

const scan = (by = ANNA): TicketEvent => ({ type: 'scan', by, scanGrantHash: 'new-grant', matchCode: '07' });
const confirm = (by = ANNA, grantMatches = true, matchCodeMatches = true): TicketEvent => ({
  type: 'confirm',
  by,
  grantMatches,
  matchCodeMatches,
  subject: subjectOf(by),
});
const deny = (by = ANNA, grantMatches = true): TicketEvent => ({ type: 'deny', by, grantMatches });

/** The status after the event, or the code of the refusal. */
function outcome(status: TicketStatus, event: TicketEvent): string {
  try {
    return transition(ticketIn(status), event, later(1)).status;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** One row per event: what it does to a ticket in each status, in the order of STATUSES. */
const TABLE: Array<[string, TicketEvent, string]> = [
  ['a scan by the phone that scanned', scan(), 'scanned scanned conflict gone gone gone gone'],
  ['a scan by another person', scan(BEN), 'scanned conflict conflict gone gone gone gone'],
  [
    'a scan by another session of the same person',
    scan(ANNA_ELSEWHERE),
    'scanned conflict conflict gone gone gone gone',
  ],
  ['a confirmation', confirm(), 'conflict confirmed conflict conflict gone gone gone'],
  [
    'a confirmation with the wrong match code',
    confirm(ANNA, true, false),
    'conflict denied conflict conflict gone gone gone',
  ],
  ['a confirmation with the wrong grant', confirm(ANNA, false), 'conflict forbidden conflict conflict gone gone gone'],
  ['a confirmation by another person', confirm(BEN), 'conflict forbidden conflict conflict gone gone gone'],
  ['a confirmation by another session', confirm(ANNA_ELSEWHERE), 'conflict forbidden conflict conflict gone gone gone'],
  [
    'a wrong match code from another person',
    confirm(BEN, true, false),
    'conflict forbidden conflict conflict gone gone gone',
  ],
  ['a denial', deny(), 'conflict denied conflict conflict gone gone gone'],
  ['a denial with the wrong grant', deny(ANNA, false), 'conflict forbidden conflict conflict gone gone gone'],
  ['a denial by another person', deny(BEN), 'conflict forbidden conflict conflict gone gone gone'],
  ['cancelling', { type: 'cancel' }, 'cancelled cancelled cancelled conflict conflict gone gone'],
  [
    'handing over by handle',
    { type: 'delegate', continueHash: 'h' },
    'conflict conflict confirmed gone denied gone gone',
  ],
  ['redeeming', { type: 'redeem' }, 'conflict conflict redeemed gone gone gone gone'],
];

describe('the ticket table', () => {
  for (const [name, event, row] of TABLE) {
    const expected = row.split(' ');
    it.each(STATUSES.map((status, i) => [status, expected[i]]))(`${name} of a %s ticket gives %s`, (status, result) => {
      expect(outcome(status as TicketStatus, event)).toBe(result);
    });
  }

  it('treats a live ticket past its time like one stored as expired', () => {
    for (const status of ['pending', 'scanned', 'confirmed'] as const) {
      const ticket = ticketIn(status);
      expect(statusAt(ticket, later(59.999))).toBe(status);
      expect(statusAt(ticket, later(60))).toBe('expired');
      for (const [, event] of TABLE) {
        expect(() => transition(ticket, event, later(60))).toThrow(expect.objectContaining({ code: 'gone' }));
      }
    }
  });

  it('never lets time change a final status', () => {
    for (const status of STATUSES.filter(isFinal)) expect(statusAt(ticketIn(status), later(10_000))).toBe(status);
  });
});

describe('what a transition writes', () => {
  it('binds a scanned ticket to the phone, with a fresh minute and a match code', () => {
    const next = transition(ticketIn('pending'), scan(BEN), later(10));
    expect(next).toMatchObject({ scannedBy: BEN, scanGrantHash: 'new-grant', matchCode: '07', scannedAt: later(10) });
    expect(next.expiresAt).toEqual(later(10 + LIFETIME.scanned));
  });

  it('makes no match code for a client that has switched it off, and then asks for none', () => {
    const next = transition(ticketIn('pending', { matchRequired: false }), scan(), later(1));
    expect(next.matchCode).toBeUndefined();
    expect(transition(next, confirm(ANNA, true, false), later(2)).status).toBe('confirmed');
  });

  it('gives the phone that looks again a new grant, and neither a new match code nor more time', () => {
    const next = transition(ticketIn('scanned'), scan(), later(30));
    expect(next).toMatchObject({ scanGrantHash: 'new-grant', matchCode: '42', scannedBy: ANNA, expiresAt: later(60) });
  });

  it('keeps who confirmed, and half a minute to collect', () => {
    const next = transition(ticketIn('scanned'), confirm(), later(20));
    expect(next).toMatchObject({ subject: subjectOf(ANNA), expiresAt: later(20 + LIFETIME.confirmed) });
  });

  it('says why a ticket is denied, and never keeps a subject then', () => {
    const wrong = transition(ticketIn('scanned'), confirm(ANNA, true, false), later(5));
    expect(wrong).toMatchObject({ deniedBecause: 'match_code', endedAt: later(5) });
    expect(wrong.subject).toBeUndefined();
    expect(transition(ticketIn('scanned'), deny(), later(5))).toMatchObject({
      deniedBecause: 'person',
      endedAt: later(5),
    });
  });

  it('lets no ticket live over five minutes, nor longer than its request', () => {
    const old = ticketIn('pending', { expiresAt: later(290) });
    expect(transition(old, scan(), later(280)).expiresAt).toEqual(later(LIFETIME.total));
    const late = ticketIn('scanned', { requestEndsAt: later(15) });
    expect(transition(late, confirm(), later(10)).expiresAt).toEqual(later(15));
  });

  it('changes neither the ticket it was given nor what was frozen with the request', () => {
    const ticket = Object.freeze(ticketIn('pending'));
    const { id, requestUid, clientId, door, scanTokenHash, waitSecretHash, createdAt, requestEndsAt, openedFrom } =
      ticket;
    const frozen = {
      id,
      requestUid,
      clientId,
      door,
      scanTokenHash,
      waitSecretHash,
      createdAt,
      requestEndsAt,
      openedFrom,
    };
    const scanned = transition(ticket, scan(), START);
    const confirmed = transition(scanned, confirm(), START);
    expect(transition(confirmed, { type: 'redeem' }, START)).toMatchObject(frozen);
    expect(ticket.status).toBe('pending');
  });
});
