// One way to call a qrconnect server: never throws, and tells a lost network apart from an answer.

export interface Answer {
  /** 0 when no answer came at all. */
  status: number;
  body: Record<string, unknown>;
  /** Seconds the server asked us to wait, if it did. */
  retryAfter: number | null;
}

export interface Request {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  bearer?: string;
  signal?: AbortSignal;
  /** Milliseconds after which no answer counts as none. */
  within?: number;
  /** The request outlives the page. */
  keepalive?: boolean;
  /** Cookies are left out unless a route of our own needs them. */
  credentials?: 'omit' | 'same-origin';
}

/** No cache may answer, and nobody else. */
export const FRESH = { cache: 'no-store', redirect: 'error' } as const;

const NO_ANSWER: Answer = { status: 0, body: {}, retryAfter: null };

export async function request(url: string, what: Request): Promise<Answer> {
  const { method = 'POST', body, within, signal, keepalive, credentials = 'omit' } = what;
  const end = new AbortController();
  const abort = () => end.abort();
  const timer = within === undefined ? undefined : setTimeout(abort, within);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    const init = {
      ...FRESH,
      method,
      headers: headersOf(what),
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials,
      keepalive,
      signal: end.signal,
    };
    const response = await fetch(url, init);
    const text = await response.text();
    return { status: response.status, body: parsed(text), retryAfter: secondsIn(response.headers.get('Retry-After')) };
  } catch {
    return NO_ANSWER;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function headersOf({ body, bearer, headers }: Request): Record<string, string> {
  return {
    Accept: 'application/json',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
    ...headers,
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function secondsIn(header: string | null): number | null {
  const value = Number(header);
  return header && Number.isFinite(value) && value >= 0 ? value : null;
}
