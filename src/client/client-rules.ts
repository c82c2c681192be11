/** What may be registered: names, addresses, unions, scopes. Each refusal names its fix (T26, T37). */
import { displayTextProblem } from '../account/account.js';
import { isLoopbackHost, isPrivateHost } from '../config.js';
import { type Saying, saying } from '../saying.js';
import { SCOPES_OF } from './dialect.js';

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
  name = saying('redirect URI "{uri}"', { uri: uri.slice(0, 200) }),
): Saying | undefined {
  const url = URL.parse(uri);
  return writingProblem(name, uri, url, context) ?? hostProblem(name, uri, url as URL, context);
}

/** Where a logout may end: a browser is sent there with an answer, so by the same rules. */
export function postLogoutUriProblem(uri: string, context: RegistrationContext): Saying | undefined {
  const name = saying('post-logout redirect URI "{uri}"', { uri: uri.slice(0, 200) });
  return redirectUriProblem(uri, { ...context, hashRoute: false }, name);
}

/** Where this server itself will connect (T60): a public name, at the one port of https. */
export function backchannelUriProblem(uri: string, context: RegistrationContext): Saying | undefined {
  const name = saying('back-channel logout URI "{uri}"', { uri: uri.slice(0, 200) });
  const url = URL.parse(uri);
  const problem = writingProblem(name, uri, url, { ...context, hashRoute: false });
  if (problem || !url) return problem;
  if (url.protocol === 'http:' && context.demo && isLoopbackHost(url.hostname)) return undefined;
  if (url.protocol !== 'https:') return saying('{name} must be https', { name });
  if (url.port !== '') return saying('{name} must use the port of https, 443', { name });
  return publicHostProblem(name, uri, url);
}

