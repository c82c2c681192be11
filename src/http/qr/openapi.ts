/** The ticket API as its OpenAPI document: schemas, and how each caller proves who it is. */
import type { z } from 'zod';
import { type Description, PROBLEM } from '../openapi.js';
import { CONTINUE, REDEEMED, STATUS, TICKET } from './answers.js';
import { OPERATIONS, type SchemaName, type TicketOperation } from './operations.js';
import { FIRST_MESSAGE } from './socket.js';
import { TICKET_REQUEST } from './ticket-request.js';

export const SCHEMAS: Readonly<Record<SchemaName, z.ZodType>> = {
  TicketRequest: TICKET_REQUEST,
  Ticket: TICKET,
  Status: STATUS,
  Redeemed: REDEEMED,
  Continue: CONTINUE,
  Error: PROBLEM,
  SocketFirstMessage: FIRST_MESSAGE,
};

const DESCRIPTION = `For sites and apps that draw their own QR code. A call with a wait secret names it in the Authorization
header, as a bearer token. Pages of a client's registered embed origins may call (CORS, never with cookies). Errors are JSON:
error, error_description.`;

export const TICKET_API: Description<SchemaName, TicketOperation['by']> = {
  title: 'qrconnect: QR tickets',
  description: DESCRIPTION,
  operations: OPERATIONS,
  schemas: SCHEMAS,
  /** A client proves itself in any one of these ways; those of the body stand in TicketRequest. */
  security: {
    client: [{ clientSecret: [] }, {}],
    wait: [{ waitSecret: [] }],
    // A browser's WebSocket takes no header.
    socket: [{}],
    anyone: [{}],
  },
  securitySchemes: {
    clientSecret: { type: 'http', scheme: 'basic', description: 'Client id and client secret, each form-encoded.' },
    waitSecret: { type: 'http', scheme: 'bearer', description: 'The wait secret of the ticket.' },
  },
  id: 'The ticket_id.',
};
