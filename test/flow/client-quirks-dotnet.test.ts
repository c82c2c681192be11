/** ASP.NET Core's handler cannot run here: its requests, byte by byte, and the answers read as it reads them. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPageAt } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type RawReply, rawGet } from '../support/raw-http.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';

const CALLBACK = 'https://rp.example/signin-weixin';

/** QueryHelpers.AddQueryString: both halves encoded, in the given order. */
function addQueryString(address: string, parameters: Record<string, string>): string {
  return Object.entries(parameters).reduce(
    (so, [name, value]) =>
      `${so}${so.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    address,
  );
}

/** JsonElement.GetString of its extensions: any kind as text, absent and null as nothing. */
function getString(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  return value === undefined || value === null ? undefined : String(value);
}

/** A body in which `errcode` has any text, even 0, is an error; so is a status that is no success. */
function payload(reply: RawReply): Record<string, unknown> {
  expect(reply.status).toBe(200);
  const body = JSON.parse(reply.body.toString('utf8')) as Record<string, unknown>;
  expect(getString(body, 'errcode')).toBeUndefined();
  return body;
}

describe('the client library of .NET', () => {
  let server: TestApp;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  /** What data protection makes of the properties of a sign-in: its head, then some hundred bytes. */
  const protectedState = () => `CfDJ8${randomBytes(480).toString('base64url')}`;

  const visit = async (address: string): Promise<string> => {
    await forgetScans(server.database);
    const page = await openPageAt(address);
    await approve(phone, page);
    return (await page.redeem()).json<{ redirect_to: string }>().redirect_to;
  };

  /** From the code to the claims. */
  const createTicket = async (site: WechatSite, code: string, more: Record<string, string> = {}) => {
    const keys = { appid: site.clientId, secret: site.secret, code, grant_type: 'authorization_code', ...more };
    const tokens = payload(await rawGet(server.url, addQueryString('/sns/oauth2/access_token', keys)));
    expect(Number.parseInt(getString(tokens, 'expires_in') as string, 10)).toBe(7200);
    const query = { access_token: String(tokens.access_token), openid: String(tokens.openid) };
    const user = payload(await rawGet(server.url, addQueryString('/sns/userinfo', query)));
    expect(user).toMatchObject({ openid: tokens.openid, unionid: tokens.unionid, nickname: '张三😀' });
    expect(getString(user, 'unionid')).not.toBe('');
    return user;
  };

  it('ASP.NET Core Weixin: hides its state in the query of redirect_uri, and finds it there again', async () => {
    // Each sign-in has another redirect URI, so only a callback domain can hold them.
    const site = await wechatSite(server.app, server, { redirectUris: [], callbackDomain: 'rp.example' });
    const state = protectedState();
    // Pointed at another authorization endpoint it no longer takes it for WeChat's own.
    const address = addQueryString(`${server.url}/connect/qrconnect`, {
      appid: site.clientId,
      scope: 'snsapi_login,snsapi_userinfo',
      response_type: 'code',
      redirect_uri: addQueryString(CALLBACK, { _oauthstate: state }),
      state: '_oauthstate',
    });
    expect(address).toContain('scope=snsapi_login%2Csnsapi_userinfo');
    const back = await visit(`${address}#wechat_redirect`);
    expect(back.startsWith(`${CALLBACK}?_oauthstate=${state}&code=`)).toBe(true);
    // What its handler makes of that: the hidden state in the place of the other.
    const query = new URL(back).searchParams;
    expect([...query.keys()]).toEqual(['_oauthstate', 'code', 'state']);
    expect([query.getAll('_oauthstate'), query.getAll('state')]).toEqual([[state], ['_oauthstate']]);
    await createTicket(site, query.get('code') as string);
  });

  it('ASP.NET Core Weixin: with PKCE its challenge is enforced', async () => {
    const site = await wechatSite(server.app, server, { redirectUris: [CALLBACK] });
    const verifier = randomBytes(32).toString('base64url');
    const state = protectedState();
    const address = addQueryString(`${server.url}/connect/qrconnect`, {
      appid: site.clientId,
      scope: 'snsapi_login,snsapi_userinfo',
      response_type: 'code',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      redirect_uri: CALLBACK,
      state,
    });
    const query = new URL(await visit(address)).searchParams;
    expect(query.get('state')).toBe(state);
    const code = query.get('code') as string;
    const keys = { appid: site.clientId, secret: site.secret, code, grant_type: 'authorization_code' };
    const refused = await rawGet(server.url, addQueryString('/sns/oauth2/access_token', keys));
    expect(JSON.parse(refused.body.toString())).toHaveProperty('errcode', 40029);
    await createTicket(site, code, { code_verifier: verifier });
  });
});
