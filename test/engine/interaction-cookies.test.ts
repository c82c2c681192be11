import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type OauthSite, oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, person } from '../support/story.js';

describe('the cookies of the standard door', () => {
  let server: TestApp;
  let site: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());

  const begin = async () => {
    const answer = await send(`${server.url}/oauth/authorize?${new URLSearchParams(site.request().query)}`);
    const set = [answer.headers['set-cookie'] ?? []].flat();
    return {
      set,
      location: server.url + String(answer.headers.location),
      jar: set.map((line) => line.split(';')[0]).join('; '),
    };
  };
  const show = async (url: string, cookie?: string) => send(url, { headers: cookie ? { cookie } : {} });

  it('are HttpOnly, SameSite=Lax, Secure, signed, and bound to no domain', async () => {
    const { set } = await begin();
    const names = set.map((line) => line.split('=')[0]);
    expect(names).toContain('engine-interaction');
    for (const name of names.filter((n) => !n?.endsWith('.sig'))) expect(names).toContain(`${name}.sig`);
    for (const line of set) {
      expect(line).toMatch(/; ?httponly/i);
      expect(line).toMatch(/; ?samesite=lax/i);
      expect(line).toMatch(/; ?secure/i);
      expect(line).not.toMatch(/domain=/i);
    }
  });

  it('open the login page to the browser that asked, and to no other', async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const shown = await show(mine.location, mine.jar);
    expect(shown.status).toBe(200);
    expect(shown.headers['x-frame-options']).toBe('DENY');
    expect(shown.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const forged = mine.jar.replace(/\.sig=(.)/g, (_, first) => `.sig=${first === 'A' ? 'B' : 'A'}`);
    for (const jar of [undefined, theirs.jar, 'engine-interaction=x', forged]) {
      const refused = await show(mine.location, jar);
      expect(refused.status).toBe(410);
      expect(refused.body).not.toContain('waitSecret');
    }
    const unsigned = mine.jar.split('; ').filter((pair) => !pair.includes('.sig='));
    expect((await show(mine.location, unsigned.join('; '))).status).toBe(410);
  });

  it('open nothing once the request is over', async () => {
    const { location, jar } = await begin();
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'Interaction'");
    expect((await show(location, jar)).status).toBe(410);
  });

  it('are neither set nor read by the embed door, from the first page to the code', async () => {
    const phone = await person(server.app, server);
    const { jar } = await begin();
    const page = await openPage(server, site.request().query, { cookie: jar });
    expect(page.headers['set-cookie']).toBeUndefined();
    await approve(phone, page);
    for (const answer of [await page.status(), await page.redeem(), await page.redeem()]) {
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const silent = site.request({ prompt: 'none' }).query;
    const after = await send(`${server.url}/oauth/authorize?${new URLSearchParams(silent)}`, {
      headers: { cookie: jar },
    });
    expect(URL.parse(String(after.headers.location))?.searchParams.get('error')).toBe('login_required');
  });

  it('show nothing to a client of the WeChat dialect', async () => {
    const shop = await wechatSite(server.app, server);
    const { appid, ...query } = shop.request();
    const asked = new URLSearchParams({ ...query, client_id: String(appid), response_type: 'code' });
    const answer = await send(`${server.url}/oauth/authorize?${asked}`);
    const cookie = [answer.headers['set-cookie'] ?? []]
      .flat()
      .map((line) => line.split(';')[0])
      .join('; ');
    const location = String(answer.headers.location ?? '/nowhere');
    const shown = await show(server.url + location, cookie);
    expect(shown.status).toBeGreaterThanOrEqual(400);
    expect(shown.body).not.toContain('waitSecret');
  });
});
