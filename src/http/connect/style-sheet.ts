/** The style sheet a site may bring into its own frame (`href`, T94): which values are one, and what a policy says to allow it. */
import { isLoopbackHost } from '../../config.js';

export interface StyleSheet {
  /** What the browser loads; this server never does. */
  readonly url: string;
  /** The one source expression for style-src. */
  readonly source: string;
}

const MOST_ADDRESS = 2000;
const MOST_INLINE = 6000;

/** Undefined for whatever is no address of one sheet: as elsewhere in this dialect, an odd value is not an error. */
export function readStyleSheet(href: string | undefined, { demo }: { demo: boolean }): StyleSheet | undefined {
  if (!href) return undefined;
  return /^data:/i.test(href) ? readInline(href) : readAddress(href, demo);
}

function readAddress(href: string, demo: boolean): StyleSheet | undefined {
  const url = href.length <= MOST_ADDRESS ? URL.parse(href) : null;
  if (!url || url.username || url.password) return undefined;
  if (url.protocol !== 'https:' && !(demo && url.protocol === 'http:' && isLoopbackHost(url.hostname)))
    return undefined;
  // In a policy a star is a wildcard, and a path that ends in a slash allows everything below it.
  if (!/^[a-z0-9.-]+$/.test(url.hostname) || /(\/|%2f)$/i.test(url.pathname)) return undefined;
  url.hash = '';
  return { url: url.href, source: url.origin + policyPath(url.pathname) };
}

/** A policy is split at semicolons, a header at commas; both are compared with their escapes undone (CSP 3, 6.7.2.12). */
function policyPath(pathname: string): string {
  return pathname.replace(/[^\w\-.~!$&'()*+=:@%/]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Written anew whatever its spelling, so that nothing but base64 goes into the page. */
function readInline(href: string): StyleSheet | undefined {
  const [, options = '', body = ''] =
    (href.length <= MOST_INLINE && /^data:text\/css((?:;[\w=-]*)*),(.*)$/is.exec(href)) || [];
  const css = /;base64$/i.test(options)
    ? // Sites put the value into the query as it is, and there a plus means a space.
      Buffer.from(body.replaceAll(' ', '+'), 'base64')
    : Buffer.from(withoutEscapes(body));
  if (css.length === 0) return undefined;
  return { url: `data:text/css;charset=utf-8;base64,${css.toString('base64')}`, source: 'data:' };
}

function withoutEscapes(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}
