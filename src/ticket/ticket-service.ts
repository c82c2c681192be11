/** What can be done with a ticket, by whom. Every once-only change is decided by the store. */
import { AppError } from '../error.js';
import { hashSecret, newMatchCode, newSecret, sameSecret } from '../secret.js';
import type { Nudge } from './nudge.js';
import {
  type Asked,
  isFinal,
  type OpenTicket,
  type PhoneIdentity,
  type Subject,
  statusAt,
  successorOf,
  type Ticket,
  type TicketEvent,
  type TicketStatus,
  transition,
} from './ticket.js';
import type { TicketCaps } from './ticket-caps.js';
import type { TicketReading, TicketStore } from './ticket-store.js';
import { secondsLeft, type TicketView, toView } from './ticket-view.js';
import type { TicketWatcher, Watched } from './ticket-watcher.js';

/** A ticket just made, with the two secrets that exist nowhere else. */
export interface OpenedTicket {
  readonly id: string;
  readonly scanToken: string;
  readonly waitSecret: string;
  readonly expiresIn: number;
}

/** A ticket as a QR code's holder saw it. What is done to it is done to exactly this state, or not at all. */
export interface Preview extends TicketReading {
  readonly status: TicketStatus;
}

/** The same for who sent a scan grant. */
export interface Granted extends TicketReading {
  readonly grantMatches: boolean;
}

/** Section "Fixed numbers" of docs/security.md. */
const LIMIT = { scansPerTenMinutes: 10, mismatchesPerHour: 5, waitingInBrowser: 5 } as const;

export interface TicketServiceDeps {
  store: TicketStore;
  nudge: Nudge;
  watcher: TicketWatcher;
  caps: TicketCaps;
  /** How long an unscanned ticket lives. */
  pendingSeconds: number;
  /** Whether an authorization request can still be answered. */
  requestLives: (requestUid: string) => Promise<boolean>;
}

/** As long as a hash, equal to none: an unknown ticket is compared like a known one. */
const NO_HASH = '-'.repeat(43);

export class TicketService {
  readonly #deps: TicketServiceDeps;
  readonly #store: TicketStore;

  constructor(deps: TicketServiceDeps) {
    this.#deps = deps;
    this.#store = deps.store;
  }

