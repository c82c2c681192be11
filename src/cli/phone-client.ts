/** A phone's side of the public endpoints, over fetch, with the cookie kept here. */
import { PhoneError } from './phone-error.js';
import { openSessionFile } from './phone-session-file.js';
import type { ScanUrl } from './read-qr.js';

export interface Scanned {
  readonly scan_grant: string;
  readonly client: unknown;
  readonly request: unknown;
  readonly browser: unknown;
  readonly place: unknown;
  readonly match_code: 'required' | 'off';
  readonly fresh_sign_in: 'required' | 'off';
  readonly remember: 'offered' | 'off';
  readonly expires_in: number;
}

interface PageData {
  scanToken?: string;
  csrf?: string;
}

interface Answer {
  status: number;
  text: string;
  retryAfter: string | null;
}

const PATIENCE_MS = 20_000;
const MAX_PAGE = 1_000_000;

/** What the phone page says of a code that is over, for people who read a CI log. */
const GONE: Record<string, string> = {
  expired: 'the QR code has expired',
  used: 'the QR code has been used',
  taken: 'another phone scanned this QR code first',
  denied: 'this sign-in was denied',
};

export class PhoneClient {
  readonly #url: ScanUrl;
  readonly #fetch: typeof fetch;
  readonly #sessions: typeof openSessionFile;
  readonly #cookies = new Map<string, string>();
  #csrf = '';
  #password = '';

  constructor(url: ScanUrl, fetcher: typeof fetch = fetch, sessions = openSessionFile) {
    this.#url = url;
    this.#fetch = fetcher;
    this.#sessions = sessions;
  }

  /** Opens the page the code leads to, signs in unless an earlier call did, and scans. */
  async scan(username: string, password: string): Promise<Scanned> {
    const file = this.#sessions(this.#url.origin, username, password);
    this.#password = password;
    this.#keep([file.read() ?? '']);
    let { scanToken, csrf } = readPageData(await this.#page());
    if (!csrf) {
      this.#cookies.clear();
      await this.#post('/phone/sign-in', { username, password });
      ({ scanToken, csrf } = readPageData(await this.#page()));
      file.write([...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    }
    if (!scanToken || !csrf) throw new PhoneError('unexpected', 'the server did not accept its own sign-in cookie');
    this.#csrf = csrf;
    return (await this.#post('/phone/scan', { scan_token: scanToken, csrf })) as unknown as Scanned;
  }

  /** Proves once more who it is, with the password of the scan, where the site asks for that. */
  async confirm(
    scanGrant: string,
    matchCode: string | undefined,
    { remember = false } = {},
  ): Promise<Record<string, unknown>> {
    const grant = { scan_grant: scanGrant, csrf: this.#csrf };
    const code = matchCode === undefined ? {} : { match_code: matchCode };
    const confirm = () => this.#post('/phone/confirm', { ...grant, ...code, ...(remember ? { remember } : {}) });
    try {
      return await confirm();
    } catch (error) {
      if (!(error instanceof PhoneError) || error.code !== 'step_up_required') throw error;
      await this.#post('/phone/prove', { ...grant, password: this.#password });
      return confirm();
    }
  }

  deny(scanGrant: string): Promise<Record<string, unknown>> {
    return this.#post('/phone/deny', { scan_grant: scanGrant, csrf: this.#csrf });
  }

  async #page(): Promise<string> {
    const { status, text } = await this.#send('GET', `/s/${this.#url.scanToken}`);
    if (status === 200) return text;
    const reason = /<meta name="qrconnect-gone" content="(\w+)"/.exec(text)?.[1] ?? '';
    if (reason === 'taken') throw new PhoneError('conflict', GONE.taken as string);
    if (status === 410) throw new PhoneError('gone', GONE[reason] ?? 'the QR code is over');
    if (status === 404) throw new PhoneError('not_found', 'the server does not know this QR code');
    throw new PhoneError('unexpected', `the phone page answered with HTTP ${status}`);
  }

  async #post(path: string, body: object): Promise<Record<string, unknown>> {
    const { status, text, retryAfter } = await this.#send('POST', path, JSON.stringify(body));
    const answer = parseObject(text);
    if (status === 200 && answer) return answer;
    if (typeof answer?.error === 'string') {
      const when = retryAfter ? ` (Retry-After: ${retryAfter} seconds)` : '';
      throw new PhoneError(answer.error, `${answer.error_description ?? answer.error}${when}`);
    }
    throw new PhoneError('unexpected', `${path} answered with HTTP ${status}`);
  }

  async #send(method: string, path: string, body?: string): Promise<Answer> {
    const { origin } = this.#url;
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers: Record<string, string> = {
      'accept-language': 'en',
      'user-agent': 'qrconnect phone command',
      ...(cookie ? { cookie } : {}),
      ...(body === undefined ? {} : { origin, 'content-type': 'application/json' }),
    };
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const response = await this.#fetch(`${origin}${path}`, { method, body, headers, redirect: 'manual', signal });
      this.#keep(response.headers.getSetCookie());
      const text = (await response.text()).slice(0, MAX_PAGE);
      return { status: response.status, text, retryAfter: response.headers.get('retry-after') };
    } catch (cause) {
      throw new PhoneError('network', `${origin} does not answer: ${networkReason(cause)}`, cause);
    }
  }

  /** Enough of RFC 6265 for one host: names, values, and deletion. */
  #keep(lines: string[]): void {
    for (const line of lines) {
      const [name = '', ...rest] = (line.split(';', 1)[0] ?? '').split('=').map((part) => part.trim());
      const value = rest.join('=');
      if (name === '' || rest.length === 0) continue;
      if (value === '' || /;\s*max-age=(0|-\d+)\s*(;|$)/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

/** The data block our pages carry for their scripts. */
export function readPageData(html: string): PageData {
  const [, json] = /<script type="application\/json" id="page-data"[^>]*>([^<]*)<\/script>/.exec(html) ?? [];
  return (json && parseObject(json)) || {};
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function networkReason(error: unknown): string {
  const { cause, message, name } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} seconds`;
  const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
  return inner || code || message;
}
