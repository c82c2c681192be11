/** The ticket: one attempt to sign in by QR code. Pure: no clock, no I/O; `now` is always the database's. */
import { AppError } from '../error.js';

export type TicketStatus = 'pending' | 'scanned' | 'confirmed' | 'redeemed' | 'denied' | 'cancelled' | 'expired';
/** How it was opened decides how it ends. */
export type TicketDoor = 'embed' | 'authorize' | 'headless' | 'device';

/** Who confirmed, and how they had proved who they are (OpenID Connect Core 2: auth_time, amr). */
export interface Subject {
  readonly accountId: string;
  /** Seconds since the epoch. */
  readonly authTime: number;
  readonly amr: readonly string[];
  /** At the standard door, chosen on the phone: the browser there stays signed in. */
  readonly remember?: boolean;
}

/** What the server itself saw of the consumption device. Browser words come from a fixed vocabulary. */
export interface OpenedFrom {
  readonly address: string;
  readonly country?: string;
  readonly browser: { readonly name: string; readonly system: string };
  /** The site's own server asked: all of this is that server's, not of whoever sees the QR code. */
  readonly bySite?: true;
}

export interface PhoneIdentity {
  readonly accountId: string;
  readonly sessionId: string;
}

export interface Ticket {
  /** Public: it may stand in URLs and logs. */
  readonly id: string;
  /** Counts the changes; a store writes only over the revision it read. */
  readonly revision: number;
  readonly door: TicketDoor;
  /** The authorization request, kept by the engine, frozen before the QR code is drawn. */
  readonly requestUid: string;
  readonly clientId: string;
  readonly matchRequired: boolean;
  readonly status: TicketStatus;
  readonly scanTokenHash: string;
  readonly waitSecretHash: string;
  readonly scanGrantHash?: string;
  /** The one-time address handed to the site's page instead of the code. */
  readonly continueHash?: string;
  readonly matchCode?: string;
  readonly openedFrom: OpenedFrom;
  /** As in Asked. */
  readonly addressKey?: string;
  readonly scannedBy?: PhoneIdentity;
  readonly deniedBecause?: 'person' | 'match_code';
  readonly subject?: Subject;
  readonly createdAt: Date;
  readonly scannedAt?: Date;
  readonly endedAt?: Date;
  readonly expiresAt: Date;
  /** When the authorization request itself ends; no ticket outlives it. */
  readonly requestEndsAt: Date;
}

/** Who asked for a ticket, as far as the server saw. */
export interface Asked {
  readonly openedFrom: OpenedFrom;
  /** Whom it counts for (ticket-caps.ts); undefined: a site's own server asked, and it counts for its client alone. */
  readonly addressKey: string | undefined;
}

export interface OpenTicket extends Asked {
  readonly door: TicketDoor;
  readonly requestUid: string;
  readonly requestEndsAt: Date;
  readonly clientId: string;
  readonly matchRequired: boolean;
}

export type TicketEvent =
  | { type: 'scan'; by: PhoneIdentity; scanGrantHash: string; matchCode: string }
  | { type: 'confirm'; by: PhoneIdentity; grantMatches: boolean; matchCodeMatches: boolean; subject: Subject }
  | { type: 'deny'; by: PhoneIdentity; grantMatches: boolean }
  | { type: 'cancel' }
  | { type: 'delegate'; continueHash: string }
  | { type: 'redeem' };

/** Seconds. Section "Fixed numbers" of docs/security.md. */
export const LIFETIME = { scanned: 60, confirmed: 30, total: 300 } as const;

const FINAL: ReadonlySet<TicketStatus> = new Set(['redeemed', 'denied', 'cancelled', 'expired']);

export function isFinal(status: TicketStatus): boolean {
  return FINAL.has(status);
}

/** The status as of `now`: a live ticket past its time is expired, whatever its row still says. */
export function statusAt(ticket: Pick<Ticket, 'status' | 'expiresAt'>, now: Date): TicketStatus {
  return !isFinal(ticket.status) && ticket.expiresAt <= now ? 'expired' : ticket.status;
}

/**
 * The ticket after `event`. Throws AppError: `gone` (410) when it has ended or expired, `conflict` (409) when it is
 * not in the state the event needs, `forbidden` (403) when another phone asks.
 */
