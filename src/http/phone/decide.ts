/** POST /phone/scan, /phone/confirm, /phone/deny: what a signed-in phone does with a ticket. Who it is comes from its session only (T18). */
import { z } from 'zod';
import type { SignedIn, SignInService } from '../../account/sign-in-service.js';
import { isFreshEnough } from '../../engine/authorization.js';
import { AppError } from '../../error.js';
import type { PhoneIdentity } from '../../ticket/ticket.js';
import type { AppRouterContext } from '../context.js';
import { readJson } from '../middleware/read-body.js';
import { type DeviceDeps, openDeviceTicket } from './device.js';
import { placeOf } from './place.js';
import { describeClient, requestOf } from './scan.js';

const token = z.string().regex(/^[\w.-]{1,200}$/);
/** Missing or misshapen it is as wrong as somebody else's: 403, not 400 (T16). */
const csrf = z.string().max(200).default('');
/** One or the other: what a QR code carries, or what a device shows. */
const SCAN = z.strictObject({ scan_token: token.optional(), user_code: z.string().max(64).optional(), csrf });
const DENY = z.strictObject({ scan_grant: token, csrf });
const CONFIRM = DENY.extend({
  match_code: z
    .string()
    .regex(/^\d{2}$/)
    .optional(),
  /** The browser stays signed in; only at the standard door. */
  remember: z.boolean().optional(),
});
const PROVE = DENY.extend({ password: z.string().min(1).max(256) });

export type DecideDeps = DeviceDeps & { signIn: SignInService };

export function scan(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, SCAN);
    const phone = signedIn(ctx);
    const { scan_token: fromQr, user_code: userCode, csrf: given } = input;
    if ((fromQr === undefined) === (userCode === undefined)) {
      throw new AppError('invalid_request', { message: 'send scan_token or user_code, and only one of them' });
    }
    const scanToken = fromQr ?? (await openDeviceTicket(deps, ctx, phone, { userCode: userCode ?? '', csrf: given }));
    const shown = await deps.tickets.preview(scanToken);
    if (fromQr !== undefined) checkCsrf(deps, phone, given, shown.ticket.id);
    const client = await describeClient(deps, shown.ticket);
    const { ticket, scanGrant, expiresIn } = await deps.tickets.scan(shown, identity(phone));
    ctx.body = {
      scan_grant: scanGrant,
      // The page was drawn before there was a ticket.
      ...(ticket.door === 'device' ? { csrf: deps.csrf.make(phone.session.id, ticket.id) } : {}),
      client: { name: client.name, host: client.host },
      request: { scope: client.scopes.map(({ name }) => name).join(' ') },
      browser: ticket.openedFrom.browser,
      place: placeOf(ticket.openedFrom, ctx.state.address, ctx.state.lang),
      match_code: ticket.matchRequired ? 'required' : 'off',
      fresh_sign_in: isFreshEnough(client.freshness, phone.session.authTime) ? 'off' : 'required',
      remember: ticket.door === 'authorize' ? 'offered' : 'off',
      expires_in: expiresIn,
    };
  };
}

export function confirm(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, CONFIRM);
    const phone = signedIn(ctx);
    checkCsrf(deps, phone, input.csrf, deps.tickets.ticketIdOf(input.scan_grant));
    const granted = await deps.tickets.granted(input.scan_grant);
    const { ticket } = granted;
    // Its request is over because it was answered; what follows would say that it is over because of its age.
    if (ticket.status === 'redeemed') throw new AppError('conflict');
    const request = await requestOf(deps, ticket);
    if (!request) throw new AppError('gone');
    if (!isFreshEnough(request.freshness, phone.session.authTime)) throw new AppError('step_up_required');
    const subject = {
      accountId: phone.account.id,
      authTime: Math.floor(phone.session.authTime.getTime() / 1000),
      // RFC 8176 has no value for it; `qr` says that another device confirmed.
      amr: [...phone.session.amr, 'qr'],
      ...(ticket.door === 'authorize' && input.remember ? { remember: true } : {}),
    };
    await deps.tickets.confirm(granted, identity(phone), input.match_code, subject);
    if (ticket.door === 'device') {
      await deps.tickets.redeemByGrant(input.scan_grant);
      await deps.devices.allow(ticket.requestUid, subject, phone.session.id);
    }
    ctx.body = { status: 'confirmed' };
  };
}

export function deny(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const input = await readJson(ctx.req, DENY);
    const phone = signedIn(ctx);
    checkCsrf(deps, phone, input.csrf, deps.tickets.ticketIdOf(input.scan_grant));
    const granted = await deps.tickets.granted(input.scan_grant);
    await deps.tickets.deny(granted, identity(phone));
    const { door, requestUid } = granted.ticket;
    if (door === 'device') await deps.devices.refuse(requestUid);
    ctx.body = { status: 'denied' };
  };
}

/** POST /phone/prove: the password once more, where the site asks for a fresh sign-in (`step_up_required`). */
export function prove(deps: DecideDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { password, csrf: given, scan_grant: grant } = await readJson(ctx.req, PROVE);
    const phone = signedIn(ctx);
    checkCsrf(deps, phone, given, deps.tickets.ticketIdOf(grant));
    await deps.signIn.reauthenticate(phone, { password, addressKey: ctx.state.addressKey });
    ctx.body = {};
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
