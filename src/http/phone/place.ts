/** What the phone is told of the place that asks: only what the server observed (T11). */
import type { OpenedFrom } from '../../ticket/ticket.js';
import type { Language } from '../language.js';

export interface Place {
  /** The country's name; absent when nobody trusted named it. */
  readonly country?: string;
  readonly address: string;
  /** Whether the phone calls from the same address. A hint, no proof: carriers share addresses. */
  readonly relation: 'same' | 'other';
  /** Whose: of the site's own server, which asked. Where the QR code is shown nobody saw; absent when a browser asked. */
  readonly of?: 'site';
}

export function placeOf(from: OpenedFrom, phoneAddress: string, lang: Language): Place {
  const country = from.country && new Intl.DisplayNames([lang], { type: 'region' }).of(from.country);
  return {
    ...(country ? { country } : {}),
    address: from.address,
    relation: from.address === phoneAddress ? 'same' : 'other',
    ...(from.bySite ? { of: 'site' } : {}),
  };
}
