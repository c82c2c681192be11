import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

/** Each differs from the registered http://127.0.0.1:9/callback in one thing. */
const UNKNOWN = [
  'https://evil.example/callback',
  'http://127.0.0.1:9/callback/',
  'http://127.0.0.1:9/callback?x=1',
  'http://127.0.0.1:9/callback#x',
  'http://127.0.0.1:9/Callback',
  'http://127.0.0.1:9/callback/../callback',
  'http://127.0.0.1:9/%63allback',
  'http://127.0.0.1:10/callback',
  'http://127.0.0.1/callback',
  'https://127.0.0.1:9/callback',
  'http://localhost:9/callback',
  'http://127.0.0.1:9@evil.example/callback',
  'http://user@127.0.0.1:9/callback',
  '//127.0.0.1:9/callback',
  ' http://127.0.0.1:9/callback',
  'http://127.0.0.1:9/callback\\',
  'javascript:alert(1)',
  'urn:ietf:wg:oauth:2.0:oob',
  '',
];

describe('a redirect URI nobody registered', () => {
  let server: TestApp;
  let site: OauthSite;
  let shop: WechatSite;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    shop = await wechatSite(server.app, server);
  });
  afterAll(() => server?.stop());

  const ask = (path: string, query: Record<string, string>) =>
    send(`${server.url}${path}?${new URLSearchParams(query)}`);

  it.each(UNKNOWN)('is refused at both doors with our own page and no redirect: %j', async (uri) => {
    for (const path of ['/connect/qrconnect', '/oauth/authorize']) {
      const answer = await ask(path, site.request({ redirect_uri: uri }).query);
      expect(answer.status, path).toBe(400);
      expect(answer.headers.location, path).toBeUndefined();
      expect(answer.headers['content-type'], path).toContain('text/html');
      expect(answer.body, path).not.toContain('waitSecret');
      expect(answer.body, path).toContain(uri === '' ? 'invalid_request' : 'invalid_redirect_uri');
    }
    const wechat = await ask('/connect/qrconnect', shop.request({ redirect_uri: uri }));
    expect(wechat.headers.location).toBeUndefined();
    expect(wechat.body).not.toContain('waitSecret');
  });

  it('is refused in an error answer too: no wrong parameter makes the engine redirect there', async () => {
    const wrongs: Record<string, string>[] = [
      { scope: 'a"b' },
      { response_type: 'token' },
      { prompt: 'none' },
      { response_mode: 'fragment' },
    ];
    for (const wrong of wrongs) {
      const query = site.request({ redirect_uri: 'https://evil.example/', ...wrong }).query;
      const answer = await ask('/oauth/authorize', query);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.status).toBe(400);
    }
  });

  it('is not needed to learn that a client is unknown, and changes nothing about it', async () => {
    for (const path of ['/connect/qrconnect', '/oauth/authorize']) {
      const answer = await ask(path, site.request({ client_id: 'qc0000000000000000' }).query);
      expect(answer.status).toBe(400);
      expect(answer.headers.location).toBeUndefined();
    }
  });

  it('is exactly the registered one where both doors open', async () => {
    expect((await ask('/connect/qrconnect', site.request().query)).body).toContain('waitSecret');
    expect((await ask('/oauth/authorize', site.request().query)).headers.location).toMatch(/^\/interaction\//);
    expect((await ask('/connect/qrconnect', shop.request({ redirect_uri: REDIRECT_URI }))).body).toContain(
      'waitSecret',
    );
  });

  it('may differ in its port for a native app on loopback alone (RFC 8252 7.3)', async () => {
    const native = await oauthSite(server.app, server, {
      applicationType: 'native',
      authMethod: 'none',
      redirectUris: ['http://127.0.0.1/callback'],
    });
    const at = (uri: string, path: string) => ask(path, native.request({ redirect_uri: uri }).query);
    for (const path of ['/connect/qrconnect', '/oauth/authorize']) {
      expect((await at('http://127.0.0.1:51004/callback', path)).status).toBeLessThan(400);
      for (const wrong of [
        'http://localhost:51004/callback',
        'http://127.0.0.1:51004/other',
        'http://127.0.0.1:1@e.example/callback',
      ]) {
        expect((await at(wrong, path)).status, wrong).toBe(400);
      }
    }
  });
});
