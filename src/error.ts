/** The closed list of things that can go wrong and what the outside may know of each. */
import { type Saying, say } from './saying.js';

const CATALOGUE = {
  invalid_request: [400, 'The request is malformed.'],
  invalid_credentials: [401, 'The user name or the password is wrong.'],
  not_signed_in: [401, 'Sign in first.'],
  forbidden: [403, 'This request is not allowed.'],
  match_code_wrong: [403, 'The match code is wrong; the ticket is dead.'],
  step_up_required: [403, 'The site asks for a fresh sign-in: enter the password again.'],
  passkey_required: [403, 'Add a passkey first: a password alone does not open the console.'],
  setup_token_required: [403, 'The setup link is not valid.'],
  not_found: [404, 'There is nothing here.'],
  method_not_allowed: [405, 'This address does not take that method.'],
  conflict: [409, 'Not in its present state: it has moved on, or is not there yet.'],
  gone: [410, 'That is over.'],
  too_large: [413, 'The request is too large.'],
  unsupported_media_type: [415, 'The request has the wrong Content-Type.'],
  misdirected: [421, 'This server does not answer under that host name.'],
  too_many_requests: [429, 'Too many requests; try again later.'],
  server_error: [500, 'Something went wrong on our side.'],
  unavailable: [503, 'The service is busy; try again in a moment.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof CATALOGUE;

export interface AppErrorOptions {
  /** Replaces the public text; must not carry secrets or input. */
  message?: string;
  /** The public text as sayings, one for each thing that is wrong: a door says them in its own voice. */
  sayings?: readonly Saying[];
  /** The same one by one, as a door has said them. */
  problems?: readonly string[];
  /** Chooses a page's texts (`error.<reason>.title` and so on) where the code alone says too little. */
  reason?: string;
  cause?: unknown;
  /** Seconds, for 429 and 503. */
  retryAfter?: number;
}

/** Thrown anywhere inside; only the doors turn it into an answer. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly reason: string;
  readonly sayings: readonly Saying[] | undefined;
  readonly problems: readonly string[] | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const [status, text] = CATALOGUE[code];
    const said = options.sayings?.map((one) => say(one)).join('; ');
    super(options.message ?? (said || text), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = status;
    this.sayings = options.sayings;
    this.problems = options.problems;
    this.reason = options.reason ?? code;
    this.retryAfter = options.retryAfter ?? (status === 503 || status === 429 ? 2 : undefined);
  }
}
