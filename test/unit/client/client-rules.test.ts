import { describe, expect, it } from 'vitest';
import {
  callbackDomainProblem,
  clientNameProblem,
  embedOriginProblem,
  redirectUriProblem,
} from '../../../src/client/client-rules.js';

const WEB = { demo: false, applicationType: 'web' } as const;
const NATIVE = { demo: false, applicationType: 'native' } as const;
const DEMO = { demo: true, applicationType: 'web' } as const;

const RESPONSE_KEYS = 'code state iss error error_description response id_token access_token session_state'.split(' ');

const REFUSED_URIS = [
  ['plain http', 'http://shop.example/cb'],
  ['plain http on this machine for a web client', 'http://127.0.0.1/cb'],
  ['plain http on a private address', 'http://192.168.0.5/cb'],
  ['a user name', 'https://issuer@shop.example/cb'],
  ['a user name and password', 'https://u:p@shop.example/cb'],
  ['an empty user name', 'https://@shop.example/cb'],
  ['several @', 'https://shop.example@evil.example@shop.example/cb'],
  ['a fragment', 'https://shop.example/cb#f'],
  ['an empty fragment', 'https://shop.example/cb#'],
  ['a wildcard in the host', 'https://*.shop.example/cb'],
  ['a wildcard in the path', 'https://shop.example/*'],
  ['a wildcard alone', '*'],
  ['a .. segment', 'https://shop.example/a/../cb'],
  ['a .. segment at the end', 'https://shop.example/a/..'],
  ['a . segment', 'https://shop.example/./cb'],
  ['a ..; segment', 'https://shop.example/a/..;/cb'],
  ['a backslash', 'https://shop.example\\@evil.example/cb'],
  ['an encoded slash', 'https://shop.example/a%2fb'],
  ['an encoded slash in upper case', 'https://shop.example/a%2Fb'],
  ['an encoded dot', 'https://shop.example/%2e%2E/cb'],
  ['an encoded backslash', 'https://shop.example/a%5cb'],
  ['an encoded line break', 'https://shop.example/a%0d%0ab'],
  ['an encoded NUL', 'https://shop.example/a%00b'],
  ['a trailing dot in the host', 'https://shop.example./cb'],
  ['an IPv4 address', 'https://192.0.2.1/cb'],
  ['an IPv4 address as one number', 'https://3221225985/cb'],
  ['an IPv4 address in hex', 'https://0xc0.0.2.1/cb'],
  ['an IPv6 address', 'https://[2001:db8::1]/cb'],
  ['a host of non-ASCII letters', 'https://shöp.example/cb'],
  ['a full-width dot', 'https://shop。example/cb'],
  ['a host of one label', 'https://intranet/cb'],
  ['localhost over https', 'https://localhost/cb'],
  ['an upper-case host', 'https://Shop.example/cb'],
  ['an upper-case scheme', 'HTTPS://shop.example/cb'],
  ['a scheme without slashes', 'https:shop.example/cb'],
  ['three slashes', 'https:///shop.example/cb'],
  ['the default port', 'https://shop.example:443/cb'],
  ['the default port with zeros', 'https://shop.example:0443/cb'],
  ['an empty port', 'https://shop.example:/cb'],
  ['a port with zeros', 'https://shop.example:08443/cb'],
  ['a host that ends a policy directive', 'https://shop.example;sandbox/cb'],
  ['a host that begins a second policy', 'https://shop.example,x.example/cb'],
  ['a quote in the host', "https://shop'.example/cb"],
  ['a space', 'https://shop.example/a b'],
  ['a tab', 'https://shop.example/a\tb'],
  ['a line break', 'https://shop.example/cb\r\nX: y'],
  ['a NUL', 'https://shop.example/cb\u0000'],
  ['an angle bracket', 'https://shop.example/<b>'],
  ['a quotation mark', 'https://shop.example/"'],
  ['no scheme', 'shop.example/cb'],
  ['a relative path', '/cb'],
  ['a scheme-relative address', '//shop.example/cb'],
  ['javascript', 'javascript:alert(1)'],
  ['data', 'data:text/html,hi'],
  ['a custom scheme', 'com.example.app:/cb'],
  ['nothing', ''],
  ['2001 characters', `https://shop.example/${'a'.repeat(1981)}`],
  ...RESPONSE_KEYS.map((key) => [`the query key ${key}`, `https://shop.example/cb?${key}=1`]),
  ['an encoded reserved query key', 'https://shop.example/cb?a=1&%63ode=x'],
] as Array<[string, string]>;