/** What no address may look like, wherever it leads. */
function writingProblem(name: Saying, uri: string, url: URL | null, context: RegistrationContext): Saying | undefined {
  if (uri.length > 2000 || /[^\x21-\x7e]/.test(uri))
    return saying('{name} must be at most 2000 printable ASCII characters', { name });
  if (!url) return saying('{name} is not an absolute URL', { name });
  if (/[\\*"<>^`{|}]/.test(uri))
    return saying('{name} holds a wildcard or a character that must be percent-encoded', { name });
  if (uri.includes('#') && !(context.hashRoute && /^[^#]+#!?\/[^#]*$/.test(uri)))
    return context.hashRoute
      ? saying('{name} may have a hash route such as #/login, and no other fragment', { name })
      : saying('{name} must not have a fragment', { name });
  if (url.username || url.password || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(uri))
    return saying('{name} must not hold a user name', { name });
  if (/(^|\/)\.{1,2}(;|\/|\?|$)/.test(uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '')))
    return saying('{name} must not hold . or .. segments', { name });
  if (/%2f|%2e|%5c|%00|%0a|%0d/i.test(uri.split('?')[0] as string))
    return saying('{name} must not hold an encoded slash or dot', { name });
  for (const key of [...url.searchParams.keys(), ...hashQuery(url).keys()]) {
    if (RESERVED_KEYS.has(key))
      return saying('{name} must not use the query key "{key}": it belongs to the answer', { name, key });
  }
  // Nothing but a plain host: a `;` or `,` in it would end a directive of the policy that names its origin (T28).
  if (/^https?:$/.test(url.protocol) && !/^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?([/?]|$)/i.test(uri))
    return saying('{name} must write its host plainly: letters, digits, dots and hyphens', { name });
  return undefined;
}

/** The parameters of a hash route: `#/login?from=menu`. */
function hashQuery(url: URL): URLSearchParams {
  return new URLSearchParams(url.hash.split('?')[1]);
}

/** Loopback as native apps may name it. */
const NATIVE_LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

function hostProblem(name: Saying, uri: string, url: URL, context: RegistrationContext): Saying | undefined {
  const { hostname, protocol } = url;
  const native = context.applicationType === 'native';
  const loopback = isLoopbackHost(hostname);
  if (protocol === 'http:') {
    if (native)
      return NATIVE_LOOPBACK.test(hostname)
        ? undefined
        : saying('{name} must be https; plain http of a native app is for 127.0.0.1, [::1] and localhost', { name });
    if (context.demo && (loopback || isPrivateHost(hostname))) return undefined;
    return loopback
      ? saying(
          '{name}: plain http on this machine needs a native app ({setting:applicationType} native) or demo mode (DEMO=on); else use https',
          { name },
        )
      : saying('{name} must be https', { name });
  }
  if (protocol !== 'https:') return native ? privateUseProblem(name, uri) : saying('{name} must be https', { name });
  if (native && loopback)
    return saying('{name} must be plain http: nobody has a certificate for this machine', { name });
  if (context.demo && (loopback || isPrivateHost(hostname))) return undefined;
  return publicHostProblem(name, uri, url);
}

/** A scheme that an app claims on the device: a domain of its maker, backwards, and no authority (RFC 8252 7.1). */
function privateUseProblem(name: Saying, uri: string): Saying | undefined {
  return /^[a-z][a-z0-9-]*(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:\/(?!\/)/.test(uri)
    ? undefined
    : saying(
        '{name} must be https, or of a scheme made of your domain backwards, with one slash: com.example.app:/callback',
        { name },
      );
}

function publicHostProblem(name: Saying, uri: string, { hostname, host }: URL): Saying | undefined {
  if (/^[\d.]+$|^\[/.test(hostname) || /^0x/i.test(hostname))
    return saying('{name} must use a host name, not an address', { name });
  if (hostname.endsWith('.')) return saying('{name} must not end its host with a dot', { name });
  // The written host must be the parsed one: no other spelling of it, no non-ASCII, no upper case.
  const written = `https://${host}`;
  if (!uri.startsWith(written) || !/^([/?]|$)/.test(uri.slice(written.length)))
    return saying('{name} must write its host in lower case, without a default port', { name });
  if (!hostname.includes('.')) return saying('{name} must use a full host name', { name });
  return undefined;
}

/** Why an embed origin is refused, or undefined: scheme, host and port exactly, https except as for redirect URIs. */
export function embedOriginProblem(origin: string, context: RegistrationContext): Saying | undefined {
  const url = URL.parse(origin);
  const name = saying('embed origin "{origin}"', { origin: origin.slice(0, 200) });
  if (!url || url.origin !== origin)
    return saying('{name} must be exactly scheme://host[:port], such as https://shop.example', { name });
  if (origin.includes('*')) return saying('{name} must not hold a wildcard', { name });
  return redirectUriProblem(`${origin}/`, context, name);
}

/** Why a callback domain is refused, or undefined: a bare lower-case host name. */
export function callbackDomainProblem(domain: string, context: RegistrationContext): Saying | undefined {
  const name = saying('callback domain "{domain}"', { domain: domain.slice(0, 200) });
  if (context.demo && isLoopbackHost(domain)) return undefined;
  if (domain.length > 253 || !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(domain)) {
    return saying('{name} must be a bare lower-case host name such as shop.example, without scheme, port or path', {
      name,
    });
  }
  return undefined;
}

/** Why a client name is refused, or undefined. It is shown to people who decide whether to trust it. */
export function clientNameProblem(name: string): Saying | undefined {
  const problem = displayTextProblem(name, 60);
  if (problem) return saying('the name {problem}', { problem });
  if (name.trim() === '') return saying('the name is empty');
  if (!/^[\p{L}\p{M}\p{N} .,'’&()+!_·-]+$/u.test(name))
    return saying("the name may hold letters, digits, spaces and . , ' & ( ) + ! _ - only");
  // Some letters and marks (U+3164, U+034F, variation selectors) are drawn as nothing at all.
  if (/\p{Default_Ignorable_Code_Point}/u.test(name)) return saying('the name holds invisible characters');
  const scripts = [...LOOKS_LATIN, ...OTHER_SCRIPTS].filter((s) => new RegExp(`\\p{Script=${s}}`, 'u').test(name));
  const latin = /\p{Script=Latin}/u.test(name);
  if (scripts.length > 1 || (latin && scripts.some((script) => LOOKS_LATIN.includes(script))))
    return saying('the name mixes scripts');
  return undefined;
}

export function unionNameProblem(union: string): Saying | undefined {
  return /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(union)
    ? undefined
    : saying('a union name has 1 to 64 letters, digits or . _ -');
}

/** Why a choice of scopes is refused, or undefined: ours and those of resource servers exist (T54). */
export function scopeProblem(
  scope: string,
  { resourceScopes }: { resourceScopes: ReadonlySet<string> },
): Saying | undefined {
  const known = new Set([...SCOPES_OF.oauth, ...resourceScopes]);
  const asked = scope.split(' ');
  const unknown = asked.find((one) => !known.has(one));
  if (unknown !== undefined)
    return saying('the scope "{scope}" does not exist; there are {known}', {
      scope: unknown.slice(0, 60),
      known: [...known].slice(0, 50).join(', '),
    });
  return asked.includes('openid') ? undefined : saying('the scopes must hold openid');
}
