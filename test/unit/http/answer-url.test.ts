import { describe, expect, it } from 'vitest';
import { answerUrl } from '../../../src/http/connect/answer-url.js';

const ISSUER = 'https://login.example';
/** Every printable ASCII character: all of them are legal in state (RFC 6749 A.5). */
const PRINTABLE = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => i + 0x20));
const answer = (redirectUri: string, more: object = { code: 'c0de', state: 's' }) => ({
  clientId: 'qc',
  redirectUri,
  state: undefined,
  ...more,
});

describe('the address of an OAuth answer', () => {
  it('carries code, state and iss, each once (RFC 6749 4.1.2, RFC 9207)', () => {
    expect(answerUrl('oauth', answer('https://shop.example/cb'), ISSUER)).toBe(
      'https://shop.example/cb?code=c0de&state=s&iss=https%3A%2F%2Flogin.example',
    );
  });

  it('keeps the registered query', () => {
    const url = new URL(answerUrl('oauth', answer('https://shop.example/cb?a=1&a=2&b='), ISSUER));
    expect(url.searchParams.getAll('a')).toEqual(['1', '2']);
    expect(url.searchParams.get('b')).toBe('');
  });

  it('T38 never doubles a response key, even when a registered query holds it', () => {
    const url = new URL(answerUrl('oauth', answer('https://shop.example/cb?code=evil&state=x&iss=y&code=z'), ISSUER));
    for (const [key, value] of [
      ['code', 'c0de'],
      ['state', 's'],
      ['iss', ISSUER],
    ] as const) {
      expect(url.searchParams.getAll(key)).toEqual([value]);
    }
    expect(url.hash).toBe('');
  });

  it('carries no state when none was sent, and an empty one when an empty one was', () => {
    expect(
      new URL(answerUrl('oauth', answer('https://shop.example/', { code: 'c' }), ISSUER)).searchParams.has('state'),
    ).toBe(false);
    expect(
      new URL(answerUrl('oauth', answer('https://shop.example/', { code: 'c', state: '' }), ISSUER)).searchParams.get(
        'state',
      ),
    ).toBe('');
  });

  it('tells a denial with state and iss and no code', () => {
    const url = new URL(
      answerUrl('oauth', answer('https://shop.example/cb', { error: 'access_denied', state: 's' }), ISSUER),
    );
    expect(Object.fromEntries(url.searchParams)).toEqual({ error: 'access_denied', state: 's', iss: ISSUER });
  });
});

describe('the address of a WeChat answer', () => {
  it('appends code and then state, after a query and after a hash route (wire format 1.4)', () => {
    expect(answerUrl('wechat', answer('https://shop.example/cb'), ISSUER)).toBe(
      'https://shop.example/cb?code=c0de&state=s',
    );
    expect(answerUrl('wechat', answer('https://shop.example/cb?a=b%20c'), ISSUER)).toBe(
      'https://shop.example/cb?a=b%20c&code=c0de&state=s',
    );
    expect(answerUrl('wechat', answer('https://shop.example/#/login'), ISSUER)).toBe(
      'https://shop.example/#/login?code=c0de&state=s',
    );
  });

  it('carries an empty state when none was sent', () => {
    expect(answerUrl('wechat', answer('https://shop.example/', { code: 'c' }), ISSUER)).toBe(
      'https://shop.example/?code=c&state=',
    );
  });
});

describe('the state of either dialect', () => {
  it('T32 comes back byte for byte, every printable character of it', () => {
    for (const dialect of ['oauth', 'wechat'] as const) {
      const url = new URL(
        answerUrl(dialect, answer('https://shop.example/cb', { code: 'c', state: PRINTABLE }), ISSUER),
      );
      expect(url.searchParams.get('state')).toBe(PRINTABLE);
      expect(url.hash).toBe('');
      expect(url.origin).toBe('https://shop.example');
    }
  });
});
