/** Whether a request with a redirect URI would be let in, and if not, what stands between it and a registered one. */
import { type Saying, saying } from '../saying.js';
import { type Client, redirectUriAllowed } from './client.js';

export interface RedirectCheck {
  readonly allowed: boolean;
  /** What lets it in, or why nothing does. */
  readonly reason: Saying;
}

type Checked = Pick<Client, 'dialect' | 'applicationType' | 'redirectUris' | 'callbackDomain'>;

export function checkRedirectUri(client: Checked, uri: string): RedirectCheck {
  if (!redirectUriAllowed(client, uri)) return { allowed: false, reason: whyNot(client, uri) };
  return { allowed: true, reason: whatLetsIn(client, uri) };
}

function whatLetsIn(client: Checked, uri: string): Saying {
  if (client.redirectUris.includes(uri)) return saying('it is registered, to the last character');
  if (redirectUriAllowed({ ...client, callbackDomain: undefined }, uri))
    return saying('a native app may use any port of its loopback address');
  return saying('any address on the callback domain {domain} is accepted', { domain: String(client.callbackDomain) });
}

/** Of the registered one that comes closest. They are compared to the last character (RFC 9700 2.1). */
function whyNot({ redirectUris, callbackDomain }: Checked, uri: string): Saying {
  const asked = URL.parse(uri);
  if (!asked) return saying('it is not an absolute URL');
  if (callbackDomain !== undefined && asked.hostname === callbackDomain)
    return saying(
      'on the callback domain an address is https, without port, user name and fragment, and without a query key of the answer',
    );
  const distances = redirectUris.map((known) => ({ known, differ: differences(known, asked) }));
  const [near] = distances.sort((one, other) => one.differ.length - other.differ.length);
  if (!near) return saying('no redirect URI is registered');
  const [first] = near.differ;
  // Another host is another site: nothing of ours was meant.
  if (near.differ.includes('hostname')) return saying('no redirect URI on this host is registered');
  return first === undefined
    ? saying('it is written in another way than {known}', { known: near.known })
    : saying('{part} is another one than in {known}', { part: PARTS[first], known: near.known });
}

const PARTS = {
  hostname: saying('the host'),
  protocol: saying('the scheme'),
  port: saying('the port'),
  pathname: saying('the path'),
  search: saying('the query'),
  hash: saying('the fragment'),
} as const;

function differences(known: string, asked: URL): Array<keyof typeof PARTS> {
  const url = URL.parse(known);
  return (Object.keys(PARTS) as Array<keyof typeof PARTS>).filter((part) => url?.[part] !== asked[part]);
}
