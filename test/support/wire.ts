/** Everything secret that passes over the wire while a test runs, whoever sent it; and every spelling of it. */
import { observe, pageData, type Sent } from './http.js';

/** Names of query keys, form fields and JSON members whose values are secret. */
const SECRET_NAMES = new Set([
  'access_token',
  'client_secret',
  'code',
  'code_verifier',
  'csrf',
  'id_token',
  'password',
  'refresh_token',
  'scan_grant',
  'scan_token',
  'scanToken',
  'secret',
  'token',
  'waitSecret',
  'wait_secret',
]);
/** Not kept from the database while a request lives, but never for a log. */
const PRIVATE_NAMES = new Set(['state', 'nonce', 'openid', 'unionid', 'nickname', 'username']);
/** Cookies that hold the ids of authorization requests; a request alone opens nothing. */
const PUBLIC_COOKIES = /^(engine-interaction|engine-resume|(__Host-)?engine-requests)$/;

export interface Wire {
  /** name -> values */
  readonly secrets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly privates: ReadonlyMap<string, ReadonlySet<string>>;
  stop(): void;
}

/** Collects from now on. */
export function tapWire(): Wire {
  const secrets = new Map<string, Set<string>>();
  const privates = new Map<string, Set<string>>();
  const note = (name: string, value: unknown) => {
    if (typeof value !== 'string' || value === '') return;
    if (URL.canParse(value) && /^https?:/.test(value)) return noteUrl(value);
    const into = SECRET_NAMES.has(name) || name.startsWith('cookie ') ? secrets : privates;
    if (into === privates && !PRIVATE_NAMES.has(name)) return;
    into.set(name, (into.get(name) ?? new Set()).add(value));
    // A handle or grant is "ticket id.secret"; a token may be "header.payload.signature". The last part opens.
    const last = value.split('.').at(-1) as string;
    if (into === secrets && last !== value && last.length >= 20) into.get(name)?.add(last);
  };
  const noteUrl = (text: string) => {
    const url = new URL(text);
    for (const [name, value] of url.searchParams) note(name, value);
    note('scan_token', /^\/s\/([\w-]{20,})$/.exec(url.pathname)?.[1]);
    note('scan_grant', /^\/connect\/continue\/([\w.-]+)$/.exec(url.pathname)?.[1]);
  };
  const noteCookies = (pairs: readonly unknown[]) => {
    for (const pair of pairs) {
      const [name = '', value = ''] = String(pair).split(/=(.*)/s);
      if (!PUBLIC_COOKIES.test(name) && value.length >= 20) note(`cookie ${name}`, value);
    }
  };
  const noteText = (text: string) => {
    if (/^\s*[{[]/.test(text)) return walk(JSON.parse(text), note);
    if (text.includes('id="page-data"')) return walk(pageData(text), note);
    if (/^[\w.%+-]+=/.test(text)) for (const [name, value] of new URLSearchParams(text)) note(name, value);
  };
  const stop = observe(({ url, headers, body, answer }: Sent) => {
    noteUrl(url);
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    note('access_token', /^Bearer (.+)$/.exec(sent.authorization ?? '')?.[1]);
    const basic = /^Basic (.+)$/.exec(sent.authorization ?? '')?.[1];
    if (basic) note('secret', Buffer.from(basic, 'base64').toString().split(/:(.*)/s)[1]);
    noteCookies((sent.cookie ?? '').split('; '));
    // What follows the first semicolon are attributes.
    noteCookies([answer.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0]));
    if (typeof answer.headers.location === 'string') note('location', answer.headers.location);
    safely(() => noteText(body));
    safely(() => noteText(answer.body));
  });
  return { secrets, privates, stop: () => void stop() };
}

/** Which of these values occur in `text` in any spelling: raw, percent-encoded, base64, base64url, hex; of itself or of its bytes. */
export function findLeaks(text: string, found: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const lower = text.toLowerCase();
  const leaks: string[] = [];
  for (const [name, values] of found) {
    for (const value of values) {
      if (value.length < 6) continue;
      for (const spelling of spellings(value)) {
        const hit = /^[0-9a-f]+$/.test(spelling) ? lower.includes(spelling) : text.includes(spelling);
        if (hit) leaks.push(`${name}: ${value} (as ${spelling})`);
      }
    }
  }
  return leaks;
}

function spellings(value: string): Set<string> {
  const bytes = [Buffer.from(value)];
  if (/^[\w-]{22,}$/.test(value)) bytes.push(Buffer.from(value, 'base64url'));
  return new Set([
    value,
    encodeURIComponent(value),
    ...bytes.flatMap((b) => [b.toString('base64').replace(/=+$/, ''), b.toString('base64url'), b.toString('hex')]),
  ]);
}

function walk(value: unknown, note: (name: string, value: unknown) => void, name = ''): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) walk(inner, note, key);
  } else {
    note(name, value);
  }
}

function safely(work: () => void): void {
  try {
    work();
  } catch {
    // Not one of the forms that are read: garbage sent on purpose, or a page without data.
  }
}
