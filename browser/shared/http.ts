// One way to call our own JSON endpoints: never throws, and tells a lost network apart from an answer.

export interface Answer {
  /** 0 when no answer came at all. */
  status: number;
  body: Record<string, unknown>;
  /** Seconds the server asked us to wait, if it did. */
  retryAfter: number | null;
}

export interface Call {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  bearer?: string;
  signal?: AbortSignal;
  /** Cookies are left out unless a route needs them. */
  cookies?: boolean;
}

const NO_ANSWER: Answer = { status: 0, body: {}, retryAfter: null };

export async function call(path: string, { method = 'POST', body, bearer, signal, cookies }: Call): Promise<Answer> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  try {
    const response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: cookies ? 'same-origin' : 'omit',
      redirect: 'error',
      signal,
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text), retryAfter: seconds(response.headers.get('Retry-After')) };
  } catch {
    return NO_ANSWER;
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function seconds(header: string | null): number | null {
  const value = Number(header);
  return header && Number.isFinite(value) && value >= 0 ? value : null;
}

export function textField(answer: Answer, name: string): string | null {
  const value = answer.body[name];
  return typeof value === 'string' ? value : null;
}
