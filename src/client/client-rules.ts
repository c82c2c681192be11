/** What may be registered: names, addresses, unions, scopes. Each refusal names its fix (T26, T37). */
import { displayTextProblem } from '../account/account.js';
import { isLoopbackHost, isPrivateHost } from '../config.js';
import { type Dialect, SCOPES_OF } from './dialect.js';

export interface RegistrationContext {
  readonly demo: boolean;
  readonly applicationType: 'web' | 'native';
  /** WeChat's single-page sites route behind the hash, and their code is appended there (wire format 1.4). */
  readonly hashRoute?: boolean;
}

/** Response parameters: a registered query must not be able to imitate one (T38). */
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'response',
  'id_token',
  'access_token',
  'session_state',
]);

/** Scripts with letters that look Latin: mixed with Latin they can imitate another name. */
const LOOKS_LATIN = ['Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'];
const OTHER_SCRIPTS = ['Han', 'Arabic', 'Hebrew', 'Thai', 'Hangul', 'Devanagari'];

/** Why a redirect URI is refused, or undefined. */
export function redirectUriProblem(
  uri: string,
  context: RegistrationContext,
  what = 'redirect URI',
): string | undefined {
  const name = `${what} "${uri.slice(0, 200)}"`;
  const url = URL.parse(uri);
  return writingProblem(name, uri, url, context) ?? hostProblem(name, uri, url as URL, context);
}

/** Where a logout may end: a browser is sent there with an answer, so by the same rules. */
export function postLogoutUriProblem(uri: string, context: RegistrationContext): string | undefined {
  return redirectUriProblem(uri, { ...context, hashRoute: false }, 'post-logout redirect URI');
}

/** Where this server itself will connect (T60): a public name, at the one port of https. */
export function backchannelUriProblem(uri: string, context: RegistrationContext): string | undefined {
  const name = `back-channel logout URI "${uri.slice(0, 200)}"`;
  const url = URL.parse(uri);
  const problem = writingProblem(name, uri, url, { ...context, hashRoute: false });
  if (problem || !url) return problem;
  if (url.protocol === 'http:' && context.demo && isLoopbackHost(url.hostname)) return undefined;
  if (url.protocol !== 'https:') return `${name} must be https`;
  if (url.port !== '') return `${name} must use the port of https, 443`;
  return publicHostProblem(name, uri, url);
}

