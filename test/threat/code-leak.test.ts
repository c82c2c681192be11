import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { postToken } from '../support/door.js';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';

describe('the ways a code could leak or a form be sent on', () => {
  let server: TestApp;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  it('T45: nothing that carries or leads to a code may be cached or referred, and no page loads from elsewhere', async () => {
    const site = await oauthSite(server.app, server);
    await forgetScans(server.database);
    const page = await openPage(server, site.request().query);
    const scanPage = await phone.open(page.qr);
    await approve(phone, page);
    const { continue: handle } = (await page.continue()).json<{ continue: string }>();
    const moved = await send(handle);
    expect(moved.status).toBe(303);
    const code = new URL(String(moved.headers.location)).searchParams.get('code') as string;
    const answers = {
      waiting: { ...page, body: page.html },
      scan: scanPage,
      continue: moved,
      'continue again': await send(handle),
      status: await page.status(),
      redeem: await page.redeem(),
      token: await postToken(server, site, { code }),
      login: await send(`${server.url}/oauth/authorize?${new URLSearchParams(site.request().query)}`),
      refused: await send(`${server.url}/connect/qrconnect?client_id=nobody`),
      unknown: await send(`${server.url}/nowhere`),
    };
    for (const [which, { headers, body }] of Object.entries(answers)) {
      expect(headers['referrer-policy'], which).toBe('no-referrer');
      expect(headers['cache-control'], which).toContain('no-store');
      for (const [, url] of body.matchAll(
        /<(?:script|link|img|iframe|source|form)\b[^>]*?(?:src|href|action)="([^"]*)"/g,
      )) {
        if (!url?.startsWith('data:')) expect(new URL(url as string, server.url).origin, which).toBe(server.url);
      }
      expect(body, which).not.toMatch(/@import|url\(\s*['"]?(?:https?:)?\/\//);
    }
  });

  it('T46: no POST is ever answered with a redirect that posts it again', async () => {
    const routes = [
      ...readFileSync(join(projectRoot, 'src/http/server.ts'), 'utf8').matchAll(/at\('post', '([^']+)'/g),
    ].map(([, path]) => (path as string).replace(/:\w+/g, 'x'.repeat(22)));
    expect(routes.length).toBeGreaterThanOrEqual(8);
    const others = ['/sns/oauth2/access_token', '/sns/oauth2/refresh_token', '/sns/auth', '/sns/userinfo'];
    const engine = ['token', 'authorize', 'par', 'userinfo', 'revocation', 'introspection'].map((e) => `/oauth/${e}`);
    const site = await oauthSite(server.app, server);
    for (const path of [...routes, ...others, ...engine, '/', '/connect/qrconnect']) {
      for (const [type, body] of [
        ['application/json', JSON.stringify({ username: 'x', password: 'a long enough one' })],
        ['application/x-www-form-urlencoded', new URLSearchParams(site.request().query).toString()],
      ] as const) {
        const headers = { 'content-type': type, origin: server.url, cookie: phone.cookie };
        const { status } = await send(server.url + path, { method: 'POST', headers, body });
        expect([307, 308], `${path} ${type}`).not.toContain(status);
        expect(status, `${path} ${type}`).toBeLessThan(500);
      }
    }
  });
});
