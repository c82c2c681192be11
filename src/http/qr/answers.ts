/** What the ticket API answers, as schemas: the OpenAPI document is made of them, and tests hold real answers against them. */
import { z } from 'zod';

/** In the order of a ticket's life; the last four never change again. */
const status = z.enum(['pending', 'scanned', 'confirmed', 'redeemed', 'denied', 'cancelled', 'expired']);
const seconds = z.int().min(0);
const state = z.string().optional().describe('As it was sent.');
const iss = z.url().describe('This server: compare it with the one you asked (RFC 9207).');
const to = z.url().describe('The redirect URI with the answer in its query, for the browser that shows the QR code.');

export const TICKET = z.strictObject({
  ticket_id: z.string().describe('Public: it may stand in URLs and logs.'),
  wait_secret: z
    .string()
    .describe('Its holder may watch, redeem and cancel the ticket. In a header or body only, never in a URL.'),
  qr_url: z.url().describe('What the QR code says, and all it may say.'),
  qr_svg: z.string().describe('Drawn with its quiet zone; <svg>…</svg>, to stand inline.'),
  qr_png: z.string().describe('The same as a data: URL.'),
  expires_in: seconds.describe('Until it must be scanned.'),
  interval: seconds.describe('Seconds between two polls.'),
});

/** Not a word about who scanned (T10). */
export const STATUS = z.strictObject({
  status: status.describe('The last four never change again.'),
  match_code: z
    .string()
    .regex(/^\d\d$/)
    .optional()
    .describe('While scanned: two digits to show large beside the QR code. The person types them on the phone.'),
  expires_in: seconds,
});

export const REDEEMED = z.union([
  z.strictObject({
    redirect_to: to,
    code: z.string().describe('For the token endpoint: 60 seconds, once.'),
    state,
    iss,
  }),
  z.strictObject({ redirect_to: to, error: z.enum(['access_denied', 'login_required']), state, iss }),
]);

export const CONTINUE = z.strictObject({
  continue: z.url().describe('Redeems by a top-level navigation, once, within 30 seconds.'),
});
