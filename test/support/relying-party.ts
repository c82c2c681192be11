/** A relying party's backend as an actor, in either dialect: makes requests, exchanges codes, reads profiles. */
import { createHash, randomBytes } from 'node:crypto';
import type { App } from '../../src/app.js';
import type { NewClient } from '../../src/client/registration.js';
import { type RawAnswer, send } from './http.js';

type Where = { url: string; port?: number };

export const REDIRECT_URI = 'http://127.0.0.1:9/callback';

export interface WechatSite {
  readonly clientId: string;
  readonly secret: string;
  /** The page's parameters, with a fresh state. */
  request(more?: Record<string, string>): Record<string, string>;
  exchange(code: string, more?: Record<string, string>, where?: Where): Promise<RawAnswer>;
  refresh(refreshToken: string, more?: Record<string, string>, where?: Where): Promise<RawAnswer>;
  userinfo(accessToken: string, more?: Record<string, string>, where?: Where): Promise<RawAnswer>;
  auth(accessToken: string, openid: string, where?: Where): Promise<RawAnswer>;
}

export async function wechatSite(app: App, where: Where, more: Partial<NewClient> = {}): Promise<WechatSite> {
  const registered = await app.clients.register('test', {
    name: 'Book shop',
    dialect: 'wechat',
    redirectUris: [REDIRECT_URI],
    ...more,
  });
  const clientId = registered.client.id;
  const secret = registered.secret as string;
  const call = (path: string, query: Record<string, string>, at: Where = where) =>
    send(`${at.url}${path}?${new URLSearchParams(query)}`, { port: at.port });
  return {
    clientId,
    secret,
    request: (extra) => ({
      appid: clientId,
      redirect_uri: REDIRECT_URI,
      scope: 'snsapi_login',
      state: random(),
      ...extra,
    }),
    exchange: (code, extra, at) =>
      call(
        '/sns/oauth2/access_token',
        { appid: clientId, secret, code, grant_type: 'authorization_code', ...extra },
        at,
      ),
    refresh: (token, extra, at) =>
      call(
        '/sns/oauth2/refresh_token',
        { appid: clientId, grant_type: 'refresh_token', refresh_token: token, ...extra },
        at,
      ),
    userinfo: (token, extra, at) => call('/sns/userinfo', { access_token: token, ...extra }, at),
    auth: (token, openid, at) => call('/sns/auth', { access_token: token, openid }, at),
  };
}

export interface OauthSite {
  readonly clientId: string;
  readonly secret: string;
  /** The page's parameters, with fresh state, nonce and PKCE challenge; the verifier beside them. */
  request(more?: Record<string, string>): { query: Record<string, string>; verifier: string };
  exchange(code: string, verifier: string, more?: Record<string, string>, where?: Where): Promise<RawAnswer>;
  refresh(refreshToken: string, more?: Record<string, string>, where?: Where): Promise<RawAnswer>;
  userinfo(accessToken: string, where?: Where): Promise<RawAnswer>;
}

export async function oauthSite(app: App, where: Where, more: Partial<NewClient> = {}): Promise<OauthSite> {
  const registered = await app.clients.register('test', { name: 'Tea house', redirectUris: [REDIRECT_URI], ...more });
  const clientId = registered.client.id;
  const secret = registered.secret ?? '';
  const token = (form: Record<string, string>, at: Where = where) =>
    send(`${at.url}/oauth/token`, {
      method: 'POST',
      port: at.port,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
      },
      body: new URLSearchParams(form).toString(),
    });
  return {
    clientId,
    secret,
    request(extra) {
      const verifier = random();
      const query = {
        client_id: clientId,
        redirect_uri: REDIRECT_URI,
        response_type: 'code',
        scope: 'openid profile unionid',
        state: random(),
        nonce: random(),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...extra,
      };
      return { query, verifier };
    },
    exchange: (code, verifier, extra, at) =>
      token(
        { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier, ...extra },
        at,
      ),
    refresh: (refreshToken, extra, at) =>
      token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...extra }, at),
    userinfo: (accessToken, at = where) =>
      send(`${at.url}/oauth/userinfo`, { port: at.port, headers: { authorization: `Bearer ${accessToken}` } }),
  };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
