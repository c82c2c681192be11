/** T39: no address in a request decides where a browser goes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { allRoutes } from '../support/routes.js';
import { startApp, type TestApp } from '../support/start-app.js';

const REGISTERED = 'https://shop.example/cb/in';

describe('where a browser is sent', () => {
  let server: TestApp;
  let shop: WechatSite;
  let house: OauthSite;

  beforeAll(async () => {
    server = await startApp();
    shop = await wechatSite(server.app, server, { redirectUris: [REGISTERED] });
    house = await oauthSite(server.app, server, { redirectUris: [REGISTERED] });
  });
  afterAll(() => server?.stop());

  const at = (path: string, query: Record<string, string>) =>
    send(`${server.url}${path}?${new URLSearchParams(query)}`);

  it('T39 sends nobody to an address from the query, at any route', async () => {
    const names = [
      'next',
      'return_to',
      'redirect',
      'url',
      'continue',
      'returnUrl',
      'post_logout_redirect_uri',
      'RelayState',
      'redirect_uri',
      'target',
    ];
    const values = [
      '//evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      'https:evil.example',
      'https://evil.example',
      '/\tevil.example',
      '/\r\nLocation: https://evil.example',
      '///evil.example',
      '%2f%2fevil.example',
      'javascript:alert(1)',
    ];
    const routes = [
      ...allRoutes(),
      '/oauth/logout',
      '/oauth/session/end',
      '/login',
      '/logout',
      '//evil.example',
      '/\\evil.example',
      '/%09/evil.example',
      '/%5cevil.example',
      '/%2f%2fevil.example',
    ];
    for (const path of routes) {
      for (const value of values) {
        const query = names.map((name) => `${name}=${encodeURIComponent(value)}`).join('&');
        for (const method of ['GET', 'POST']) {
          const form = method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
          const headers = { origin: server.url, referer: 'https://evil.example/', ...form } as Record<string, string>;
          const answer = await send(server.url, {
            path: `${path}?${query}`,
            method,
            headers,
            body: method === 'POST' ? query : undefined,
          });
          const { location, refresh } = answer.headers;
          expect([path, value, location, refresh], method).toEqual([path, value, undefined, undefined]);
          expect(answer.body, path).not.toMatch(/http-equiv="?refresh/i);
        }
      }
    }
  });

  it('T39 shows its own page when a site asks for what it may not have', async () => {
    const asks: Array<[string, string]> = [
      ['scope', 'profile'],
      ['code_challenge', 'short'],
      ['request_uri', 'https://evil.example/r'],
    ];
    for (const [name, value] of asks) {
      const answer = await at('/connect/qrconnect', house.request({ redirect_uri: REGISTERED, [name]: value }).query);
      expect([answer.status, answer.headers.location]).toEqual([400, undefined]);
    }
    const odd = await at('/connect/qrconnect', shop.request({ redirect_uri: REGISTERED, scope: 'snsapi_admin' }));
    expect([odd.status, odd.headers.location]).toEqual([200, undefined]);
    expect(odd.body).toContain('content="wechat_scope"');
  });
});
