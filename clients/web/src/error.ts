// What can go wrong, as one type of error: a code for programs, and a sentence that says what to do about it.

export type QrConnectErrorCode =
  /** An option is missing or cannot be what it says: a mistake in the calling code. */
  | 'bad_options'
  /** No answer came: no network, or the server does not allow this page's origin. */
  | 'unreachable'
  /** This page's origin is not among the client's embed origins. */
  | 'origin_refused'
  /** 404: the server does not know the ticket, or the wait secret is not its. */
  | 'unknown_ticket'
  /** 409: the ticket is in another state than the call needs. */
  | 'already_moved'
  /** 410: the ticket, or its request, is over. */
  | 'gone'
  /** 429, and 503 with Retry-After. */
  | 'busy'
  /** Any other refusal: its words are the server's. */
  | 'refused'
  /** The watch was stopped before the ticket was decided. */
  | 'stopped';

export class QrConnectError extends Error {
  override readonly name = 'QrConnectError';
  readonly code: QrConnectErrorCode;
  /** The HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** The server's own word for it, such as `invalid_request`. */
  readonly serverError: string | undefined;
  /** Seconds to wait, if the server said so. */
  readonly retryAfter: number | undefined;

  constructor(
    code: QrConnectErrorCode,
    message: string,
    more: { status?: number; serverError?: string; retryAfter?: number | null } = {},
  ) {
    super(message);
    this.code = code;
    this.status = more.status;
    this.serverError = more.serverError;
    this.retryAfter = more.retryAfter ?? undefined;
  }

  /** The same call may work a little later. */
  get passes(): boolean {
    return this.code === 'unreachable' || this.code === 'busy' || (this.status !== undefined && this.status >= 500);
  }
}

/** What to do about an answer, whichever call it was given to. */
export const FIX = {
  unreachable:
    'No answer. Is there a network, and is this page’s origin among the client’s embed origins? (npm run admin -- clients update <client id> --embed-origin <origin>)',
  origin_refused:
    'The client of this ticket has not registered this page’s origin. Add it to the client: npm run admin -- clients update <client id> --embed-origin <origin>',
  unknown_ticket:
    'The server does not know this ticket, or the wait secret is not its. Take ticket_id and wait_secret from one and the same answer, and make a new ticket once it is over.',
  already_moved: 'The ticket is in another state than this call needs. Watch it, and call once its status fits.',
  gone: 'The ticket or its request is over. Make a new one.',
  busy: 'The server asks for a pause. Call again after `retryAfter` seconds.',
} as const satisfies Partial<Record<QrConnectErrorCode, string>>;