  /** Stores a pending ticket. Its ids and secrets are always made here, never taken from a caller (T3, T4). */
  async open(input: OpenTicket): Promise<OpenedTicket> {
    const [id, scanToken, waitSecret] = [newSecret(16), newSecret(20), newSecret()];
    const reading = await this.#store.insert({
      ...input,
      id,
      scanTokenHash: hashSecret(scanToken),
      waitSecretHash: hashSecret(waitSecret),
      seconds: this.#deps.pendingSeconds,
    });
    return { id, scanToken, waitSecret, expiresIn: secondsLeft(reading) };
  }

  /**
   * As open; tickets shown before for the same request, by a reload or another tab, are cancelled (T6). So are the oldest
   * of the same browser's other requests, where more than a few still wait (T76).
   */
  async openAnew(input: OpenTicket, otherRequests: readonly string[] = []): Promise<OpenedTicket> {
    const cancelled = await this.#store.cancelLive(input.requestUid);
    if (otherRequests.length >= LIMIT.waitingInBrowser) {
      cancelled.push(...(await this.#store.cancelOldest(otherRequests, LIMIT.waitingInBrowser - 1)));
    }
    await Promise.all(cancelled.map((id) => this.#deps.nudge.publish(id)));
    return this.open(input);
  }

  /** For the holder of the wait secret. An unknown ticket and a wrong secret are the same `not_found` (T2). */
  async read(id: string, waitSecret: string): Promise<TicketView> {
    return toView(await this.#held(id, waitSecret));
  }

  /** Whose sign-in it is; for a door that lets only that client's pages come near. */
  async clientOf(id: string): Promise<string | undefined> {
    return (await this.#store.find(id))?.ticket.clientId;
  }

  /** As read, and then `onChange` at each change to its end; see ticket-watcher.ts. */
  watch(id: string, waitSecret: string, onChange: (view: TicketView) => void): Promise<Watched> {
    return this.#deps.watcher.watch(id, () => this.#held(id, waitSecret), onChange);
  }

  /** The ticket a QR code names, for showing; changes nothing (T14). */
  async preview(scanToken: string): Promise<Preview> {
    const reading = await this.#store.findByScanToken(hashSecret(scanToken));
    if (!reading) throw new AppError('not_found');
    return { ...reading, status: statusAt(reading.ticket, reading.now) };
  }

  /** Binds a previewed ticket to this phone. Returns the scan grant, which alone confirms or denies. */
  async scan(reading: Preview, by: PhoneIdentity): Promise<{ ticket: Ticket; scanGrant: string; expiresIn: number }> {
    const recent = await this.#store.recentOf(by.accountId);
    if (recent.mismatches >= LIMIT.mismatchesPerHour) throw new AppError('too_many_requests', { retryAfter: 3600 });
    if (recent.scans >= LIMIT.scansPerTenMinutes) {
      const message = `An account scans at most ${LIMIT.scansPerTenMinutes} times in ten minutes; use another one or wait.`;
      throw new AppError('too_many_requests', { message, retryAfter: 600 });
    }
    const secret = newSecret();
    const [scanGrantHash, matchCode] = [hashSecret(secret), newMatchCode()];
    const next = await this.#move(reading, { type: 'scan', by, scanGrantHash, matchCode });
    return {
      ticket: next,
      scanGrant: `${next.id}.${secret}`,
      expiresIn: secondsLeft({ ticket: next, now: reading.now }),
    };
  }

  /** The ticket a scan grant belongs to, so that a door can check what else it binds to that ticket. */
  ticketIdOf(scanGrant: string): string {
    return scanGrant.slice(0, Math.max(0, scanGrant.indexOf('.')));
  }

  /** The ticket a scan grant names, for showing; whether the grant may move it is for confirm and deny to say. */
  async granted(scanGrant: string): Promise<Granted> {
    const reading = await this.#store.find(this.ticketIdOf(scanGrant));
    if (!reading) throw new AppError('not_found');
    const secret = scanGrant.slice(scanGrant.indexOf('.') + 1);
    return { ...reading, grantMatches: sameSecret(reading.ticket.scanGrantHash, hashSecret(secret)) };
  }

  /** "Allow". A wrong match code ends the ticket and throws `match_code_wrong`. */
  async confirm(granted: Granted, by: PhoneIdentity, matchCode: string | undefined, subject: Subject): Promise<void> {
    const { ticket, grantMatches } = granted;
    const matchCodeMatches = sameSecret(ticket.matchCode, matchCode);
    const next = await this.#move(granted, { type: 'confirm', by, grantMatches, matchCodeMatches, subject });
    if (next.status === 'denied') throw new AppError('match_code_wrong');
  }

  /** As redeem, by the phone that has just allowed it: for a door without a waiting page. */
  async redeemByGrant(scanGrant: string): Promise<Ticket> {
    const granted = await this.granted(scanGrant);
    if (!granted.grantMatches) throw new AppError('forbidden');
    return this.#move(granted, { type: 'redeem' });
  }

  /** "Deny". */
  async deny(granted: Granted, by: PhoneIdentity): Promise<void> {
    await this.#move(granted, { type: 'deny', by, grantMatches: granted.grantMatches });
  }

  /** The waiting page gives its ticket up. */
  async cancel(id: string, waitSecret: string): Promise<void> {
    await this.#move(await this.#held(id, waitSecret), { type: 'cancel' });
  }

  /**
   * A fresh ticket for the same frozen request; the old one ends. At most one successor per ticket, so that one
   * request never has two live tickets. `gone` when the request itself is over.
   */
  async renew(id: string, waitSecret: string, asked: Asked): Promise<OpenedTicket & { ticket: Ticket }> {
    const reading = await this.#held(id, waitSecret);
    const { ticket, now } = reading;
    const left = ticket.requestEndsAt.getTime() - now.getTime();
    if (left < 10_000 || !(await this.#deps.requestLives(ticket.requestUid))) throw new AppError('gone');
    const status = statusAt(ticket, now);
    // A ticket the phone has said yes to, or whose code is out, is not replaced.
    if (status === 'redeemed' || status === 'confirmed') throw new AppError('conflict');
    const next = successorOf(ticket, asked);
    const opened = await this.#deps.caps.admit(next, async () => {
      if (!isFinal(status)) await this.#move(reading, { type: 'cancel' });
      if (!(await this.#store.claimRenewal(id))) throw new AppError('conflict');
      return this.open(next);
    });
    return { ...opened, ticket };
  }

  /**
   * confirmed -> redeemed, for exactly one caller: the code is made from what it returns. What its person denied comes back
   * as it is; what a wrong match code ended is a `conflict`.
   */
  async redeem(id: string, waitSecret: string): Promise<Ticket> {
    const reading = await this.#held(id, waitSecret);
    return isDenied(reading.ticket) ? reading.ticket : this.#move(reading, { type: 'redeem' });
  }

  /** A one-time handle that redeems this ticket from a top-level navigation instead of the page (T30). */
  async delegate(id: string, waitSecret: string): Promise<{ handle: string }> {
    const reading = await this.#held(id, waitSecret);
    // Throws for what a wrong match code ended.
    isDenied(reading.ticket);
    const secret = newSecret();
    await this.#move(reading, { type: 'delegate', continueHash: hashSecret(secret) });
    return { handle: `${id}.${secret}` };
  }

  /** Redeems by handle; a person's denial comes back as the denied ticket. */
  async redeemByHandle(handle: string): Promise<Ticket> {
    const [id = '', secret = ''] = handle.split('.');
    const reading = await this.#store.find(id);
    if (!reading || !sameSecret(reading.ticket.continueHash, hashSecret(secret))) throw new AppError('not_found');
    if (reading.ticket.expiresAt <= reading.now) throw new AppError('gone');
    if (reading.ticket.status === 'denied') return reading.ticket;
    return this.#move(reading, { type: 'redeem' });
  }

  /** Stops listening for nudges, and telling. */
  close(): Promise<void> {
    this.#deps.watcher.close();
    return this.#deps.nudge.close();
  }

  async #held(id: string, waitSecret: string): Promise<TicketReading> {
    const reading = await this.#store.find(id);
    // Compared even when there is no row, so that both refusals take the same path.
    const matches = sameSecret(reading?.ticket.waitSecretHash ?? NO_HASH, hashSecret(waitSecret));
    if (!reading || !matches) throw new AppError('not_found');
    return reading;
  }

  async #move(reading: TicketReading, event: TicketEvent): Promise<Ticket> {
    const next = transition(reading.ticket, event, reading.now);
    if (!(await this.#store.replace(next, reading.ticket))) throw new AppError('conflict');
    if (next.status !== reading.ticket.status) await this.#deps.nudge.publish(next.id);
    return next;
  }
}

/** Whether its person said no. That a number was wrong is no answer for a site: `conflict`. */
function isDenied({ status, deniedBecause }: Ticket): boolean {
  if (status === 'denied' && deniedBecause !== 'person') throw new AppError('conflict');
  return status === 'denied';
}
