import { describe, expect, it } from 'vitest';
import { isForbiddenAddress, isLoopbackAddress } from '../../../src/outgoing/forbidden-address.js';

/** First and last of each range, and a well-known one inside. */
const FORBIDDEN: Record<string, string[]> = {
  unspecified: ['0.0.0.0', '0.255.255.255', '::'],
  loopback: ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'shared by a carrier': ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
  'link-local': ['169.254.0.0', '169.254.169.254', '169.254.255.255', 'fe80::', 'fe80::1', 'febf:ffff::1'],
  'an interface of this machine': ['fe80::1%eth0', '2606:4700::1111%eth0'],
  'a cloud’s host': ['168.63.129.16', 'fd00:ec2::254', '192.0.0.192'],
  'protocol assignments': ['192.0.0.0', '192.0.0.255', '2001::', '2001:1ff:ffff::1'],
  documentation: [
    '192.0.2.1',
    '198.51.100.255',
    '203.0.113.0',
    '2001:db8::1',
    '2001:db8:ffff::1',
    '3fff::1',
    '3fff:fff::1',
  ],
  benchmarks: ['198.18.0.0', '198.19.255.255', '2001:2::1'],
  'AS112 and AMT': ['192.31.196.1', '192.52.193.1', '192.175.48.1', '2620:4f:8000::1'],
  multicast: ['224.0.0.0', '239.255.255.255', 'ff00::', 'ff02::1', 'ffff::'],
  'reserved and broadcast': ['240.0.0.0', '255.255.255.254', '255.255.255.255', '4000::1', '8000::1', 'e000::1'],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1', '::ffff:8.8.8.8', '0:0:0:0:0:ffff:a9fe:a9fe'],
  'IPv4-compatible and -translated': ['::127.0.0.1', '::7f00:1', '::8.8.8.8', '::ffff:0:7f00:1'],
  NAT64: ['64:ff9b::', '64:ff9b::a9fe:a9fe', '64:ff9b::169.254.169.254', '64:ff9b:1::', '64:ff9b:1:ffff::a00:1'],
  '6to4': ['2002::', '2002:7f00:1::', '2002:ffff:ffff::1', '192.88.99.0', '192.88.99.255'],
  Teredo: ['2001:0:1234::1', '2001:0000:ffff::1'],
  'unique local': ['fc00::', 'fc00::1', 'fd12:3456::1', 'fdff:ffff::1'],
  'site-local': ['fec0::', 'fec0::1', 'feff:ffff::1'],
  'discard-only and segment routing': ['100::', '100::1', '5f00::1'],
  'given back': ['3ffe::1', '3ffe:ffff::1'],
  'no address': [
    '',
    'localhost',
    'shop.example',
    '127.1',
    '0x7f000001',
    '2130706433',
    '[::1]',
    '1.1.1.1 ',
    '1.1.1.1/32',
  ],
};

/** Just outside each range, and sites people know. */
const ALLOWED = [
  '1.0.0.0',
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.0.3.0',
  '192.88.98.255',
  '192.88.100.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '198.51.99.255',
  '198.51.101.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '2000::1',
  '2001:200::1',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2400:3200::1',
  '2606:4700::1111',
  '2620:4f:7fff::1',
  '2620:4f:8001::1',
  '3ffd:ffff::1',
  '3fff:1000::1',
];

describe('the addresses that no request goes to', () => {
  it.each(Object.entries(FORBIDDEN))('T60: %s', (_name, addresses) => {
    expect(addresses.filter((address) => !isForbiddenAddress(address))).toEqual([]);
  });

  it('T60: are not those of sites, up to the edge of each range', () => {
    expect(ALLOWED.filter(isForbiddenAddress)).toEqual([]);
  });

  it('T60: are loopback in two ranges only', () => {
    const loopback = ['127.0.0.1', '127.0.0.53', '127.255.255.255', '::1'];
    expect(loopback.filter((address) => !isLoopbackAddress(address))).toEqual([]);
    const others = [
      '0.0.0.0',
      '126.255.255.255',
      '128.0.0.1',
      '10.0.0.1',
      '::',
      '::2',
      '::ffff:127.0.0.1',
      '127.1',
      '',
    ];
    expect(others.filter(isLoopbackAddress)).toEqual([]);
  });
});
