/** The page that shows a QR code and waits: the same for a frame, a full page and the engine's login page. */
import type { Client } from '../../client/client.js';
import type { AuthorizationRequest } from '../../engine/authorization.js';
import { AppError } from '../../error.js';
import type { OpenedTicket } from '../../ticket/ticket-service.js';
import type { Language } from '../language.js';
import { drawQr, scanUrl } from '../qr/draw.js';
import { hostOf } from '../site-host.js';
import type { Page, View } from '../view.js';
import type { PageWishes } from './request.js';
import type { StyleSheet } from './style-sheet.js';

/** Characters of a host that a frame has room for: in large type, and at all. */
const WIDE_HOST = 22;
const LONGEST_HOST = 60;

export interface WaitingPage {
  lang: Language;
  client: Client;
  request: AuthorizationRequest;
  opened: OpenedTicket;
  wishes: PageWishes;
  framed: boolean;
  /** The site's own sheet for our decoration (T94); nothing else of it is anywhere in the page. */
  styleSheet?: StyleSheet;
  /** The exact origin the page's messages go to; null: it sends none. */
  parentOrigin: string | null;
  frameAncestors: readonly string[];
}

/** `more`: what the page around the box needs beside it. */
export async function waitingPage(
  deps: { view: View; publicUrl: string; demo: boolean },
  template: string,
  input: WaitingPage,
  more: { values?: Record<string, unknown>; data?: Record<string, unknown>; texts?: string } = {},
): Promise<Page> {
  const { client, opened, wishes } = input;
  const qrUrl = scanUrl(deps.publicUrl, opened.scanToken);
  const host = hostOf(input.request.redirectUri);
  if (!host) throw new AppError('server_error');
  const values = {
    client: { name: client.name, host },
    shownHost: input.framed ? endOfHost(host) : host,
    longHost: host.length > WIDE_HOST,
    dialect: client.dialect,
    qrSvg: await drawQr(qrUrl),
    layout: wishes.layout,
    tone: wishes.tone,
    theme: wishes.theme,
    framed: input.framed,
    dressed: input.styleSheet !== undefined,
    // In demo mode only: the token's holder could confirm as anybody who signs in, so it is never offered elsewhere.
    // Never beside a foreign sheet: a token in an attribute is what such sheets go for.
    phoneUrl: deps.demo && !input.styleSheet ? qrUrl : undefined,
    ...more.values,
  };
  const data = {
    ticketId: opened.id,
    waitSecret: opened.waitSecret,
    expiresIn: opened.expiresIn,
    transports: wishes.transports,
    dialect: client.dialect,
    navigate: wishes.navigate,
    parentOrigin: input.parentOrigin,
    styleSheet: input.styleSheet?.url,
    ...more.data,
  };
  return deps.view.render(template, values, {
    lang: input.lang,
    frameAncestors: input.frameAncestors,
    styleSource: input.styleSheet?.source,
    // To older Safaris 'self' is not the WebSocket of the same origin.
    connectTargets: [deps.publicUrl.replace(/^http/, 'ws')],
    texts: more.texts ?? 'waiting',
    data,
  });
}

/** A host that is too long for a frame shows its end: whose it is stands there, not at the front. */
function endOfHost(host: string): string {
  return host.length > LONGEST_HOST ? `…${host.slice(1 - LONGEST_HOST)}` : host;
}

/** The parent that loaded the page, else the registered origin of the redirect URI; only ever a registered one (T30). */
export function chooseParent(referer: string | undefined, client: Client, redirectUri: string): string | null {
  const candidates = [referer, URL.parse(redirectUri)?.origin, client.embedOrigins[0]];
  return candidates.find((origin) => origin !== undefined && client.embedOrigins.includes(origin)) ?? null;
}
