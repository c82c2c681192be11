// Entry of @qrconnect/vue.
export type { QrConnectErrorDetail, QrConnectOptions } from '@qrconnect/web';
export { QrConnect } from './qr-connect.js';
export { type TicketState, type UseTicket, useTicket, type Watched } from './use-ticket.js';
