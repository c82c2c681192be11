// Which server the element talks to: the one that served this file, else the one that the page names.

/** A server that serves this file puts its public origin in place of this word; in the package it stays as it is. */
const SERVED_FROM = '__QRCONNECT_ORIGIN__';

/** The origin of the server; null when none is named. Markup cannot point a served file at another server. */
export function serverOrigin(named: string | null): string | null {
  const address = /^https?:/.test(SERVED_FROM) ? SERVED_FROM : (named ?? '');
  try {
    const { origin, protocol } = new URL(address);
    return protocol === 'https:' || protocol === 'http:' ? origin : null;
  } catch {
    return null;
  }
}
