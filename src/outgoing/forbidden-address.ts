/** Which addresses a request to somebody else's URL is never sent to (T60). Pure: it reads the address, nothing else. */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** The IANA registry of special-purpose IPv4 addresses (RFC 6890), and what else is not a site of the internet. */
const FORBIDDEN_V4 = [
  '0.0.0.0/8', // this network; 0.0.0.0 reaches this machine
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by a carrier's customers (CGNAT); a cloud's metadata too
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // a cloud's host, in public space
  '169.254.0.0/16', // link-local; metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/**
 * The only IPv6 space with sites in it. Outside of it are unspecified, loopback, IPv4-mapped, -compatible and -translated
 * addresses, NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), discard-only, segment routing, unique and site-local, link-local,
 * multicast, and what is not assigned yet.
 */
const UNICAST_V6 = ['2000::/3'];
const FORBIDDEN_V6 = [
  '2001::/23', // IETF protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3ffe::/16', // 6bone, given back
  '3fff::/20', // documentation
];

// Two families, never one list: Node takes ::ffff:0:0/96 for all of IPv4.
const forbiddenV4 = listOf(FORBIDDEN_V4, 'ipv4');
const unicastV6 = listOf(UNICAST_V6, 'ipv6');
const forbiddenV6 = listOf(FORBIDDEN_V6, 'ipv6');
const loopbackV4 = listOf(['127.0.0.0/8'], 'ipv4');

/** True also for what is no address at all, or names an interface of this machine (`fe80::1%eth0`). */
export function isForbiddenAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return true;
  if (isIPv4(address)) return forbiddenV4.check(address, 'ipv4');
  return !unicastV6.check(address, 'ipv6') || forbiddenV6.check(address, 'ipv6');
}

/** 127.0.0.0/8 and ::1, nothing that is mapped to them. */
export function isLoopbackAddress(address: string): boolean {
  return isIPv4(address) ? loopbackV4.check(address, 'ipv4') : address === '::1';
}

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}
