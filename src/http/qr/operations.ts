/** Every call of the ticket API in words: what the OpenAPI document and its page are made of. */
import type { Answer, Operation } from '../openapi.js';

/** Names of schemas; openapi.ts knows them. */
export type SchemaName =
  | 'TicketRequest'
  | 'Ticket'
  | 'Status'
  | 'Redeemed'
  | 'Continue'
  | 'Error'
  | 'SocketFirstMessage';

/** `client`: as at the token endpoint, or by Origin; `wait`: the wait secret as a bearer token; `socket`: in the first message. */
export type TicketOperation = Operation<SchemaName, 'client' | 'wait' | 'socket' | 'anyone'>;

const problem = (description: string): Answer<SchemaName> => ({ description, schema: 'Error' });
const wait = (description: string): Answer<SchemaName> => ({ description, schema: 'Error', retryAfter: true });

const UNKNOWN = problem('No such ticket, or a wrong wait secret, or none: one answer for all three.');
const GUESSES = wait('Too many wrong wait secrets from this address.');
const PLACES = wait('This address holds too many waiting connections already: poll instead.');
const FULL = wait('This node holds as many waiting connections as it may, or the database is away: poll instead.');
const BUSY = wait('The database is away for a moment.');

const EVENTS = `One event a change, the first at once: "event: status" with a Status as its data. A comment (":") every 15
seconds. After redeemed, denied, cancelled or expired the stream ends. "event: superseded" with {}: a newer waiter has the
ticket's one place; poll from then on. A stream that ends without either: connect again. Read it with fetch: EventSource
cannot send the header.`;
const SOCKET = `No subprotocol, no compression. The upgrade needs an Origin: ours, or a registered embed origin. The first
message, within five seconds, is a SocketFirstMessage; then the server sends a Status at once and at each change, and closes
with 1000 after a final one. The text ping, at most once a second, is answered with the text pong. Other closes: 4400
malformed or pinged too often, 4403 this origin is not of the ticket's client, 4404 no such ticket or a wrong wait secret, 4408 no first message
in time, 4409 a newer waiter has the ticket's one place, 4410 expired or cancelled before, 4429 over a limit, 1001 the server
stops, 1013 try again later.`;

