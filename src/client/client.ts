/** A relying party, and which redirect URIs it may use. */
import { isLoopbackHost } from '../config.js';
import { RESERVED_KEYS } from './client-rules.js';
import type { ClientSecret } from './client-secret.js';
import type { SettingValues } from './client-settings.js';
import type { Dialect } from './dialect.js';

export type { ClientKeys } from './client-keys.js';
export { type Dialect, SCOPES_OF } from './dialect.js';

/** What somebody chose for it is declared in client-settings.ts. */
export interface Client extends SettingValues {
  /** client_id; in the WeChat dialect the appid, `wx` + 16 hex digits. */
  readonly id: string;
  /** Counts the changes; a store writes only over the revision it read. */
  readonly revision: number;
  readonly dialect: Dialect;
  readonly applicationType: 'web' | 'native';
  readonly secrets: readonly ClientSecret[];
  readonly createdAt: Date;
  readonly disabled: boolean;
}

/** Authenticates with a secret that both sides know. */
export function hasSecret({ authMethod }: Pick<Client, 'authMethod'>): boolean {
  return authMethod === 'client_secret_basic' || authMethod === 'client_secret_post';
}

/**
 * Byte-for-byte equality with a registered URI (RFC 9700 2.1); a native app's loopback URI may differ in its port
 * (RFC 8252 7.3); a WeChat client with a callback domain may use any address on that host.
 */
export function redirectUriAllowed(
  client: Pick<Client, 'dialect' | 'applicationType' | 'redirectUris' | 'callbackDomain'>,
  uri: string,
): boolean {
  if (client.redirectUris.includes(uri)) return true;
  if (client.applicationType === 'native' && client.redirectUris.some((known) => sameButPort(known, uri))) return true;
  return client.dialect === 'wechat' && client.callbackDomain !== undefined && isOnHost(uri, client.callbackDomain);
}

/** The name that decides the union id: its union, or the client alone. */
export function unionOf(client: Client): string {
  return client.unionName === undefined ? `client:${client.id}` : `union:${client.unionName}`;
}

function sameButPort(known: string, asked: string): boolean {
  const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?=[/?]|$)/;
  const [knownHead, knownHost] = loopback.exec(known) ?? [];
  const [askedHead, askedHost] = loopback.exec(asked) ?? [];
  if (knownHead === undefined || askedHead === undefined || knownHost !== askedHost) return false;
  // Five digits may still be no port (99999).
  return known.slice(knownHead.length) === asked.slice(askedHead.length) && URL.canParse(asked);
}

/**
 * Host equality on the parsed URL, and on the text itself: no port, no user name, no trailing dot, no backslash. https
 * as for every redirect URI (loopback aside), and no query key that could pass for a part of the answer (T38). No
 * fragment: browsers carry it along every redirect, so a page of the domain that sends its visitors elsewhere would send
 * the code with them. A hash route is registered as an exact URI.
 */
function isOnHost(uri: string, domain: string): boolean {
  if (/[^\x21-\x7e]|[\\#]/.test(uri)) return false;
  const [, scheme, authority] = /^(https?):\/\/([^/?]+)/.exec(uri) ?? [];
  if (authority?.toLowerCase() !== domain || (scheme === 'http' && !isLoopbackHost(domain))) return false;
  const url = URL.parse(uri);
  if (url?.hostname !== domain || url.port !== '' || url.username !== '') return false;
  return ![...url.searchParams.keys()].some((key) => RESERVED_KEYS.has(key));
}
