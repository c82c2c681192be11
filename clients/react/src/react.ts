// Entry of @qrconnect/react.
export type { QrConnectErrorDetail, QrConnectOptions } from '@qrconnect/web';
export { QrConnect, type QrConnectProps } from './qr-connect.js';
export { type TicketState, type UseTicket, useTicket } from './use-ticket.js';
