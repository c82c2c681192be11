/** Who is calling, as far as it can be known: the socket's address, or what trusted proxies say of it (T11, T82). */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Middleware } from 'koa';
import proxyAddr from 'proxy-addr';
import type { RequestState } from '../context.js';
import { chooseLanguage } from '../language.js';

export interface Caller {
  readonly address: string;
  /** What limits are keyed on. */
  readonly addressKey: string;
}

/** For requests that never become a Koa context, too. */
export function callerReader(trustedProxies: readonly string[]): (req: IncomingMessage) => Caller {
  const trusts = proxyAddr.compile([...trustedProxies]);
  return (req) => {
    // Read from the right: the last address not in the list is the client, whatever stands left of it.
    const address = plainAddress(proxyAddr(req, trusts));
    return { address, addressKey: isIPv6(address) ? network64(address) : address };
  };
}

export function clientAddress(options: {
  trustedProxies: readonly string[];
  countryHeader: string | undefined;
  certificateHeader: string | undefined;
}): Middleware<RequestState> {
  const trusts = proxyAddr.compile([...options.trustedProxies]);
  const callerOf = callerReader(options.trustedProxies);
  return async (ctx, next) => {
    const peer = ctx.req.socket.remoteAddress ?? '';
    Object.assign(ctx.state, callerOf(ctx.req));
    const country = options.countryHeader && trusts(peer, 0) ? ctx.get(options.countryHeader) : '';
    ctx.state.country = /^[A-Z]{2}$/.test(country) && country !== 'XX' ? country : undefined;
    const certificate = options.certificateHeader && trusts(peer, 0) ? ctx.get(options.certificateHeader) : '';
    ctx.state.certificate = certificate || undefined;
    ctx.state.lang = chooseLanguage(undefined, ctx.get('Accept-Language'));
    await next();
  };
}

function plainAddress(address: string): string {
  return withoutPort(address).replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** Some proxies write the port as well, and a caller has sixty thousand of those. */
function withoutPort(address: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}

/** One household or phone has a whole /64: limits by single IPv6 address would be no limits. */
function network64(address: string): string {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.padStart(4, '0'))
    .join(':')}::/64`;
}
