/** Python's client libraries cannot run here: each one's requests, byte by byte, and the answers read as it reads them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, startLibraryHouse } from '../support/library-house.js';
import { type RawReply, rawGet, rawPost } from '../support/raw-http.js';

const REQUESTS = ['User-Agent: python-requests/2.34.2', 'Accept-Encoding: gzip, deflate', 'Accept: */*'];

type Json = Record<string, unknown>;

/** The encoding that the package requests takes from a Content-Type: text without a charset is Latin-1. */
function encodingOf(contentType: string | undefined): 'latin1' | 'utf8' {
  if (contentType === undefined || /charset=utf-8/i.test(contentType)) return 'utf8';
  return contentType.includes('text') ? 'latin1' : 'utf8';
}

/** Response.json() of the package requests. */
function responseJson(reply: RawReply): Json {
  return decode(reply.body, reply.header('Content-Type'));
}

function decode(body: Buffer, contentType: string | undefined): Json {
  return JSON.parse(body.toString(encodingOf(contentType))) as Json;
}

/** nickname.encode('raw_unicode_escape').decode('utf-8'), as both libraries undo requests' decoding. */
function repaired(nickname: unknown): string {
  const bytes = [...String(nickname)].map((character) => {
    const point = character.codePointAt(0) as number;
    if (point < 0x100) return Buffer.from([point]);
    return Buffer.from(point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`);
  });
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes));
}

const hex = (point: number, digits: number) => point.toString(16).padStart(digits, '0');

function expectRepairable(reply: RawReply): void {
  expect(reply.headerLines.filter((line) => /^content-type/i.test(line))).toEqual(['Content-Type: text/plain']);
  expect(reply.body.toString('latin1')).not.toContain('\\u');
  expect(reply.body.includes(Buffer.from('"张三😀"'))).toBe(true);
  expect(repaired(responseJson(reply).nickname)).toBe('张三😀');
  // What any other type would do to them (wire format 4.1): the nickname as an escape.
  for (const other of ['text/plain; charset=utf-8', 'application/json', undefined]) {
    expect(repaired(decode(reply.body, other).nickname)).toBe('\\u5f20\\u4e09\\U0001f600');
  }
}

describe('the client libraries of Python', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/complete/weixin/');
  });
  afterAll(() => house?.stop());

  it('python-social-auth: posts a form, takes any errcode for a cancelled sign-in, and repairs the nickname', async () => {
    const { base, callback, site } = house;
    const keys = { appid: site.clientId, secret: site.secret };
    const state = randomBytes(16).toString('hex');
    const asked = { appid: site.clientId, redirect_uri: callback, state, response_type: 'code', scope: 'snsapi_login' };
    const back = answerOf(await house.visit(`${base}/connect/qrconnect?${new URLSearchParams(asked)}`));
    expect(back.state).toBe(state);

    const headers = [...REQUESTS.slice(0, 2), 'Accept: application/json'];
    const form = { grant_type: 'authorization_code', code: back.code, ...keys, redirect_uri: callback };
    const reply = await rawPost(base, '/sns/oauth2/access_token', form, headers);
    expect(reply.status).toBe(200);
    const tokens = responseJson(reply);
    expect(tokens).not.toHaveProperty('errcode');
    expect(tokens).toMatchObject({ access_token: expect.any(String), openid: expect.stringMatching(IDENTIFIER) });

    const query = new URLSearchParams({ access_token: String(tokens.access_token), openid: String(tokens.openid) });
    const profile = await rawGet(base, `/sns/userinfo?${query}`, REQUESTS);
    expectRepairable(profile);
    // ID_KEY, and what it keeps of a profile.
    expect(responseJson(profile)).toMatchObject({ openid: tokens.openid, headimgurl: expect.stringMatching(/^http/) });

    const refresh = { refresh_token: String(tokens.refresh_token), grant_type: 'refresh_token', ...keys };
    const again = responseJson(await rawPost(base, '/sns/oauth2/refresh_token', refresh, headers));
    expect(again).toMatchObject({ access_token: tokens.access_token, refresh_token: tokens.refresh_token });

    // HTTP 400 would be another way to say cancelled; every other status but 200 is a crash of the site.
    const spent = await rawPost(base, '/sns/oauth2/access_token', form, headers);
    expect([spent.status, 'errcode' in responseJson(spent)]).toEqual([200, true]);
  });

  it('django-allauth: sorts its query, posts a form with a scope in it, and repairs the nickname', async () => {
    const { base, callback, site } = house;
    const state = randomBytes(12).toString('base64url');
    const scope = 'snsapi_login';
    const asked = { appid: site.clientId, redirect_uri: callback, response_type: 'code', scope, state };
    const address = `${base}/connect/qrconnect?${new URLSearchParams(asked)}`;
    expect([...new URL(address).searchParams.keys()]).toEqual(Object.keys(asked).sort());
    const back = answerOf(await house.visit(address));
    expect(back.state).toBe(state);

    const reply = await rawPost(
      base,
      '/sns/oauth2/access_token',
      {
        appid: site.clientId,
        redirect_uri: callback,
        grant_type: 'authorization_code',
        secret: site.secret,
        scope,
        code: back.code,
      },
      REQUESTS,
    );
    expect(reply.status).toBe(200);
    const tokens = responseJson(reply);
    expect(tokens).toHaveProperty('access_token');
    const query = new URLSearchParams({ access_token: String(tokens.access_token), openid: String(tokens.openid) });
    const profile = await rawGet(base, `/sns/userinfo?${query}`, REQUESTS);
    expectRepairable(profile);
    expect(responseJson(profile)).toMatchObject({ openid: tokens.openid });
  });
});