/** What no address may look like, wherever it leads. */
function writingProblem(name: string, uri: string, url: URL | null, context: RegistrationContext): string | undefined {
  if (uri.length > 2000 || /[^\x21-\x7e]/.test(uri)) return `${name} must be at most 2000 printable ASCII characters`;
  if (!url) return `${name} is not an absolute URL`;
  if (/[\\*"<>^`{|}]/.test(uri)) return `${name} holds a wildcard or a character that must be percent-encoded`;
  if (uri.includes('#') && !(context.hashRoute && /^[^#]+#!?\/[^#]*$/.test(uri)))
    return context.hashRoute
      ? `${name} may have a hash route such as #/login, and no other fragment`
      : `${name} must not have a fragment`;
  if (url.username || url.password || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(uri))
    return `${name} must not hold a user name`;
  if (/(^|\/)\.{1,2}(;|\/|\?|$)/.test(uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '')))
    return `${name} must not hold . or .. segments`;
  if (/%2f|%2e|%5c|%00|%0a|%0d/i.test(uri.split('?')[0] as string))
    return `${name} must not hold an encoded slash or dot`;
  for (const key of [...url.searchParams.keys(), ...hashQuery(url).keys()]) {
    if (RESERVED_KEYS.has(key)) return `${name} must not use the query key "${key}": it belongs to the answer`;
  }
  // Nothing but a plain host: a `;` or `,` in it would end a directive of the policy that names its origin (T28).
  if (/^https?:$/.test(url.protocol) && !/^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?([/?]|$)/i.test(uri))
    return `${name} must write its host plainly: letters, digits, dots and hyphens`;
  return undefined;
}

/** The parameters of a hash route: `#/login?from=menu`. */
function hashQuery(url: URL): URLSearchParams {
  return new URLSearchParams(url.hash.split('?')[1]);
}

/** Loopback as native apps may name it. */
const NATIVE_LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

function hostProblem(name: string, uri: string, url: URL, context: RegistrationContext): string | undefined {
  const { hostname, protocol } = url;
  const native = context.applicationType === 'native';
  const loopback = isLoopbackHost(hostname);
  if (protocol === 'http:') {
    if (native)
      return NATIVE_LOOPBACK.test(hostname)
        ? undefined
        : `${name} must be https; plain http of a native app is for 127.0.0.1, [::1] and localhost`;
    if (context.demo && (loopback || isPrivateHost(hostname))) return undefined;
    return loopback
      ? `${name}: plain http on this machine needs a native app (--type native) or demo mode (DEMO=on); else use https`
      : `${name} must be https`;
  }
  if (protocol !== 'https:') return native ? privateUseProblem(name, uri) : `${name} must be https`;
  if (native && loopback) return `${name} must be plain http: nobody has a certificate for this machine`;
  if (context.demo && (loopback || isPrivateHost(hostname))) return undefined;
  return publicHostProblem(name, uri, url);
}

/** A scheme that an app claims on the device: a domain of its maker, backwards, and no authority (RFC 8252 7.1). */
function privateUseProblem(name: string, uri: string): string | undefined {
  return /^[a-z][a-z0-9-]*(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:\/(?!\/)/.test(uri)
    ? undefined
    : `${name} must be https, or of a scheme made of your domain backwards, with one slash: com.example.app:/callback`;
}

function publicHostProblem(name: string, uri: string, { hostname, host }: URL): string | undefined {
  if (/^[\d.]+$|^\[/.test(hostname) || /^0x/i.test(hostname)) return `${name} must use a host name, not an address`;
  if (hostname.endsWith('.')) return `${name} must not end its host with a dot`;
  // The written host must be the parsed one: no other spelling of it, no non-ASCII, no upper case.
  const written = `https://${host}`;
  if (!uri.startsWith(written) || !/^([/?]|$)/.test(uri.slice(written.length)))
    return `${name} must write its host in lower case, without a default port`;
  if (!hostname.includes('.')) return `${name} must use a full host name`;
  return undefined;
}

/** Why an embed origin is refused, or undefined: scheme, host and port exactly, https except as for redirect URIs. */
export function embedOriginProblem(origin: string, context: RegistrationContext): string | undefined {
  const url = URL.parse(origin);
  const name = `embed origin "${origin.slice(0, 200)}"`;
  if (!url || url.origin !== origin)
    return `${name} must be exactly scheme://host[:port], such as https://shop.example`;
  if (origin.includes('*')) return `${name} must not hold a wildcard`;
  return redirectUriProblem(`${origin}/`, context)?.replace(/^redirect URI "[^"]*"/, name);
}

/** Why a callback domain is refused, or undefined: a bare lower-case host name. */
export function callbackDomainProblem(domain: string, context: RegistrationContext): string | undefined {
  const name = `callback domain "${domain.slice(0, 200)}"`;
  if (context.demo && isLoopbackHost(domain)) return undefined;
  if (domain.length > 253 || !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(domain)) {
    return `${name} must be a bare lower-case host name such as shop.example, without scheme, port or path`;
  }
  return undefined;
}

/** Why a client name is refused, or undefined. It is shown to people who decide whether to trust it. */
export function clientNameProblem(name: string): string | undefined {
  const problem = displayTextProblem(name, 60);
  if (problem) return `the name ${problem}`;
  if (name.trim() === '') return 'the name is empty';
  if (!/^[\p{L}\p{M}\p{N} .,'’&()+!_·-]+$/u.test(name))
    return "the name may hold letters, digits, spaces and . , ' & ( ) + ! _ - only";
  // Some letters and marks (U+3164, U+034F, variation selectors) are drawn as nothing at all.
  if (/\p{Default_Ignorable_Code_Point}/u.test(name)) return 'the name holds invisible characters';
  const scripts = [...LOOKS_LATIN, ...OTHER_SCRIPTS].filter((s) => new RegExp(`\\p{Script=${s}}`, 'u').test(name));
  const latin = /\p{Script=Latin}/u.test(name);
  if (scripts.length > 1 || (latin && scripts.some((script) => LOOKS_LATIN.includes(script))))
    return 'the name mixes scripts';
  return undefined;
}

export function unionNameProblem(union: string): string | undefined {
  return /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(union) ? undefined : 'a union name has 1 to 64 letters, digits or . _ -';
}

/** Why a choice of scopes is refused, or undefined: ours and those of resource servers exist (T54). */
export function scopeProblem(
  scope: string,
  { dialect, resourceScopes }: { dialect: Dialect; resourceScopes: ReadonlySet<string> },
): string | undefined {
  if (dialect === 'wechat') return 'the wechat dialect has one scope, snsapi_login, and no choice of it';
  const known = new Set([...SCOPES_OF.oauth, ...resourceScopes]);
  const asked = scope.split(' ');
  const unknown = asked.find((one) => !known.has(one));
  if (unknown !== undefined)
    return `the scope "${unknown.slice(0, 60)}" does not exist; there are ${[...known].slice(0, 50).join(', ')}`;
  return asked.includes('openid') ? undefined : 'the scopes must hold openid';
}
