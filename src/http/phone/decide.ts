/** POST /phone/scan, /phone/confirm, /phone/deny: what a signed-in phone does with a ticket. Who it is comes from its session only (T18). */
import { z } from 'zod';
import type { SignedIn } from '../../account/sign-in-service.js';
import { AppError } from '../../error.js';
import type { PhoneIdentity } from '../../ticket/ticket.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import type { AppRouterContext } from '../context.js';
import { readJson } from '../middleware/read-body.js';
import type { CsrfTokens } from './csrf-token.js';
import { placeOf } from './place.js';
import { describeClient, type ScanPageDeps } from './scan.js';

const token = z.string().regex(/^[\w.-]{1,200}$/);
/** Missing or misshapen it is as wrong as somebody else's: 403, not 400 (T16). */
const csrf = z.string().max(200).default('');
const SCAN = z.strictObject({ scan_token: token, csrf });
const DENY = z.strictObject({ scan_grant: token, csrf });
const CONFIRM = DENY.extend({
  match_code: z
    .string()
    .regex(/^\d{2}$/)
    .optional(),
});

export type DecideDeps = Pick<ScanPageDeps, 'clients' | 'authorization'> & { tickets: TicketService; csrf: CsrfTokens };

export function scan(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, SCAN);
    const phone = signedIn(ctx);
    const { ticket: shown } = await deps.tickets.preview(input.scan_token);
    checkCsrf(deps, phone, input.csrf, shown.id);
    const client = await describeClient(deps, shown);
    const { ticket, scanGrant, expiresIn } = await deps.tickets.scan(input.scan_token, identity(phone));
    ctx.body = {
      scan_grant: scanGrant,
      client: { name: client.name, host: client.host },
      request: { scope: client.scopes.join(' ') },
      browser: ticket.openedFrom.browser,
      place: placeOf(ticket.openedFrom, ctx.state.address, ctx.state.lang),
      match_code: ticket.matchRequired ? 'required' : 'off',
      expires_in: expiresIn,
    };
  };
}

export function confirm(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, CONFIRM);
    const phone = signedIn(ctx);
    checkCsrf(deps, phone, input.csrf, deps.tickets.ticketIdOf(input.scan_grant));
    const subject = {
      accountId: phone.account.id,
      authTime: Math.floor(phone.session.authTime.getTime() / 1000),
      // RFC 8176 has no value for it; `qr` says that another device confirmed.
      amr: [...phone.session.amr, 'qr'],
    };
    await deps.tickets.confirm(input.scan_grant, identity(phone), input.match_code, subject);
    ctx.body = { status: 'confirmed' };
  };
}

export function deny(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, DENY);
    const phone = signedIn(ctx);
    checkCsrf(deps, phone, input.csrf, deps.tickets.ticketIdOf(input.scan_grant));
    await deps.tickets.deny(input.scan_grant, identity(phone));
    ctx.body = { status: 'denied' };
  };
}

function signedIn(ctx: AppRouterContext): SignedIn {
  if (!ctx.state.phone) throw new AppError('not_signed_in');
  return ctx.state.phone;
}

function identity(phone: SignedIn): PhoneIdentity {
  return { accountId: phone.account.id, sessionId: phone.session.id };
}

function checkCsrf(deps: DecideDeps, phone: SignedIn, given: string, ticketId: string): void {
  if (!deps.csrf.matches(given, phone.session.id, ticketId)) throw new AppError('forbidden');
}
