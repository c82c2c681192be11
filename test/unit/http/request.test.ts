import { describe, expect, it } from 'vitest';
import { readConnectRequest } from '../../../src/http/connect/request.js';

const read = (query: Record<string, string>) => readConnectRequest(new URLSearchParams(query).toString());
const OAUTH = { client_id: 'qc1', redirect_uri: 'https://shop.example/cb', code_challenge: 'x'.repeat(43), state: 's' };
const WECHAT = { appid: 'wx1', redirect_uri: 'https://shop.example/cb', scope: 'snsapi_login', state: 's' };
const PRINTABLE = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => i + 0x20));
const MALFORMED = expect.objectContaining({ code: 'invalid_request' });

describe('the parameters of a waiting page', () => {
  it("are WeChat's when there is an appid or no client_id, else OAuth's", () => {
    expect(read(OAUTH).dialect).toBe('oauth');
    expect(read(WECHAT).dialect).toBe('wechat');
    expect(read({ ...OAUTH, appid: 'wx1' }).dialect).toBe('wechat');
    expect(read({}).dialect).toBe('wechat');
  });

  it.each(['client_id=a&client_id=a', 'appid=a&appid=b', 'appid=a&state=1&state=1', 'client_id=a&x=1&x=2'])(
    'T38 are refused when one is given twice: %s',
    (search) => {
      expect(() => readConnectRequest(search)).toThrow(MALFORMED);
    },
  );

  it('are refused when there are more than a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`p${i}`, '']));
    expect(() => read(many)).toThrow(MALFORMED);
  });

  it('T32 keep state and nonce byte for byte, every printable character', () => {
    expect(read({ ...OAUTH, state: PRINTABLE, nonce: PRINTABLE }).parameters).toMatchObject({
      state: PRINTABLE,
      nonce: PRINTABLE,
    });
    expect(read({ ...WECHAT, state: PRINTABLE }).parameters.state).toBe(PRINTABLE);
  });

  it.each(['\u0000', '\r\n', '\t', '\u007f', '\u2028', '\u2029'])('T32 refuse %j in state', (bad) => {
    expect(() => read({ ...OAUTH, state: `a${bad}` })).toThrow(MALFORMED);
    expect(() => read({ ...WECHAT, state: `a${bad}` })).toThrow(MALFORMED);
    expect(() => read({ ...OAUTH, nonce: `a${bad}` })).toThrow(MALFORMED);
  });

  it.each(['é', '微信', '😀'])('take %s in state from WeChat’s sites alone (RFC 6749 A.5 has ASCII)', (letter) => {
    expect(() => read({ ...OAUTH, state: letter })).toThrow(MALFORMED);
    expect(read({ ...WECHAT, state: letter }).parameters.state).toBe(letter);
  });

  it.each([
    ['poll', ['poll']],
    ['long-poll,socket,long-poll,pigeon,,events', ['long-poll', 'socket', 'events']],
    ['', []],
    ['SOCKET', []],
  ])('name the transports a test wants, in its order, and no others: %j', (list, transports) => {
    expect(read({ ...OAUTH, transports: list }).wishes.transports).toEqual(transports);
    expect(read({ ...WECHAT, transports: list }).wishes.transports).toEqual(transports);
  });

  it('T4 take no id, secret or claim about the person from the page', () => {
    const extra = {
      ticket: 't',
      id: 'i',
      sid: 's',
      uuid: 'u',
      login_hint: 'anna',
      prompt: 'none',
      claims: '{}',
      response_mode: 'fragment',
    };
    const allowed = [
      'client_id',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
      'request_uri',
    ];
    for (const query of [
      { ...OAUTH, ...extra },
      { ...WECHAT, ...extra },
    ]) {
      const told = Object.entries(read(query).parameters).filter(([, value]) => value !== undefined);
      expect(told.map(([name]) => name).filter((name) => !allowed.includes(name))).toEqual([]);
    }
  });
});

describe('an OAuth page', () => {
  it('says response_type and scope for a snippet that leaves them out, but no PKCE method', () => {
    expect(read(OAUTH).parameters).toMatchObject({ response_type: 'code', scope: 'openid' });
    expect(read(OAUTH).parameters.code_challenge_method).toBeUndefined();
  });

  it('adds nothing to a pushed request', () => {
    const { parameters } = read({ client_id: 'qc1', request_uri: 'urn:ietf:params:oauth:request_uri:x' });
    expect(Object.entries(parameters).filter(([, value]) => value !== undefined)).toEqual([
      ['client_id', 'qc1'],
      ['request_uri', 'urn:ietf:params:oauth:request_uri:x'],
    ]);
  });

  it.each([
    ['response_type', 'token'],
    ['response_type', 'code id_token'],
    ['code_challenge_method', 'plain'],
    ['scope', 'openid "x'],
    ['scope', 'openid \\x'],
    ['scope', 'openid\u0000'],
    ['lang', 'xx'],
    ['theme', 'pink'],
    ['layout', 'wide'],
    ['login_type', 'jssdk'],
    ['self_redirect', 'maybe'],
    ['client_id', 'x'.repeat(65)],
    ['state', 'x'.repeat(4097)],
    ['redirect_uri', `https://shop.example/${'x'.repeat(2000)}`],
  ])('refuses %s=%s', (name, value) => {
    expect(() => read({ ...OAUTH, [name]: value })).toThrow(MALFORMED);
  });

  it('hands the answer to the widget, this frame or the top window as asked', () => {
    expect(read(OAUTH).wishes.navigate).toBe('top');
    expect(read({ ...OAUTH, login_type: 'qr-connect' }).wishes.navigate).toBe('parent');
    expect(read({ ...OAUTH, self_redirect: 'true' }).wishes.navigate).toBe('self');
  });
});

describe('a WeChat page', () => {
  it('falls back to the documented defaults for what it does not know (wire format 1.1)', () => {
    const odd = {
      style: 'pink',
      stylelite: 'yes',
      color_scheme: 'x',
      self_redirect: 'maybe',
      login_type: 'x',
      href: 'https://evil.example/x.css',
    };
    expect(read({ ...WECHAT, ...odd }).wishes).toEqual(read(WECHAT).wishes);
    expect(read(WECHAT).wishes).toMatchObject({ lang: 'cn', layout: 'classic', tone: 'black', navigate: 'top' });
  });

  it('asks the engine for the one scope WeChat has, whatever was sent beside it', () => {
    expect(read({ ...WECHAT, scope: 'snsapi_login,openid profile' }).parameters.scope).toBe('snsapi_login');
  });

  it('enforces PKCE when it is sent', () => {
    const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
    expect(read({ ...WECHAT, ...pkce }).parameters).toMatchObject(pkce);
    expect(() => read({ ...WECHAT, code_challenge: 'x', code_challenge_method: 'plain' })).toThrow(MALFORMED);
  });
});
