import { describe, expect, it } from 'vitest';
import type { RequestState } from '../../../src/http/context.js';
import { clientAddress } from '../../../src/http/middleware/client-address.js';

/** What the middleware makes of a request from `peer` with these headers. */
async function seen(
  peer: string,
  headers: Record<string, string> = {},
  options: { trustedProxies?: string[]; countryHeader?: string; certificateHeader?: string } = {},
): Promise<RequestState> {
  const ctx = {
    req: { socket: { remoteAddress: peer }, headers },
    get: (name: string) => headers[name.toLowerCase()] ?? '',
    state: {} as RequestState,
  };
  const { trustedProxies = [], countryHeader, certificateHeader } = options;
  await clientAddress({ trustedProxies, countryHeader, certificateHeader })(ctx as never, async () => {});
  return ctx.state;
}

const FORGED = {
  'x-forwarded-for': '1.2.3.4',
  forwarded: 'for=1.2.3.4',
  'x-real-ip': '1.2.3.4',
  'cf-connecting-ip': '1.2.3.4',
};

describe('the address of a client', () => {
  it("T11 is the socket's, whatever headers say, when no proxy is trusted", async () => {
    expect((await seen('192.0.2.7', FORGED)).address).toBe('192.0.2.7');
    expect((await seen('192.0.2.7', FORGED, { trustedProxies: ['10.0.0.0/8'] })).address).toBe('192.0.2.7');
  });

  it('T11 is the last one a trusted proxy did not vouch for, not the first in the list', async () => {
    const options = { trustedProxies: ['10.0.0.0/8'] };
    const list = { 'x-forwarded-for': '1.2.3.4, 198.51.100.9, 10.0.0.5' };
    expect((await seen('10.0.0.1', list, options)).address).toBe('198.51.100.9');
    expect((await seen('10.0.0.1', { ...FORGED, 'x-forwarded-for': '198.51.100.9' }, options)).address).toBe(
      '198.51.100.9',
    );
  });

  it('is written plainly when IPv4 comes in IPv6 clothes', async () => {
    expect((await seen('::ffff:192.0.2.7')).address).toBe('192.0.2.7');
    expect((await seen('::FFFF:192.0.2.7')).addressKey).toBe('192.0.2.7');
  });
});

describe('what limits are keyed on', () => {
  it('T82 is one caller, whatever port a proxy writes beside the address', async () => {
    const keyOf = async (forwarded: string) =>
      (await seen('10.0.0.1', { 'x-forwarded-for': forwarded }, { trustedProxies: ['10.0.0.0/8'] })).addressKey;
    expect(await keyOf('203.0.113.9:40001')).toBe('203.0.113.9');
    expect(await keyOf('[2001:db8::1]:40001')).toBe('2001:0db8:0000:0000::/64');
    expect(await keyOf('[2001:db8::1]')).toBe('2001:0db8:0000:0000::/64');
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:0db8:0001:0002::/64'],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0db8:0001:0002::/64'],
    ['2001:db8::1', '2001:0db8:0000:0000::/64'],
    ['2001:db8::1:2:3:4:5', '2001:0db8:0000:0001::/64'],
    ['::1', '0000:0000:0000:0000::/64'],
    ['::', '0000:0000:0000:0000::/64'],
    ['fe80::1%eth0', 'fe80:0000:0000:0000::/64'],
    ['1:2:3:4:5:6:7::', '0001:0002:0003:0004::/64'],
    ['2001:db8:1::192.0.2.1', '2001:0db8:0001:0000::/64'],
  ])('of %s is the network %s', async (address, network) => {
    expect((await seen(address)).addressKey).toBe(network);
  });

  it('of an IPv4 address is that address', async () => {
    expect((await seen('192.0.2.7')).addressKey).toBe('192.0.2.7');
  });
});

describe('the country of a client', () => {
  const options = { trustedProxies: ['10.0.0.0/8'], countryHeader: 'cf-ipcountry' };

  it('T11 is believed from a trusted proxy only', async () => {
    const headers = { 'cf-ipcountry': 'DE', 'x-forwarded-for': '198.51.100.9' };
    expect((await seen('10.0.0.1', headers, options)).country).toBe('DE');
    expect((await seen('192.0.2.7', headers, options)).country).toBeUndefined();
    expect((await seen('10.0.0.1', headers, { trustedProxies: ['10.0.0.0/8'] })).country).toBeUndefined();
  });

  it.each(['XX', 'de', 'Deutschland', '<b>', 'T1', ''])('is unknown when the proxy says "%s"', async (country) => {
    expect((await seen('10.0.0.1', { 'cf-ipcountry': country }, options)).country).toBeUndefined();
  });
});