export function transition(ticket: Ticket, event: TicketEvent, now: Date): Ticket {
  const status = statusAt(ticket, now);
  switch (event.type) {
    case 'scan':
      return scan(ticket, status, event, now);
    case 'confirm':
      return confirm(ticket, status, event, now);
    case 'deny':
      demand(status, 'scanned');
      requireScanner(ticket, event.by, event.grantMatches);
      return end(ticket, 'denied', now, { deniedBecause: 'person' });
    case 'cancel':
      if (isFinal(status)) throw new AppError(status === 'expired' || status === 'cancelled' ? 'gone' : 'conflict');
      return end(ticket, 'cancelled', now);
    case 'delegate':
      if (status !== 'denied') demand(status, 'confirmed');
      return { ...ticket, continueHash: event.continueHash };
    case 'redeem':
      demand(status, 'confirmed');
      return end(ticket, 'redeemed', now);
  }
}

/** What a fresh ticket for the same request begins with. */
export function successorOf(ticket: Ticket, asked: Asked): OpenTicket {
  const { door, requestUid, requestEndsAt, clientId, matchRequired } = ticket;
  const { bySite, ...browser } = asked.openedFrom;
  return {
    door,
    requestUid,
    requestEndsAt,
    clientId,
    matchRequired,
    // Who began in a browser does not become a server by leaving out a header (T11).
    openedFrom: bySite && ticket.openedFrom.bySite ? asked.openedFrom : browser,
    // What began as a site's own goes on counting for its client alone.
    addressKey: ticket.addressKey && asked.addressKey,
  };
}

function scan(ticket: Ticket, status: TicketStatus, event: TicketEvent & { type: 'scan' }, now: Date): Ticket {
  if (status === 'scanned' && ticket.scannedBy) {
    // The same phone may look again (a reload); anyone else learns only that it is taken.
    if (!isSamePhone(ticket.scannedBy, event.by)) throw new AppError('conflict');
    return { ...ticket, scanGrantHash: event.scanGrantHash };
  }
  demand(status, 'pending');
  return {
    ...ticket,
    status: 'scanned',
    scannedBy: event.by,
    scanGrantHash: event.scanGrantHash,
    ...(ticket.matchRequired ? { matchCode: event.matchCode } : {}),
    scannedAt: now,
    expiresAt: until(ticket, now, LIFETIME.scanned),
  };
}

function confirm(ticket: Ticket, status: TicketStatus, event: TicketEvent & { type: 'confirm' }, now: Date): Ticket {
  demand(status, 'scanned');
  requireScanner(ticket, event.by, event.grantMatches);
  // One try: a guesser never gets a second look at the same two digits.
  if (ticket.matchRequired && !event.matchCodeMatches)
    return end(ticket, 'denied', now, { deniedBecause: 'match_code' });
  return { ...ticket, status: 'confirmed', subject: event.subject, expiresAt: until(ticket, now, LIFETIME.confirmed) };
}

function end(ticket: Ticket, status: TicketStatus, now: Date, more: Partial<Ticket> = {}): Ticket {
  return { ...ticket, ...more, status, endedAt: now };
}

function demand(status: TicketStatus, needed: TicketStatus): void {
  if (status === needed) return;
  // A ticket that will never move again is gone; one that has merely moved on is a conflict.
  throw new AppError(isFinal(status) && !(status === 'redeemed' && needed === 'scanned') ? 'gone' : 'conflict');
}

function requireScanner(ticket: Ticket, by: PhoneIdentity, grantMatches: boolean): void {
  if (!grantMatches || !ticket.scannedBy || !isSamePhone(ticket.scannedBy, by)) throw new AppError('forbidden');
}

function isSamePhone(a: PhoneIdentity, b: PhoneIdentity): boolean {
  return a.accountId === b.accountId && a.sessionId === b.sessionId;
}

function until(ticket: Ticket, now: Date, seconds: number): Date {
  const end = Math.min(
    now.getTime() + seconds * 1000,
    ticket.createdAt.getTime() + LIFETIME.total * 1000,
    ticket.requestEndsAt.getTime(),
  );
  return new Date(end);
}
