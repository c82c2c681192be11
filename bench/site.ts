/** A site of either dialect, as requests: what its visitors' browsers open, and what its own server sends. */
import { createHash, randomBytes } from 'node:crypto';
import type { Services } from '../src/app.js';
import type { LoadRequest } from './load.js';

const REDIRECT = 'https://rp.example/cb';
const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

export interface Site {
  readonly clientId: string;
  /** The page with the QR code. */
  page(): LoadRequest;
  exchange(code: string): LoadRequest;
  userinfo(accessToken: string): LoadRequest;
}

export async function sitesOf({ clients }: Services): Promise<{ oauth: Site; wechat: Site }> {
  const common = { name: 'Bench', redirectUris: [REDIRECT], matchCode: 'off' } as const;
  const oauth = await clients.register('bench', common);
  const wechat = await clients.register('bench', { ...common, dialect: 'wechat' });
  return {
    oauth: oauthSite(oauth.client.id, oauth.secret as string),
    wechat: wechatSite(wechat.client.id, wechat.secret as string),
  };
}

function oauthSite(clientId: string, secret: string): Site {
  const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
  return {
    clientId,
    page: () => ({
      method: 'GET',
      path: `/connect/qrconnect?${new URLSearchParams({
        client_id: clientId,
        redirect_uri: REDIRECT,
        response_type: 'code',
        scope: 'openid profile unionid',
        state: random(),
        nonce: random(),
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
      })}`,
    }),
    exchange: (code) => ({
      method: 'POST',
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        code_verifier: VERIFIER,
      }).toString(),
    }),
    userinfo: (token) => ({
      method: 'GET',
      path: '/oauth/userinfo',
      headers: { authorization: `Bearer ${token}` },
    }),
  };
}

function wechatSite(clientId: string, secret: string): Site {
  const of = (path: string, query: Record<string, string>): LoadRequest => ({
    method: 'GET',
    path: `${path}?${new URLSearchParams(query)}`,
  });
  return {
    clientId,
    page: () =>
      of('/connect/qrconnect', {
        appid: clientId,
        redirect_uri: REDIRECT,
        response_type: 'code',
        scope: 'snsapi_login',
        state: random(),
      }),
    exchange: (code) =>
      of('/sns/oauth2/access_token', { appid: clientId, secret, code, grant_type: 'authorization_code' }),
    userinfo: (token) => of('/sns/userinfo', { access_token: token }),
  };
}

function random(): string {
  return randomBytes(16).toString('base64url');
}
