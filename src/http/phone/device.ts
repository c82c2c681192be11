/**
 * GET /device: where a person types the code that a device shows (RFC 8628 3.3), or arrives by its QR code. What follows
 * is the decision a scanned ticket gets; the ticket is opened when the page says that it is seen.
 */
import type { SignedIn } from '../../account/sign-in-service.js';
import type { DeviceAnswers, DeviceRequest } from '../../engine/device-answers.js';
import { AppError } from '../../error.js';
import type { TicketCaps } from '../../ticket/ticket-caps.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { chooseLanguage } from '../language.js';
import { isPrefetch } from '../prefetch.js';
import { describeRequest, type ScanPageDeps, sendDecidePage } from './scan.js';
import { readUserCode, showUserCode, type UserCodes } from './user-code.js';

export type DeviceDeps = ScanPageDeps & { devices: DeviceAnswers; userCodes: UserCodes; caps: TicketCaps };

/** Shows, and moves nothing (T14). Nothing is looked up for somebody who has not signed in. */
export function devicePage(deps: DeviceDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    if (isPrefetch(ctx)) {
      ctx.status = 204;
      return;
    }
    const { phone } = ctx.state;
    ctx.state.lang = chooseLanguage(phone?.account.locale, ctx.get('Accept-Language'));
    const typed = ctx.query.user_code;
    if (typed === undefined || typed === '') return askForCode(deps, ctx);
    const letters = readUserCode(typed);
    if (letters === undefined) return askForCode(deps, ctx, { wrong: true });
    if (!phone) {
      const page = deps.view.render(
        'phone/sign-in.njk',
        { lead: 'device.signIn' },
        { lang: ctx.state.lang, texts: 'sign-in', data: {} },
      );
      sendPage(ctx, page);
      return;
    }
    const request = await deps.userCodes.find(ctx, phone.account.id, letters);
    if (!request) return askForCode(deps, ctx, { wrong: true, userCode: showUserCode(letters) });
    const client = await deps.clients.active(request.clientId);
    if (!client) throw new AppError('gone');
    const userCode = showUserCode(letters);
    sendDecidePage(deps, ctx, phone, {
      client: await describeRequest(deps, client, request),
      openedFrom: request.openedFrom,
      openedAt: request.startedAt,
      userCode,
      // No ticket yet: the token is for this code. The scan answers with the ticket's.
      data: { userCode, csrf: deps.csrf.make(phone.session.id, csrfSubject(request)), matchCode: 'off' },
    });
  };
}

function askForCode(deps: DeviceDeps, ctx: AppRouterContext, values: { wrong?: true; userCode?: string } = {}): void {
  sendPage(ctx, deps.view.render('phone/device.njk', values, { lang: ctx.state.lang }), values.wrong ? 404 : 200);
}

/**
 * The scan of a device's code: a ticket of its own, which takes the place of any that is still undecided. Returns what
 * scans it. There is no waiting page of ours to show a match code; comparing the user code takes its place, and a person
 * who was sent somebody else's code can be warned but not saved by it (RFC 8628 5.4).
 */
export async function openDeviceTicket(
  deps: DeviceDeps,
  ctx: AppRouterContext,
  phone: SignedIn,
  given: { userCode: string; csrf: string },
): Promise<string> {
  const letters = readUserCode(given.userCode);
  const request = letters && (await deps.userCodes.find(ctx, phone.account.id, letters));
  if (!request) throw new AppError('not_found');
  if (!deps.csrf.matches(given.csrf, phone.session.id, csrfSubject(request))) throw new AppError('forbidden');
  const { clientId, openedFrom } = request;
  const { addressKey } = ctx.state;
  const opened = await deps.caps.admit({ addressKey, clientId }, () =>
    deps.tickets.openAnew({
      door: 'device',
      requestUid: request.key,
      requestEndsAt: request.endsAt,
      clientId,
      matchRequired: false,
      openedFrom,
      addressKey,
    }),
  );
  return opened.scanToken;
}

/** No ticket has such an id. */
function csrfSubject({ key }: DeviceRequest): string {
  return `device ${key}`;
}
