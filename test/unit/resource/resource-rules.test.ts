import { describe, expect, it } from 'vitest';
import { SCOPES_OF } from '../../../src/client/dialect.js';
import {
  identifierProblem,
  type NewResourceServer,
  resourceProblems,
  scopeNameProblem,
  toScopes,
} from '../../../src/resource/resource-rules.js';

const INPUT: NewResourceServer = {
  identifier: 'https://api.example',
  name: 'Orders',
  scopes: [{ name: 'read', description: 'Read your orders' }],
};
const problems = (more: Partial<NewResourceServer>) => resourceProblems({ ...INPUT, ...more }, false).join('; ');

describe('the identifier of a resource server', () => {
  it.each([
    'https://api.example',
    'https://api.example/',
    'https://api.example:8443/orders/v1',
    'https://api.example/orders?tenant=1',
    'https://api.example/%E4%B9%A6',
    'https://10.1.2.3/api',
    'https://[2001:db8::1]/api',
    'https://orders/api',
  ])('may be %s', (identifier) => expect(identifierProblem(identifier, false)).toBeUndefined());

  it.each([
    ['', /absolute URI/],
    ['api.example', /absolute URI/],
    ['/orders', /absolute URI/],
    ['https:api.example', /absolute URI/],
    ['urn:example:api', /absolute URI/],
    ['http://api.example', /must be https/],
    ['http://192.168.1.2/', /must be https/],
    ['ftp://api.example/', /must be https/],
    ['javascript://api.example/', /must be https/],
    ['https://api.example#', /fragment/],
    ['https://api.example/#orders', /fragment/],
    ['https://me@api.example/', /user name/],
    ['https://:secret@api.example/', /user name/],
    ['https://@api.example/', /user name/],
    ['https://*.example/', /wildcard/],
    ['https://api.example/*', /wildcard/],
    ['https://api.example/书', /printable ASCII/],
    ['https://api.example/a b', /printable ASCII/],
    ['https://api.example/\n', /printable ASCII/],
    [`https://api.example/${'a'.repeat(2000)}`, /at most 2000/],
    ['https://API.example', /must be written https:\/\/api\.example$/],
    ['HTTPS://api.example/a', /must be written https:\/\/api\.example\/a/],
    ['https://api.example:443/a', /must be written https:\/\/api\.example\/a/],
    ['https://api.example/a/../b', /must be written https:\/\/api\.example\/b/],
    ['https://api.example\\a', /must be written https:\/\/api\.example\/a/],
    ['https://api.example?a=1', /must be written https:\/\/api\.example\/\?a=1/],
    ['https://%61pi.example', /must be written https:\/\/api\.example$/],
  ])('is not "%s"', (identifier, why) => expect(identifierProblem(identifier, false)).toMatch(why));

  it.each(['http://localhost:8080', 'http://127.0.0.1/api', 'http://[::1]:8080/'])(
    'is %s in demo mode alone',
    (identifier) => {
      expect(identifierProblem(identifier, true)).toBeUndefined();
      expect(identifierProblem(identifier, false)).toMatch(/DEMO=on/);
    },
  );

  it('is https elsewhere in demo mode too', () => {
    for (const other of ['http://api.example', 'http://localhost.example/', 'http://192.168.1.2/'])
      expect(identifierProblem(other, true)).toMatch(/must be https/);
  });
});

describe('a scope of a resource server', () => {
  it.each(['read', 'orders:read', 'orders.write', 'https://api.example/read', '!#[]~', 'profiles'])(
    'may be called %s',
    (name) => expect(scopeNameProblem(name)).toBeUndefined(),
  );

  it.each([...SCOPES_OF.oauth, ...SCOPES_OF.wechat, 'snsapi_userinfo', 'snsapi_', 'email', 'address', 'phone'])(
    'T54 cannot pass for one of ours: %s',
    (name) => {
      expect(scopeNameProblem(name)).toMatch(`such as api.${name}`);
      expect(problems({ scopes: [{ name: 'read' }, { name }] })).toMatch(/has a meaning here already/);
    },
  );

  it.each(['', 'a b', 'a"b', 'a\\b', 'a\tb', 'é', 'a\u0000', 'a'.repeat(101)])('is not called "%s"', (name) =>
    expect(scopeNameProblem(name)).toMatch(/1 to 100 printable ASCII/),
  );

  it('is named once, is there, and there are not too many', () => {
    expect(problems({ scopes: [] })).toMatch(/at least one scope/);
    expect(problems({ scopes: [{ name: 'read' }, { name: 'read', description: 'x' }] })).toMatch(
      /"read" is named twice/,
    );
    const many = Array.from({ length: 101 }, (_, i) => ({ name: `s${i}` }));
    expect(problems({ scopes: many })).toBe('at most 100 scopes');
    expect(problems({ scopes: many.slice(1) })).toBe('');
  });

  it('T26 has a description that cannot forge the page it stands on', () => {
    for (const description of ['a\u202eb', 'a\nb', 'a\u200bb', 'a\u3164b', 'a'.repeat(201)])
      expect(problems({ scopes: [{ name: 'read', description }] })).toMatch(/the description of the scope "read" /);
    expect(problems({ scopes: [{ name: 'read', description: '读取您的订单，包括地址。' }] })).toBe('');
  });

  it('is shown by its name where nobody wrote a description', () => {
    expect(toScopes([{ name: 'a' }, { name: 'b', description: ' ' }, { name: 'c', description: ' See ' }])).toEqual([
      { name: 'a', description: 'a' },
      { name: 'b', description: 'b' },
      { name: 'c', description: 'See' },
    ]);
  });
});

describe('a resource server', () => {
  it('is fine with the least and with everything', () => {
    expect(problems({})).toBe('');
    expect(
      problems({ tokenFormat: 'opaque', signingAlg: 'EdDSA', tokenSeconds: 3600, introspectedBy: ['qc1', 'qc2'] }),
    ).toBe('');
  });

  it('T26 has a name as clients have', () => {
    expect(problems({ name: 'B\u0430nk' })).toMatch(/mixes scripts/);
    expect(problems({ name: '<b>' })).toMatch(/may hold letters/);
    expect(problems({ name: ' ' })).toMatch(/empty/);
  });

  it.each([59, 3601, 0, -900, 900.5, Number.NaN, Number.POSITIVE_INFINITY])('has no tokens of %s seconds', (seconds) =>
    expect(problems({ tokenSeconds: seconds })).toBe('tokens live 60 to 3600 whole seconds'),
  );

  it('has a known token format and signs with a known algorithm', () => {
    expect(problems({ tokenFormat: 'paseto' as never })).toMatch(/one of jwt, opaque/);
    for (const alg of ['none', 'HS256', 'ES512'])
      expect(problems({ signingAlg: alg as never })).toMatch(/one of RS256, PS256, ES256, EdDSA/);
  });

  it('is introspected by a few', () => {
    expect(problems({ introspectedBy: Array.from({ length: 21 }, (_, i) => `qc${i}`) })).toMatch(/at most 20/);
  });

  it('hears of every mistake at once', () => {
    const told = resourceProblems(
      { identifier: 'api', name: '', scopes: [{ name: 'openid' }], tokenSeconds: 1 },
      false,
    );
    expect(told).toHaveLength(4);
  });
});
