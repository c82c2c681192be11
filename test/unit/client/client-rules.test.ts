import { describe, expect, it } from 'vitest';
import * as rules from '../../../src/client/client-rules.js';
import { type Saying, say } from '../../../src/saying.js';
import { BANNED_BACKCHANNEL_URIS, BANNED_NATIVE_URIS, BANNED_URIS } from '../../support/banned-uris.js';

const said =
  <A extends unknown[]>(rule: (...of: A) => Saying | undefined) =>
  (...of: A) => {
    const problem = rule(...of);
    return problem && say(problem);
  };
const redirectUriProblem = said(rules.redirectUriProblem);
const postLogoutUriProblem = said(rules.postLogoutUriProblem);
const backchannelUriProblem = said(rules.backchannelUriProblem);
const embedOriginProblem = said(rules.embedOriginProblem);
const callbackDomainProblem = said(rules.callbackDomainProblem);
const clientNameProblem = said(rules.clientNameProblem);

const WEB = { demo: false, applicationType: 'web' } as const;
const NATIVE = { demo: false, applicationType: 'native' } as const;
const DEMO = { demo: true, applicationType: 'web' } as const;
const DEMO_NATIVE = { demo: true, applicationType: 'native' } as const;

describe('registering a redirect URI', () => {
  it.each(BANNED_URIS)('T37 refuses %s', (_, uri) => {
    expect(redirectUriProblem(uri, WEB)).toMatch(/^redirect URI "/);
  });

  it.each(BANNED_NATIVE_URIS)('T37 refuses a native app %s, also in demo mode', (_, uri) => {
    for (const context of [NATIVE, DEMO_NATIVE]) expect(redirectUriProblem(uri, context)).toMatch(/^redirect URI "/);
  });

  it.each([
    'com.example.app:/cb',
    'com.example.app:/',
    'com.example.app:/oauth2redirect/example-provider?next=1',
    'org.example-house.app2:/cb',
    'example.app:/cb',
  ])('takes %s from a native app alone (RFC 8252 7.1)', (uri) => {
    for (const context of [NATIVE, DEMO_NATIVE]) expect(redirectUriProblem(uri, context)).toBeUndefined();
    for (const context of [WEB, DEMO]) expect(redirectUriProblem(uri, context)).toMatch(/must be https/);
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

  it('keeps plain http from a web client outside demo mode, on this machine too', () => {
    for (const uri of ['http://127.0.0.1/cb', 'http://localhost:3001/cb', 'http://[::1]/cb']) {
      expect(redirectUriProblem(uri, WEB)).toMatch(/plain http on this machine needs/);
      expect(redirectUriProblem(uri, DEMO)).toBeUndefined();
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

describe('registering a post-logout redirect URI', () => {
  it.each(BANNED_URIS)('T37 refuses %s', (_, uri) => {
    for (const context of [WEB, { ...WEB, hashRoute: true }])
      expect(postLogoutUriProblem(uri, context)).toMatch(/^post-logout redirect URI "/);
  });

  it.each(BANNED_NATIVE_URIS)('T37 refuses a native app %s', (_, uri) => {
    expect(postLogoutUriProblem(uri, NATIVE)).toMatch(/^post-logout redirect URI "/);
  });

  it('accepts what a redirect URI may be', () => {
    expect(postLogoutUriProblem('https://shop.example/bye?x=1', WEB)).toBeUndefined();
    expect(postLogoutUriProblem('com.example.app:/bye', NATIVE)).toBeUndefined();
    expect(postLogoutUriProblem('http://127.0.0.1/bye', NATIVE)).toBeUndefined();
  });
});

describe('registering a back-channel logout URI', () => {
  const all = [...BANNED_URIS, ...BANNED_NATIVE_URIS, ...BANNED_BACKCHANNEL_URIS];
  it.each(all)('T37 T60 refuses %s: %s', (_, uri) => {
    for (const context of [WEB, NATIVE, { ...WEB, hashRoute: true }])
      expect(backchannelUriProblem(uri, context)).toMatch(/^back-channel logout URI "/);
  });

  it('takes plain http on this machine in demo mode, and nothing else that is not public', () => {
    for (const uri of ['http://127.0.0.1:3001/logout', 'http://localhost/logout', 'http://[::1]:3001/logout'])
      expect(backchannelUriProblem(uri, DEMO)).toBeUndefined();
    for (const uri of [
      'http://192.168.0.5/logout',
      'http://shop.local/logout',
      'http://shop.example/logout',
      'https://192.168.0.5/logout',
      'https://localhost/logout',
      'http://u@127.0.0.1/logout',
      'com.example.app:/logout',
    ])
      expect(backchannelUriProblem(uri, DEMO), uri).toBeDefined();
  });

  it.each(['https://shop.example/logout', 'https://shop.example', 'https://a.b.shop.example/logout?site=1'])(
    'accepts %s',
    (uri) => {
      for (const context of [WEB, NATIVE, DEMO]) expect(backchannelUriProblem(uri, context)).toBeUndefined();
    },
  );
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
