// The package's entry: everything a site may use.
export { type DrawQrOptions, drawQr } from './draw-qr.js';
export { defineQrConnect } from './element/define.js';
export {
  QR_CONNECT_EVENTS,
  type QrConnectErrorDetail,
  type QrConnectEvent,
  type QrConnectNews,
  type QrConnectOptions,
  setQrConnectOptions,
} from './element/options.js';
export { QrConnectElement } from './element/qr-connect-element.js';
export { QrConnectError, type QrConnectErrorCode } from './error.js';
export { newPkcePair, type PkcePair } from './pkce.js';
export { NOTHING_KNOWN, type TicketState, type UseTicket, watchState } from './ticket-state.js';
export type { TicketStatus, TicketUpdate } from './ticket-status.js';
export {
  type CreatedTicket,
  type CreateTicket,
  cancelTicket,
  createTicket,
  type Redeemed,
  redeemTicket,
  renewTicket,
  type TicketHolder,
} from './tickets.js';
export type { TransportName } from './transport/transport.js';
export { type TicketWatch, type WatchTicket, watchTicket } from './watch-ticket.js';
export type { Link } from './watcher.js';
