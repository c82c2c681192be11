import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

const EVIL = 'evil.example';

describe('whom the server believes about its own name', () => {
  let server: TestApp;
  let site: OauthSite;
  let host: string;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    host = new URL(server.url).host;
  });
  afterAll(() => server?.stop());

  /** Bytes as they are, and the whole answer as it comes. */
  const raw = (lines: string[]) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const socket = connect(server.config.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => (text += chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), text }));
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });

  const targets = () => [
    '/',
    '/.well-known/openid-configuration',
    `/connect/qrconnect?${new URLSearchParams(site.request().query)}`,
    `/oauth/authorize?${new URLSearchParams(site.request().query)}`,
    '/js/wxLogin.js',
    '/s/aaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '/admin/setup',
    '/sns/userinfo',
    '/nowhere',
  ];

  const WRONG_HOSTS: Array<[string, (target: string) => string[]]> = [
    ['another host', (t) => [`GET ${t} HTTP/1.1`, `Host: ${EVIL}`]],
    ['another host with our port', (t) => [`GET ${t} HTTP/1.1`, `Host: ${EVIL}:${server.config.port}`]],
    ['a user name before our host', (t) => [`GET ${t} HTTP/1.1`, `Host: ${EVIL}@${host}`]],
    ['our host as a user name', (t) => [`GET ${t} HTTP/1.1`, `Host: ${host}@${EVIL}`]],
    ['another port', (t) => [`GET ${t} HTTP/1.1`, 'Host: localhost:1']],
    ['no port', (t) => [`GET ${t} HTTP/1.1`, 'Host: localhost']],
    ['our host as the end of another', (t) => [`GET ${t} HTTP/1.1`, `Host: evil-${host}`]],
    ['a trailing dot', (t) => [`GET ${t} HTTP/1.1`, `Host: localhost.:${server.config.port}`]],
    ['a path in the host', (t) => [`GET ${t} HTTP/1.1`, `Host: ${host}/${EVIL}`]],
    ['two hosts in one line', (t) => [`GET ${t} HTTP/1.1`, `Host: ${host}, ${EVIL}`]],
    ['two Host lines, ours first', (t) => [`GET ${t} HTTP/1.1`, `Host: ${host}`, `Host: ${EVIL}`]],
    ['two Host lines, ours last', (t) => [`GET ${t} HTTP/1.1`, `Host: ${EVIL}`, `Host: ${host}`]],
    ['two Host lines, both ours', (t) => [`GET ${t} HTTP/1.1`, `Host: ${host}`, `Host: ${host}`]],
    ['an empty Host', (t) => [`GET ${t} HTTP/1.1`, 'Host:']],
    ['no Host', (t) => [`GET ${t} HTTP/1.1`]],
    ['no Host in HTTP/1.0', (t) => [`GET ${t} HTTP/1.0`]],
    ['an absolute-form line for another host', (t) => [`GET http://${EVIL}${t} HTTP/1.1`, `Host: ${host}`]],
    ['an absolute-form line for ours', (t) => [`GET http://${host}${t} HTTP/1.1`, `Host: ${EVIL}`]],
    ['a line that begins with two slashes', (t) => [`GET //${EVIL}${t} HTTP/1.1`, `Host: ${EVIL}`]],
    ['a folded Host', (t) => [`GET ${t} HTTP/1.1`, 'Host:', ` ${EVIL}`]],
  ];

  it.each(WRONG_HOSTS)('T89: refuses %s at every door, and says nothing of it', async (_name, request) => {
    for (const target of targets()) {
      const { status, text } = await raw([...request(target), 'Connection: close']);
      expect([400, 421], target).toContain(status);
      expect(text, target).not.toContain(EVIL);
      expect(text, target).not.toMatch(/set-cookie|waitSecret|^location:/im);
    }
  });

  it('T89: refuses an absolute-form line even with both names right: no proxy of ours sends one', async () => {
    const { status } = await raw([`GET http://${host}/ HTTP/1.1`, `Host: ${host}`, 'Connection: close']);
    expect(status).toBe(421);
  });

  it('T89: answers health checks under any name, and nothing else', async () => {
    const { status, text } = await raw(['GET /health/live HTTP/1.1', `Host: ${EVIL}`, 'Connection: close']);
    expect(status).toBe(200);
    expect(text).not.toContain(EVIL);
    expect((await raw(['GET /health/../ HTTP/1.1', `Host: ${EVIL}`, 'Connection: close'])).status).not.toBe(200);
  });

  const FORWARDED: Array<[string, Record<string, string>]> = [
    ['X-Forwarded-Host', { 'x-forwarded-host': EVIL }],
    [
      'X-Forwarded-Host and -Proto',
      { 'x-forwarded-host': EVIL, 'x-forwarded-proto': 'https', 'x-forwarded-port': '1' },
    ],
    ['Forwarded', { forwarded: `for=1.2.3.4;host=${EVIL};proto=https` }],
    ['X-Original-Host and X-Host', { 'x-original-host': EVIL, 'x-host': EVIL, 'x-forwarded-server': EVIL }],
    ['X-Original-URL', { 'x-original-url': `http://${EVIL}/`, 'x-rewrite-url': `http://${EVIL}/` }],
    ['Origin and Referer', { origin: `https://${EVIL}`, referer: `https://${EVIL}/` }],
  ];

  it.each(FORWARDED)('T89: %s changes no address, issuer, cookie or QR code', async (_name, headers) => {
    const at = (path: string) => send(server.url + path, { headers });
    const metadata = '/.well-known/openid-configuration';
    expect((await at(metadata)).json()).toEqual((await send(server.url + metadata)).json());
    const page = await openPage(server, site.request().query, headers);
    expect(page.qr).toMatch(new RegExp(`^${server.url}/s/[\\w-]{27}$`));
    expect(page.html).not.toContain(EVIL);
    const begun = await at(`/oauth/authorize?${new URLSearchParams(site.request().query)}`);
    expect(String(begun.headers.location)).toMatch(/^\/interaction\/[\w-]+$/);
    for (const cookie of [begun.headers['set-cookie'] ?? []].flat()) {
      expect(cookie).not.toContain(EVIL);
      expect(cookie).not.toMatch(/domain=/i);
    }
    const silent = await at(`/oauth/authorize?${new URLSearchParams(site.request({ prompt: 'none' }).query)}`);
    expect(new URL(String(silent.headers.location)).searchParams.get('iss')).toBe(server.url);
    for (const target of ['/', '/nowhere', '/admin/setup', '/js/wxLogin.js']) {
      expect((await at(target)).body, target).not.toContain(EVIL);
    }
  });

  it('T89: the issuer of a code and of an ID token is the configured one, whatever the exchange claims', async () => {
    const phone = await person(server.app, server);
    const { query, verifier } = site.request();
    const { code, redirectTo } = await login(server, phone, query);
    expect(new URL(redirectTo).searchParams.get('iss')).toBe(server.url);
    const answer = await send(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
        'x-forwarded-host': EVIL,
        'x-forwarded-proto': 'https',
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: String(query.redirect_uri),
      }).toString(),
    });
    const [, payload] = answer.json<{ id_token: string }>().id_token.split('.');
    expect(JSON.parse(Buffer.from(payload as string, 'base64url').toString()).iss).toBe(server.url);
  });
});
