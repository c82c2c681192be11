// The calls of the headless API that change a ticket, with typed results. Each throws a QrConnectError that says what to do.
import { FIX, QrConnectError } from './error.js';
import { type Answer, request } from './request.js';
import { ticketUrl } from './transport/transport.js';

export interface Server {
  /** Where the qrconnect server is, such as https://login.example.com. */
  server: string;
}

/** Who holds the wait secret of a ticket may watch, redeem, renew and cancel it. Keep it in memory only. */
export interface TicketHolder extends Server {
  ticketId: string;
  waitSecret: string;
}

/** The request of a public client, made from a page of one of its embed origins. */
export interface CreateTicket extends Server {
  clientId: string;
  redirectUri: string;
  /** Of `newPkcePair()`; keep its verifier for the exchange. */
  codeChallenge: string;
  /** `openid` unless given. */
  scope?: string;
  /** Comes back with the code: compare it, so that nobody slips you the code of another sign-in. */
  state?: string;
  nonce?: string;
}

export interface CreatedTicket {
  readonly ticketId: string;
  readonly waitSecret: string;
  /** What the QR code says: draw this, and nothing else. */
  readonly qrUrl: string;
  /** The QR code as the server draws it. */
  readonly qrSvg: string;
  /** The same as a data: URL of a PNG. */
  readonly qrPng: string;
  /** Whole seconds in which it must be scanned. */
  readonly expiresIn: number;
}

export interface Redeemed {
  /** The redirect URI with the answer in it, for sites that go on by navigation. */
  readonly redirectTo: string;
  /** Exchange it within a minute, once. Absent when the person said no, and at the standard sign-in page. */
  readonly code: string | null;
  readonly state: string | null;
  readonly iss: string | null;
  /** `access_denied` when the person said no. */
  readonly error: string | null;
}

/** Milliseconds; no answer by then counts as none. */
const WITHIN = 15_000;

/** A ticket for a QR code that the page draws by itself. */
export async function createTicket(asked: CreateTicket): Promise<CreatedTicket> {
  const body = {
    client_id: asked.clientId,
    redirect_uri: asked.redirectUri,
    scope: asked.scope,
    state: asked.state,
    nonce: asked.nonce,
    code_challenge: asked.codeChallenge,
    code_challenge_method: 'S256',
  };
  return toTicket(accept(await request(`${serverOrigin(asked)}/api/qr/tickets`, { body, within: WITHIN }), 201));
}

/** Trades a confirmed ticket for its code, or a denied one for its refusal: once. */
export async function redeemTicket(holder: TicketHolder): Promise<Redeemed> {
  const { body } = accept(await call(holder, '/redeem'), 200);
  return {
    redirectTo: text(body, 'redirect_to'),
    code: optional(body, 'code'),
    state: optional(body, 'state'),
    iss: optional(body, 'iss'),
    error: optional(body, 'error'),
  };
}

/** As redeem, but the code stays out of this page: a one-time address for the top window to navigate to. */
export async function continueTicket(holder: TicketHolder): Promise<string> {
  return text(accept(await call(holder, '/continue'), 200).body, 'continue');
}

/** A fresh ticket for the same request, with a fresh secret; the old one ends. Throws `gone` when the request is over. */
export async function renewTicket(holder: TicketHolder): Promise<CreatedTicket> {
  return toTicket(accept(await call(holder, '/renew'), 201));
}

/** The QR code is good for nothing from now on. The call outlives the page that makes it. */
export async function cancelTicket(holder: TicketHolder): Promise<void> {
  const url = ticketUrl({ ...holder, server: serverOrigin(holder) });
  accept(await request(url, { method: 'DELETE', bearer: holder.waitSecret, keepalive: true, within: WITHIN }), 204);
}

/** Checks what a caller gave; a wrong address would else look like a lost network. */
export function serverOrigin({ server, ...given }: Server & Partial<TicketHolder>): string {
  if (['ticketId', 'waitSecret'].some((name) => name in given) && !(given.ticketId && given.waitSecret)) {
    throw new QrConnectError(
      'bad_options',
      'ticketId and waitSecret are needed: both are in the answer that made the ticket.',
    );
  }
  try {
    const { origin, protocol } = new URL(server);
    if (protocol === 'https:' || protocol === 'http:') return origin;
  } catch {
    // Said below.
  }
  throw new QrConnectError(
    'bad_options',
    'server must be the address of a qrconnect server, such as https://login.example.com.',
  );
}

function call(holder: TicketHolder, end: string): Promise<Answer> {
  const url = ticketUrl({ ...holder, server: serverOrigin(holder) }, end);
  return request(url, { bearer: holder.waitSecret, within: WITHIN });
}

const CODES: Readonly<Record<number, keyof typeof FIX>> = {
  0: 'unreachable',
  404: 'unknown_ticket',
  409: 'already_moved',
  410: 'gone',
  429: 'busy',
  503: 'busy',
};

function accept(answer: Answer, wanted: number): Answer {
  const { status, body, retryAfter } = answer;
  if (status === wanted) return answer;
  const code = CODES[status];
  const said = optional(body, 'error_description');
  const serverError = optional(body, 'error') ?? undefined;
  throw new QrConnectError(code ?? 'refused', code ? FIX[code] : (said ?? `The server answered ${status}.`), {
    status,
    serverError,
    retryAfter,
  });
}

function toTicket({ body }: Answer): CreatedTicket {
  return {
    ticketId: text(body, 'ticket_id'),
    waitSecret: text(body, 'wait_secret'),
    qrUrl: text(body, 'qr_url'),
    qrSvg: text(body, 'qr_svg'),
    qrPng: optional(body, 'qr_png') ?? '',
    expiresIn: Number(body.expires_in) || 0,
  };
}

function text(body: Answer['body'], name: string): string {
  const value = optional(body, name);
  if (value !== null) return value;
  throw new QrConnectError('refused', `The answer has no ${name}: is that a qrconnect server?`);
}

function optional(body: Answer['body'], name: string): string | null {
  const value = body[name];
  return typeof value === 'string' ? value : null;
}
