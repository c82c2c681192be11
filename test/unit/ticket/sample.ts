/** Tickets in every status, for the tests of the pure rules. */
import type { PhoneIdentity, Subject, Ticket, TicketStatus } from '../../../src/ticket/ticket.js';

export const START = new Date('2030-01-01T00:00:00.000Z');
export const ANNA: PhoneIdentity = { accountId: 'anna', sessionId: 'anna-1' };
export const ANNA_ELSEWHERE: PhoneIdentity = { accountId: 'anna', sessionId: 'anna-2' };
export const BEN: PhoneIdentity = { accountId: 'ben', sessionId: 'ben-1' };

export function subjectOf(phone: PhoneIdentity): Subject {
  return { accountId: phone.accountId, authTime: 1_893_456_000, amr: ['pwd', 'qr'] };
}

export function later(seconds: number, from = START): Date {
  return new Date(from.getTime() + seconds * 1000);
}

/** As it stands in the database after the shortest way to `status`, everything at START, scanned by Anna. */
export function ticketIn(status: TicketStatus, more: Partial<Ticket> = {}): Ticket {
  const wasScanned = status !== 'pending' && status !== 'cancelled' && status !== 'expired';
  return {
    id: 'ticket',
    revision: 0,
    door: 'embed',
    requestUid: 'request',
    clientId: 'client',
    matchRequired: true,
    status,
    scanTokenHash: 'scan-hash',
    waitSecretHash: 'wait-hash',
    ...(wasScanned ? { scannedBy: ANNA, scanGrantHash: 'grant-hash', matchCode: '42', scannedAt: START } : {}),
    ...(status === 'confirmed' || status === 'redeemed' ? { subject: subjectOf(ANNA) } : {}),
    ...(status === 'denied' ? { deniedBecause: 'person' as const } : {}),
    openedFrom: { address: '192.0.2.1', browser: { name: 'Firefox', system: 'Linux' } },
    createdAt: START,
    expiresAt: later(60),
    requestEndsAt: later(900),
    ...more,
  };
}
