/** Where a device asked from, as the door saw it; the engine keeps it with the device code, for the phone to show (T11). */
import type { IncomingMessage } from 'node:http';
import type { OpenedFrom } from '../ticket/ticket.js';

const origins = new WeakMap<IncomingMessage, OpenedFrom>();

const UNKNOWN: OpenedFrom = { address: '', browser: { name: 'unknown', system: 'unknown' } };

export function noteOrigin(req: IncomingMessage, origin: OpenedFrom): void {
  origins.set(req, origin);
}

export function originOf(req: IncomingMessage): OpenedFrom {
  return origins.get(req) ?? UNKNOWN;
}
