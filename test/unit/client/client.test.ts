import { describe, expect, it } from 'vitest';
import { type Client, redirectUriAllowed, unionOf } from '../../../src/client/client.js';
import { secretMatches } from '../../../src/client/client-secret.js';
import { settingsOf } from '../../../src/client/registration.js';
import { hashSecret } from '../../../src/secret.js';

const client = (more: Partial<Client>): Client => ({
  ...settingsOf({ name: 'Book shop', redirectUris: [] }),
  id: 'qc0011223344556677',
  revision: 0,
  dialect: 'oauth',
  applicationType: 'web',
  authMethod: 'client_secret_basic',
  secrets: [],
  redirectUris: ['https://shop.example/cb'],
  embedOrigins: [],
  createdAt: new Date(0),
  disabled: false,
  ...more,
});

describe('a redirect URI at run time', () => {
  it.each([
    'https://shop.example/cb/',
    'https://shop.example/cb?',
    'https://shop.example/cb?a=1',
    'https://shop.example/cb#',
    'https://shop.example/CB',
    'https://SHOP.example/cb',
    'https://shop.example:443/cb',
    'http://shop.example/cb',
    'https://shop.example./cb',
    'https://shop.example/x/../cb',
    'https://shop.example/%63b',
    ' https://shop.example/cb',
    'https://shop.example',
    '',
  ])('T37 is compared byte for byte: "%s" is not the registered one', (uri) => {
    expect(redirectUriAllowed(client({}), uri)).toBe(false);
    expect(redirectUriAllowed(client({ applicationType: 'native' }), uri)).toBe(false);
    expect(redirectUriAllowed(client({ dialect: 'wechat' }), uri)).toBe(false);
  });

  it('lets a native app choose the port of its loopback address, and nothing else (RFC 8252 7.3)', () => {
    const app = client({ applicationType: 'native', redirectUris: ['http://127.0.0.1/cb?x=1', 'http://[::1]:80/v6'] });
    for (const uri of [
      'http://127.0.0.1:51004/cb?x=1',
      'http://127.0.0.1/cb?x=1',
      'http://[::1]:9/v6',
      'http://[::1]/v6',
    ]) {
      expect(redirectUriAllowed(app, uri), uri).toBe(true);
    }
    for (const uri of [
      'http://127.0.0.1:51004/cb',
      'http://127.0.0.1:51004/cb?x=1&y=2',
      'http://127.0.0.1:51004/cb/?x=1',
      'http://127.0.0.1:51004',
      'http://[::1]:9/cb?x=1',
      'http://localhost:51004/cb?x=1',
      'http://127.0.0.2:51004/cb?x=1',
      'http://127.1:51004/cb?x=1',
      'https://127.0.0.1:51004/cb?x=1',
      'http://127.0.0.1:51004@evil.example/cb?x=1',
      'http://127.0.0.1:x@evil.example/cb?x=1',
      'http://127.0.0.1.evil.example/cb?x=1',
      'http://127.0.0.1:123456/cb?x=1',
      'http://127.0.0.1:99999/cb?x=1',
      'http://u@127.0.0.1:80/cb?x=1',
      'http://127.0.0.1:51004\\cb?x=1',
    ]) {
      expect(redirectUriAllowed(app, uri), uri).toBe(false);
    }
  });

  it('gives a web client no free port, not even on a loopback address', () => {
    const site = client({ redirectUris: ['http://127.0.0.1/cb'] });
    expect(redirectUriAllowed(site, 'http://127.0.0.1:51004/cb')).toBe(false);
  });

  it('may be anywhere on the callback domain of a wechat client, and only there', () => {
    const shop = client({ dialect: 'wechat', redirectUris: [], callbackDomain: 'shop.example' });
    for (const uri of ['https://shop.example', 'https://shop.example/any?x=1', 'https://SHOP.example/cb']) {
      expect(redirectUriAllowed(shop, uri), uri).toBe(true);
    }
    for (const uri of [
      'https://evil.example/?shop.example',
      'http://shop.example/cb',
      'https://shop.example/回',
      'https://shop.example/cb?code=EVIL',
      'https://shop.example/cb?x=1&state=EVIL',
      'https://shop.example/#/cb?code=EVIL',
      'https://shop.example/out/17#/',
      'https://shop.example/#',
      'https://shop.example#@evil.example/',
      'https://shop.example.evil.example/',
      'https://evilshop.example/',
      'https://www.shop.example/',
      'https://shop.example:8443/',
      'https://shop.example@evil.example/',
      'https://evil.example@shop.example/',
      'https://shop.example\\@evil.example/',
      'https://shop.example./',
      'https:/\\shop.example/',
      'https:shop.example/',
      'https://shop.example/\r\nX: y',
      'https://shop.example/ x',
      'https://shop。example/',
      'ftp://shop.example/',
      'javascript://shop.example/%0aalert(1)',
      '//shop.example/',
    ]) {
      expect(redirectUriAllowed(shop, uri), uri).toBe(false);
    }
  });

  it('gives an oauth client no callback domain, whatever its row says', () => {
    expect(redirectUriAllowed(client({ callbackDomain: 'shop.example' }), 'https://shop.example/other')).toBe(false);
  });
});

describe('a client secret', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const createdAt = '2029-01-01T00:00:00Z';

  it('may be either of two live ones, and not one that has run out', () => {
    const two = [
      { hash: hashSecret('new'), createdAt },
      { hash: hashSecret('old'), createdAt, expiresAt: '2030-01-01T00:00:01Z' },
      { hash: hashSecret('older'), createdAt, expiresAt: '2030-01-01T00:00:00Z' },
    ];
    expect(['new', 'old', 'older', '', 'x'].map((secret) => secretMatches(two, secret, now))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('never matches for a client without one', () => {
    for (const secret of ['', '-'.repeat(43)]) expect(secretMatches([], secret, now)).toBe(false);
  });
});

describe('the union of a client', () => {
  it('is its own unless it has a name, and no name can imitate that', () => {
    expect(unionOf(client({ unionName: 'shops' }))).toBe(unionOf(client({ id: 'qc2', unionName: 'shops' })));
    expect(unionOf(client({}))).not.toBe(unionOf(client({ id: 'qc2' })));
    expect(unionOf(client({ id: 'a' }))).not.toBe(unionOf(client({ id: 'b', unionName: 'client:a' })));
  });
});