describe('registering a redirect URI', () => {
  it.each(REFUSED_URIS)('T37 refuses %s', (_, uri) => {
    expect(redirectUriProblem(uri, WEB)).toMatch(/^redirect URI "/);
  });

  it.each([
    'https://shop.example/',
    'https://shop.example',
    'https://shop.example/cb',
    'https://shop.example:8443/cb',
    'https://shop.example/cb?next=1&codes=2',
    'https://shop.example/cb?return=%2Fhome',
    'https://xn--shp-tna.example/cb',
    'https://a.b-c.shop.example/x/...y/z.html',
  ])('accepts %s', (uri) => {
    expect(redirectUriProblem(uri, WEB)).toBeUndefined();
  });

  it('accepts plain http for a native app, on a loopback address only', () => {
    for (const uri of ['http://127.0.0.1/cb', 'http://127.0.0.1:8000/cb', 'http://[::1]/cb']) {
      expect(redirectUriProblem(uri, NATIVE)).toBeUndefined();
    }
    for (const uri of ['http://127.0.0.1.evil.example/cb', 'http://localhost.evil.example/cb', 'http://10.0.0.1/cb']) {
      expect(redirectUriProblem(uri, NATIVE)).toMatch(/must be https/);
    }
    for (const uri of ['http:127.0.0.1/cb', 'http:///127.0.0.1/cb', 'http://127.0.0.1@evil.example/cb']) {
      expect(redirectUriProblem(uri, NATIVE)).toBeDefined();
    }
  });

  it('accepts private addresses in demo mode, and refuses everything else as ever', () => {
    for (const uri of ['http://127.0.0.1:3001/cb', 'http://localhost:3001/cb', 'http://192.168.0.5:3001/cb']) {
      expect(redirectUriProblem(uri, DEMO)).toBeUndefined();
    }
    for (const uri of [
      'http://shop.example/cb',
      'http://u@localhost/cb',
      'http://localhost/../cb',
      'http://localhost/#',
    ]) {
      expect(redirectUriProblem(uri, DEMO)).toBeDefined();
    }
  });

  it('takes a hash route from a wechat client, and no other fragment from anybody', () => {
    const wechat = { ...WEB, hashRoute: true };
    for (const uri of ['https://shop.example/#/login', 'https://shop.example/app?x=1#!/a/b?tab=2']) {
      expect(redirectUriProblem(uri, wechat)).toBeUndefined();
      expect(redirectUriProblem(uri, WEB)).toMatch(/must not have a fragment/);
    }
    for (const uri of ['https://shop.example/#', 'https://shop.example/#top', 'https://shop.example/#/a#/b']) {
      expect(redirectUriProblem(uri, wechat)).toMatch(/hash route/);
    }
    expect(redirectUriProblem('https://shop.example/#/login?state=x', wechat)).toMatch(/"state"/);
  });

  it('names the fix without repeating endless input', () => {
    expect(redirectUriProblem(`https://shop.example/${'a'.repeat(5000)}`, WEB)?.length).toBeLessThan(400);
  });
});

describe('registering an embed origin', () => {
  it.each([
    '*',
    'null',
    'https:',
    'https://*',
    'https://*.shop.example',
    'https://shop.example/',
    'https://shop.example/page',
    'https://shop.example:443',
    'https://Shop.example',
    'http://shop.example',
    'https://u@shop.example',
    'https://192.0.2.1',
    "https://shop.example 'self'",
    'https://shop.example;sandbox',
    'https://shop.example,https://other.example',
    "https://shop.'self'",
    'data:',
    '',
  ])('T28 refuses "%s"', (origin) => {
    expect(embedOriginProblem(origin, WEB)).toMatch(/^embed origin "/);
  });

  it.each(['https://shop.example', 'https://shop.example:8443'])('accepts %s', (origin) => {
    expect(embedOriginProblem(origin, WEB)).toBeUndefined();
  });
});

describe('registering a callback domain', () => {
  it.each([
    'https://shop.example',
    'shop.example/cb',
    'shop.example:443',
    'Shop.example',
    'shop.example.',
    '.shop.example',
    '*.shop.example',
    'shop',
    'localhost',
    '127.0.0.1',
    'shöp.example',
    '-shop.example',
    'shop.example;x',
    'a@shop.example',
    `${'a'.repeat(64)}.example`,
    '',
  ])('refuses "%s"', (domain) => {
    expect(callbackDomainProblem(domain, WEB)).toMatch(/^callback domain "/);
  });

  it.each(['shop.example', 'a.b-c.shop.example', 'xn--shp-tna.example'])('accepts %s', (domain) => {
    expect(callbackDomainProblem(domain, WEB)).toBeUndefined();
  });
});

describe('naming a client', () => {
  it.each([
    ['nothing', ''],
    ['spaces only', '   '],
    ['a right-to-left override', 'Bank\u202eLogin'],
    ['a zero-width space', 'Bank\u200bLogin'],
    ['a zero-width joiner', 'Bank\u200dLogin'],
    ['a byte order mark', '\ufeffBank'],
    ['a soft hyphen', 'Ba\u00adnk'],
    ['an invisible combining mark', 'Ba\u034fnk'],
    ['a variation selector', 'Bank\ufe0f'],
    ['an invisible letter', 'Bank\u3164'],
    ['another invisible letter', '\u1160\u115f'],
    ['NUL', 'Bank\u0000'],
    ['a line break', 'Bank\nLogin'],
    ['a line separator', 'Bank\u2028Login'],
    ['a Cyrillic letter in a Latin word', 'B\u0430nk'],
    ['a Greek letter in a Latin word', 'B\u03b1nk'],
    ['a Cherokee letter in a Latin word', '\u13f4ank'],
    ['Cyrillic beside Greek', '\u0411\u03b1'],
    ['a tag', '<b>Bank</b>'],
    ['quotation marks', '"Bank"'],
    ['a template', '{{7*7}}'],
    ['a slash', 'bank.example/login'],
    ['61 characters', 'a'.repeat(61)],
    ['10 000 characters', 'a'.repeat(10_000)],
  ])('T26 refuses %s', (_, name) => {
    expect(clientNameProblem(name)).toMatch(/^the name /);
  });

  it.each([
    'Book shop',
    '淘书 Book',
    'Кафе',
    'Καφές',
    "Anna's & Ben’s Shop (EU)",
    'ラーメン屋',
    'a'.repeat(60),
    '書'.repeat(60),
  ])('accepts "%s"', (name) => {
    expect(clientNameProblem(name)).toBeUndefined();
  });
});
