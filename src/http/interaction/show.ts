/** GET /interaction/:uid: the engine's login and consent page for standard OpenID Connect requests; top level only. */
import type { AccountService } from '../../account/account-service.js';
import type { BrowserSessionStore } from '../../account/browser-session-store.js';
import type { Client } from '../../client/client.js';
import type { ClientService } from '../../client/client-service.js';
import { type Authorization, isFreshEnough, type OwnRequest } from '../../engine/authorization.js';
import { AppError } from '../../error.js';
import type { ResourceService } from '../../resource/resource-service.js';
import type { TicketCaps } from '../../ticket/ticket-caps.js';
import type { TicketService } from '../../ticket/ticket-service.js';
import { readTransports } from '../connect/request.js';
import { waitingPage } from '../connect/waiting-page.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { chooseLanguage, firstSpoken } from '../language.js';
import { openedFrom } from '../opened-from.js';
import { describeRequest } from '../phone/scan.js';
import { isPrefetch } from '../prefetch.js';
import type { Page, View } from '../view.js';

export interface InteractionDeps {
  publicUrl: string;
  demo: boolean;
  view: View;
  accounts: AccountService;
  browserSessions: BrowserSessionStore;
  clients: ClientService;
  resources: ResourceService;
  authorization: Authorization;
  tickets: TicketService;
  caps: TicketCaps;
}

/** The request is found by the engine's cookie, so that a link to somebody else's request opens nothing (T19). */
export function showInteraction(deps: InteractionDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    // It would end the QR code that another tab shows (T14).
    if (isPrefetch(ctx)) {
      ctx.status = 204;
      return;
    }
    const request = await ownRequest(deps, ctx);
    const client = await clientOf(deps, request);
    ctx.state.lang = chooseLanguage(firstSpoken(request.uiLocales), ctx.get('Accept-Language'));
    const page = request.prompt === 'consent' ? consentPage : signInPage;
    sendPage(ctx, await page(deps, ctx, client, request));
  };
}

/** Throws `gone` for a request that is over, answered, or another browser's. */
export async function ownRequest(
  deps: Pick<InteractionDeps, 'authorization'>,
  ctx: AppRouterContext,
): Promise<OwnRequest> {
  const request = await deps.authorization.readOwn(ctx.req, ctx.res, String(ctx.params.uid));
  if (!request) throw new AppError('gone');
  return request;
}

async function clientOf(deps: InteractionDeps, request: OwnRequest): Promise<Client> {
  const client = await deps.clients.active(request.clientId);
  if (!client) throw new AppError('gone');
  // WeChat clients have their own page and no PKCE; the standard door is not theirs (T93).
  if (client.dialect !== 'oauth')
    throw new AppError('invalid_request', { message: 'this client speaks the WeChat dialect' });
  return client;
}

async function signInPage(
  deps: InteractionDeps,
  ctx: AppRouterContext,
  client: Client,
  request: OwnRequest,
): Promise<Page> {
  const { phone, addressKey } = ctx.state;
  const input = {
    door: 'authorize',
    requestUid: request.uid,
    requestEndsAt: request.endsAt,
    clientId: client.id,
    matchRequired: client.matchCode === 'type',
    openedFrom: openedFrom(ctx),
    addressKey,
  } as const;
  const opened = await deps.caps.admit(input, () => deps.tickets.openAnew(input, request.others));
  const signedIn = phone && {
    label: phone.account.username,
    nickname: phone.account.nickname,
    // Asked for the password first: the site wants somebody who has just proved who they are.
    fresh: isFreshEnough(request.freshness, phone.session.authTime),
  };
  return waitingPage(
    deps,
    'interaction/sign-in.njk',
    {
      lang: ctx.state.lang,
      client,
      request,
      opened,
      wishes: {
        lang: undefined,
        layout: 'classic',
        tone: 'black',
        theme: undefined,
        navigate: 'top',
        transports: readTransports(ctx.query.transports),
      },
      framed: false,
      parentOrigin: null,
      frameAncestors: [],
    },
    {
      values: { uid: request.uid, signedIn, loginHint: request.loginHint, otherAccount: wantsAnother(request) },
      data: { uid: request.uid },
      texts: 'interaction',
    },
  );
}

/** The site named somebody, by `id_token_hint`, and somebody else signed in. */
function wantsAnother({ reasons, accountId }: OwnRequest): boolean {
  return accountId !== undefined && reasons.some((reason) => reason === 'id_token_hint');
}

async function consentPage(
  deps: InteractionDeps,
  ctx: AppRouterContext,
  client: Client,
  request: OwnRequest,
): Promise<Page> {
  const account = request.accountId && (await deps.accounts.active(request.accountId));
  if (!account) throw new AppError('gone');
  const described = await describeRequest(deps, client, request);
  return deps.view.render(
    'interaction/consent.njk',
    { uid: request.uid, client: described, account: { label: account.username, nickname: account.nickname } },
    { lang: ctx.state.lang, texts: 'consent', data: { uid: request.uid } },
  );
}
