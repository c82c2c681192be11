/** Reads a waiting page's parameters: the WeChat fields leniently, the OAuth fields strictly. */
import { z } from 'zod';
import type { AuthorizationParameters } from '../../engine/authorization.js';
import { flatten, parse } from '../middleware/read-body.js';

/** What the page looks like and who navigates; everything else belongs to the engine. */
export interface PageWishes {
  lang: string | undefined;
  layout: 'lite' | 'classic';
  tone: 'black' | 'white';
  /** `auto` was asked for; undefined leaves it to the layout. */
  theme: 'auto' | 'light' | 'dark' | undefined;
  /** `parent`: the answer is handed to the widget that framed us; `opener`: to the one that opened our window. */
  navigate: 'top' | 'self' | 'parent' | 'opener';
  /** The ways the page hears from us, the best first; empty: its own order. For tests. */
  transports: readonly Transport[];
}

const TRANSPORTS = ['socket', 'events', 'long-poll', 'poll'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** A list between commas; names that no page knows are left out. */
export function readTransports(list: unknown): Transport[] {
  const names = typeof list === 'string' ? list.split(',', 20) : [];
  return [...new Set(names)].flatMap((name) => TRANSPORTS.filter((known) => known === name));
}

export interface ConnectRequest {
  dialect: 'wechat' | 'oauth';
  clientId: string | undefined;
  redirectUri: string | undefined;
  scope: string;
  /** For the engine. */
  parameters: AuthorizationParameters;
  wishes: PageWishes;
  /** A style sheet of the site, as it came; only some clients may have one. */
  href?: string;
}

/** Every printable ASCII character is legal in state and nonce (RFC 6749 A.5); control characters never are. */
export const printable = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\x20-\x7e]*$/);
/** RFC 6749 3.3: no quotation mark, no backslash. */
export const scope = z
  .string()
  .max(500)
  .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/);
const pkce = { code_challenge: printable(128).optional(), code_challenge_method: z.literal('S256').optional() };

const OAUTH = z.object({
  client_id: printable(64),
  redirect_uri: printable(2000).optional(),
  response_type: z.literal('code').optional(),
  scope: scope.optional(),
  state: printable(4096).optional(),
  nonce: printable(512).optional(),
  request_uri: printable(512).optional(),
  ...pkce,
  lang: z.enum(['en', 'zh', 'zh-CN', 'zh_CN', 'cn', '']).optional(),
  theme: z.enum(['auto', 'light', 'dark', '']).optional(),
  layout: z.enum(['lite', 'classic', '']).optional(),
  login_type: z.enum(['qr-connect', 'popup', 'page', '']).optional(),
  self_redirect: z.enum(['true', 'false', 'default', '']).optional(),
});

/** By `login_type`: to whom of the site the answer goes. */
const HANDED_OVER: Readonly<Record<string, 'parent' | 'opener'>> = { 'qr-connect': 'parent', popup: 'opener' };

const THEMES = ['auto', 'light', 'dark'] as const;

/** What WeChat's sites put into state, in any script: every character that can be printed. */
const anyText = z
  .string()
  .max(4096)
  // U+FFFD stands for bytes that are no UTF-8: they could not come back as they were.
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffd]*$/u);

const WECHAT = z.object({
  redirect_uri: z.string().max(2000).optional(),
  scope: z.string().max(500).optional(),
  state: anyText.optional(),
  ...pkce,
});

/** Throws `invalid_request`: a parameter given twice, or one that cannot be what it says. */
export function readConnectRequest(search: string): ConnectRequest {
  const query = Object.fromEntries(flatten(new URLSearchParams(search)));
  return query.appid === undefined && query.client_id !== undefined ? readOauth(query) : readWechat(query);
}

function readOauth(query: Record<string, string>): ConnectRequest {
  const q = parse(OAUTH, query);
  return {
    dialect: 'oauth',
    clientId: q.client_id,
    redirectUri: q.redirect_uri,
    scope: q.scope ?? '',
    // Only the QR page asks without response_type (the widget's snippet is shorter so); the engine wants it said.
    parameters: {
      client_id: q.client_id,
      ...(q.request_uri === undefined ? { response_type: 'code', scope: q.scope ?? 'openid' } : {}),
      redirect_uri: q.redirect_uri,
      state: q.state,
      nonce: q.nonce,
      // The phone asks the person each time and names the scopes: that is the consent lasting access needs (Core 11).
      prompt: q.scope?.split(' ').includes('offline_access') ? 'consent' : undefined,
      code_challenge: q.code_challenge,
      code_challenge_method: q.code_challenge_method,
      request_uri: q.request_uri,
    },
    wishes: {
      lang: q.lang,
      layout: q.layout === 'lite' ? 'lite' : 'classic',
      tone: 'black',
      theme: q.theme || undefined,
      navigate: HANDED_OVER[q.login_type ?? ''] ?? (q.self_redirect === 'true' ? 'self' : 'top'),
      transports: readTransports(query.transports),
    },
  };
}

function readWechat(query: Record<string, string>): ConnectRequest {
  const q = parse(WECHAT, query);
  const clientId = query.appid ?? '';
  return {
    dialect: 'wechat',
    clientId,
    redirectUri: q.redirect_uri,
    scope: q.scope ?? '',
    parameters: {
      client_id: clientId,
      redirect_uri: q.redirect_uri,
      response_type: 'code',
      scope: 'snsapi_login',
      state: q.state,
      code_challenge: q.code_challenge,
      code_challenge_method: q.code_challenge_method,
    },
    // Unknown values never fail here (wire format 1.1); they fall back to the documented default.
    wishes: {
      lang: query.lang || 'cn',
      layout: query.stylelite === '1' ? 'lite' : 'classic',
      tone: query.style === 'white' ? 'white' : 'black',
      theme: THEMES.find((theme) => theme === query.color_scheme),
      navigate: query.self_redirect === 'true' ? 'self' : 'top',
      transports: readTransports(query.transports),
    },
    href: query.href,
  };
}
