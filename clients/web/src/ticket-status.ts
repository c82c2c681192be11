// What a waiting page may know of its ticket, and how it is read off the wire.

export type TicketStatus = 'pending' | 'scanned' | 'confirmed' | 'redeemed' | 'denied' | 'cancelled' | 'expired';

export interface TicketUpdate {
  readonly status: TicketStatus;
  /** Two digits to show after the scan; the person types them on the phone. Absent where the client has them off. */
  readonly matchCode?: string;
  /** Whole seconds left; 0 when it is over. */
  readonly expiresIn: number;
}

/** A ticket goes forwards only, so an older word that comes late is known by its place. */
const PLACE: Record<TicketStatus, number> = {
  pending: 0,
  scanned: 1,
  confirmed: 2,
  redeemed: 3,
  denied: 3,
  cancelled: 3,
  expired: 3,
};

export function isBehind(update: TicketUpdate, latest: TicketUpdate | null): boolean {
  return latest !== null && PLACE[update.status] < PLACE[latest.status];
}

/** Nothing more will come from the phone: it is time to redeem, or over. */
export function isDecided(status: TicketStatus): boolean {
  return PLACE[status] >= PLACE.confirmed;
}

/** Null for anything that is not a status message of a qrconnect server, such as the sign-in page of a hotel's network. */
export function readUpdate(message: unknown): TicketUpdate | null {
  if (typeof message !== 'object' || message === null) return null;
  const { status, match_code: matchCode, expires_in: expiresIn } = message as Record<string, unknown>;
  if (typeof status !== 'string' || !Object.keys(PLACE).includes(status)) return null;
  return {
    status: status as TicketStatus,
    ...(typeof matchCode === 'string' && matchCode !== '' ? { matchCode } : {}),
    expiresIn: Number(expiresIn) || 0,
  };
}