export const OPERATIONS: readonly TicketOperation[] = [
  {
    method: 'post',
    path: '/api/qr/tickets',
    id: 'openTicket',
    summary: 'Ask for a QR code',
    description: `The fields of an authorization request as JSON. A client with a secret or a key proves who it is as at
/oauth/token, from its own server and without an Origin header. A public client asks from a page of one of its embed origins,
with PKCE. Clients of the WeChat dialect have no part in this API.`,
    by: 'client',
    body: 'TicketRequest',
    answers: {
      201: { description: 'The ticket, and the two secrets that stand nowhere else.', schema: 'Ticket' },
      400: problem('Malformed, or refused in the words of OAuth: invalid_request, invalid_scope, login_required, …'),
      401: problem('invalid_client, with WWW-Authenticate where it came by that header.'),
      403: problem('Not from there: the message says from where.'),
      413: problem('More than 64 KiB.'),
      415: problem('Not application/json.'),
      429: wait('Too many live tickets, or too many wrong client secrets.'),
      503: BUSY,
    },
  },
  {
    method: 'get',
    path: '/api/qr/tickets/{id}',
    id: 'readTicket',
    summary: 'Ask how it is: poll, or long-poll',
    description: `Without wait it answers at once. With wait and seen it answers when the status is not the seen one any more,
else after the time (25 seconds at most, less a random part). One waiter a ticket: a newer one ends the older.`,
    by: 'wait',
    query: [
      { name: 'wait', description: 'Seconds to be held.', schema: { type: 'integer', minimum: 0, maximum: 25 } },
      { name: 'seen', description: 'The status you know.', schema: { type: 'string' } },
    ],
    answers: {
      200: { description: 'Now.', schema: 'Status' },
      404: UNKNOWN,
      410: problem('Expired or cancelled.'),
      429: wait('Too many wrong wait secrets from this address, or, with wait, too many waiting connections.'),
      503: FULL,
    },
  },
  {
    method: 'get',
    path: '/api/qr/tickets/{id}/events',
    id: 'watchByEvents',
    summary: 'Be told, by server-sent events',
    description: EVENTS,
    by: 'wait',
    answers: {
      200: {
        description: 'The stream.',
        type: 'text/event-stream',
        example: 'event: status\ndata: {"status":"scanned","match_code":"42","expires_in":60}\n\n',
      },
      404: UNKNOWN,
      410: problem('Expired or cancelled before the stream began.'),
      429: PLACES,
      503: FULL,
    },
  },
  {
    method: 'get',
    path: '/api/qr/socket',
    id: 'watchBySocket',
    summary: 'Be told, by WebSocket',
    description: SOCKET,
    by: 'socket',
    answers: {
      101: { description: 'Now send the first message.' },
      403: problem('Another origin, none, or "null".'),
      404: problem('Not an upgrade to a WebSocket.'),
      429: PLACES,
      503: FULL,
    },
  },
  {
    method: 'post',
    path: '/api/qr/tickets/{id}/redeem',
    id: 'redeemTicket',
    summary: 'Take the answer, once',
    description: `After confirmed: the code, for the token endpoint. After a denial by the person: error access_denied. Send
the browser to redirect_to, or let the server exchange the code without.`,
    by: 'wait',
    answers: {
      200: { description: 'The answer.', schema: 'Redeemed' },
      403: problem('The account may no longer sign in.'),
      404: UNKNOWN,
      409: problem('Not confirmed yet; or denied because the match code was wrong, which gives no answer.'),
      410: problem('Redeemed before, expired, cancelled, or the client was changed meanwhile.'),
      429: GUESSES,
      503: BUSY,
    },
  },
  {
    method: 'post',
    path: '/api/qr/tickets/{id}/continue',
    id: 'continueTicket',
    summary: 'Take an address that redeems it',
    description: `Instead of redeem, for a page that must not see the code: navigate the top window there.`,
    by: 'wait',
    answers: {
      200: { description: 'The address.', schema: 'Continue' },
      404: UNKNOWN,
      409: problem('Neither confirmed nor denied by the person.'),
      410: problem('Redeemed, expired or cancelled.'),
      429: GUESSES,
      503: BUSY,
    },
  },
  {
    method: 'post',
    path: '/api/qr/tickets/{id}/renew',
    id: 'renewTicket',
    summary: 'Ask for a fresh QR code for the same request',
    description: `The old ticket ends. Once a ticket, while the request lives (15 minutes), and not after confirmed.`,
    by: 'wait',
    answers: {
      201: { description: 'The next ticket.', schema: 'Ticket' },
      404: UNKNOWN,
      409: problem('Confirmed, or renewed before.'),
      410: problem('The request is over, because it was answered or because of its age: ask anew.'),
      429: wait('Too many live tickets, or too many wrong wait secrets.'),
      503: BUSY,
    },
  },
  {
    method: 'delete',
    path: '/api/qr/tickets/{id}',
    id: 'cancelTicket',
    summary: 'Give it up',
    description: 'The phone that scanned it is told that it is over.',
    by: 'wait',
    answers: {
      204: { description: 'Cancelled.' },
      404: UNKNOWN,
      409: problem('Redeemed or denied before.'),
      410: problem('Expired or cancelled before.'),
      429: GUESSES,
      503: BUSY,
    },
  },
  {
    method: 'get',
    path: '/api/qr/openapi.json',
    id: 'readDocument',
    summary: 'This document',
    description: 'OpenAPI 3.1.',
    by: 'anyone',
    answers: { 200: { description: 'The document.' } },
  },
  {
    method: 'get',
    path: '/api/qr',
    id: 'readPage',
    summary: 'This document as a page',
    description: 'For people.',
    by: 'anyone',
    answers: { 200: { description: 'The page.', type: 'text/html' } },
  },
];
