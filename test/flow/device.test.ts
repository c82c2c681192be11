/** The device authorization grant (RFC 8628), from a device's first request to its tokens, through public addresses. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ageDevice, type Device, deviceOf, openDevice, scanDevice } from '../support/device.js';
import { pageData, send } from '../support/http.js';
import { type Phone, phoneWith } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

let server: TestApp;
let site: OauthSite;
let device: Device;
let anna: Phone & { accountId: string };

beforeAll(async () => {
  server = await startApp();
  site = await oauthSite(server.app, server, {
    name: 'Television',
    deviceFlow: true,
    scope: 'openid profile unionid offline_access',
  });
  device = deviceOf(server, site);
  anna = await person(server.app, server, 'Anna');
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

const claimsOf = (idToken: unknown) =>
  JSON.parse(Buffer.from(String(idToken).split('.')[1] as string, 'base64url').toString());

async function allow(phone: Phone, userCode: string): Promise<void> {
  const scanned = await scanDevice(server, phone, userCode);
  expect(scanned.answer.status, scanned.answer.body).toBe(200);
  const confirmed = await phone.confirm(scanned);
  expect(confirmed.status, confirmed.body).toBe(200);
}

describe('a device', () => {
  it('is told a code to show, and an address to draw as a QR code', async () => {
    const { answer, shown } = await device.ask();
    expect(answer.status).toBe(200);
    expect(shown).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${server.url}/device`,
      verification_uri_complete: `${server.url}/device?user_code=${shown.user_code}`,
      expires_in: 600,
    });
  });

  it('is signed in by the person who allows it on the phone, once', async () => {
    const { shown } = await device.ask({ scope: 'openid profile unionid' });
    const early = await device.poll(shown);
    expect([early.status, early.json().error]).toEqual([400, 'authorization_pending']);

    const scanned = await scanDevice(server, anna, shown.user_code);
    expect(scanned.answer.json()).toMatchObject({
      client: { name: 'Television' },
      request: { scope: 'openid profile unionid' },
      match_code: 'off',
      remember: 'off',
      fresh_sign_in: 'off',
    });
    expect((await device.poll(shown)).json().error).toBe('authorization_pending');
    const confirmed = await anna.confirm(scanned);
    expect(confirmed.json()).toEqual({ status: 'confirmed' });

    const answer = await device.poll(shown);
    expect(answer.status, answer.body).toBe(200);
    const tokens = answer.json();
    expect(tokens).toMatchObject({ token_type: 'Bearer', scope: 'openid profile unionid', expires_in: 900 });
    expect(tokens).not.toHaveProperty('refresh_token');
    const claims = claimsOf(tokens.id_token);
    expect(claims).toMatchObject({ aud: site.clientId, amr: ['pwd', 'qr'] });
    expect(claims.auth_time).toBeTypeOf('number');
    const profile = await site.userinfo(String(tokens.access_token));
    expect(profile.json()).toMatchObject({ sub: claims.sub, nickname: 'Anna' });
  });

  it('knows the person by the same name as the site’s browsers do', async () => {
    const { shown } = await device.ask();
    await allow(anna, shown.user_code);
    const { sub } = claimsOf((await device.poll(shown)).json().id_token);
    const { query, verifier } = site.request();
    const { code } = await login(server, anna, query);
    expect(claimsOf((await site.exchange(code, verifier)).json().id_token).sub).toBe(sub);
    expect(sub).not.toBe(anna.accountId);
  });

  it('stays signed in with offline_access, by refresh tokens that rotate', async () => {
    const { shown } = await device.ask({ scope: 'openid offline_access' });
    await allow(anna, shown.user_code);
    const first = (await device.poll(shown)).json<Record<string, string>>();
    const second = await site.refresh(first.refresh_token as string);
    expect(second.status, second.body).toBe(200);
    expect(second.json().refresh_token).not.toBe(first.refresh_token);
    expect((await site.userinfo(String(second.json().access_token))).status).toBe(200);
  });

  it('gets a token for the API it names, in words of that API on the phone', async () => {
    const identifier = 'https://channels.example';
    const scopes = [{ name: 'watch', description: 'Watch what you have paid for' }, { name: 'pay' }];
    await server.app.resources.register('test', { identifier, name: 'Channels', scopes });
    const viewer = await oauthSite(server.app, server, { deviceFlow: true, scope: 'openid watch' });
    const box = deviceOf(server, viewer);
    const { answer, shown } = await box.ask({ scope: 'openid watch', resource: identifier });
    expect(answer.status, answer.body).toBe(200);
    expect((await openDevice(server, anna, shown.user_code)).body).toContain('Channels: Watch what you have paid for');
    await allow(anna, shown.user_code);
    const tokens = (await box.poll(shown)).json();
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: identifier, scope: 'watch' });
    expect((await box.ask({ scope: 'openid pay', resource: identifier })).answer.json().error).toBe('invalid_scope');
  });

  it('that expects somebody by id_token_hint is given nobody else', async () => {
    const ben = await person(server.app, server, 'Ben');
    const { shown: first } = await device.ask({ scope: 'openid' });
    await allow(anna, first.user_code);
    const hint = String((await device.poll(first)).json().id_token);
    for (const [phone, outcome] of [
      [ben, 'login_required'],
      [anna, undefined],
    ] as const) {
      const { shown } = await device.ask({ scope: 'openid', id_token_hint: hint });
      await allow(phone, shown.user_code);
      expect((await device.poll(shown)).json().error).toBe(outcome);
    }
  });

  it('without a secret and without any address of its own is served as well', async () => {
    const box = await oauthSite(server.app, server, {
      name: 'Box',
      deviceFlow: true,
      authMethod: 'none',
      redirectUris: [],
    });
    const { answer, shown } = await deviceOf(server, box).ask();
    expect(answer.status, answer.body).toBe(200);
    await allow(anna, shown.user_code);
    expect((await deviceOf(server, box).poll(shown)).status).toBe(200);
  });

  it('hears access_denied when the person declines', async () => {
    const { shown } = await device.ask();
    const denied = await anna.deny(await scanDevice(server, anna, shown.user_code));
    expect(denied.json()).toEqual({ status: 'denied' });
    const answer = await device.poll(shown);
    expect([answer.status, answer.json().error]).toEqual([400, 'access_denied']);
    expect((await openDevice(server, anna, shown.user_code)).status).toBe(404);
  });

  it('hears expired_token when nobody came in time, and nobody can allow it any more', async () => {
    const { shown } = await device.ask();
    const scanned = await scanDevice(server, anna, shown.user_code);
    await ageDevice(server.database.sql, shown);
    const late = await anna.confirm(scanned);
    expect([late.status, late.json().error]).toEqual([410, 'gone']);
    const answer = await device.poll(shown);
    expect([answer.status, answer.json().error]).toEqual([400, 'expired_token']);
    expect((await openDevice(server, anna, shown.user_code)).status).toBe(404);
  });

  it('that polls without a pause is told to slow down, and gets its tokens all the same', async () => {
    const { shown } = await device.ask();
    const told = [];
    for (let i = 0; i < 12; i += 1) told.push((await device.poll(shown)).json().error);
    expect(told.slice(0, 10)).toEqual(Array(10).fill('authorization_pending'));
    expect(told.slice(10)).toEqual(['slow_down', 'slow_down']);
    // Another device has its own patience.
    expect((await device.poll((await device.ask()).shown)).json().error).toBe('authorization_pending');
    await allow(anna, shown.user_code);
    expect((await device.poll(shown)).status).toBe(200);
  });

  it('asks for a sign-in as fresh as it says', async () => {
    const { shown } = await device.ask({ scope: 'openid', max_age: '60' });
    await server.database.sql(
      `UPDATE phone_session SET auth_time = now() - interval '2 minutes' WHERE account_id = $1`,
      [anna.accountId],
    );
    const scanned = await scanDevice(server, anna, shown.user_code);
    expect(scanned.answer.json().fresh_sign_in).toBe('required');
    expect((await anna.confirm(scanned)).json().error).toBe('step_up_required');
    expect((await device.poll(shown)).json().error).toBe('authorization_pending');
    const { scanGrant: scan_grant, csrf } = scanned;
    const proved = await anna.post('/phone/prove', { scan_grant, csrf, password: 'a long enough one' });
    expect(proved.status, proved.body).toBe(200);
    expect((await anna.confirm(scanned)).status).toBe(200);
    expect((await device.poll(shown)).status).toBe(200);
  });

  it('that says max_age=0 is answered by somebody who signs in now', async () => {
    const { shown } = await device.ask({ scope: 'openid', max_age: '0' });
    await server.database.sql(
      `UPDATE phone_session SET auth_time = now() - interval '1 minute' WHERE account_id = $1`,
      [anna.accountId],
    );
    const scanned = await scanDevice(server, anna, shown.user_code);
    expect((await anna.confirm(scanned)).json().error).toBe('step_up_required');
  });
});

describe('the device page', () => {
  it('asks for the code, signed in or not', async () => {
    for (const headers of [{}, { cookie: anna.cookie }] as Record<string, string>[]) {
      const page = await send(`${server.url}/device`, { headers });
      expect(page.status).toBe(200);
      expect(page.body).toContain('name="user_code"');
    }
  });

  it.each([
    ['in small letters', (code: string) => code.toLowerCase()],
    ['without its dash', (code: string) => code.replace('-', '')],
    ['with spaces', (code: string) => `  ${code.split('').join(' ')}`],
    ['with another dash', (code: string) => code.replace('-', '–')],
    [
      'in full-width letters',
      (code: string) => [...code].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join(''),
    ],
  ])('takes the code %s', async (_how, type) => {
    const { shown } = await device.ask();
    const page = await openDevice(server, anna, type(shown.user_code));
    expect(page.status).toBe(200);
    expect(pageData<{ userCode: string }>(page.body).userCode).toBe(shown.user_code);
    expect(page.body).toContain(`>${shown.user_code}</p>`);
    expect(page.body).toContain('Does the device show this code?');
    expect(page.body).toContain('Only go on if you started this on a device in front of you.');
  });

  it('shows the sign-in first, at the same address, and names nobody before', async () => {
    const { shown } = await device.ask();
    const page = await send(shown.verification_uri_complete);
    expect(page.status).toBe(200);
    expect(page.body).toContain('action="/phone/sign-in"');
    expect(page.body).not.toContain('Television');
  });

  it('shows what the server saw of the device, in words of its own', async () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64) <b>SmartTV</b> Chrome/120.0 Safari/537.36';
    const { shown } = await device.ask(undefined, { 'user-agent': agent, 'x-forwarded-for': '203.0.113.9' });
    const { body } = await openDevice(server, anna, shown.user_code);
    expect(body).toContain('Chrome on Linux');
    expect(body).toContain('127.0.0.1');
    expect(body).not.toMatch(/SmartTV|203\.0\.113\.9/);
    const [row] = await server.database.sql<{ payload: object }>(
      'SELECT payload FROM engine_record WHERE user_code = $1',
      [shown.user_code.replace('-', '')],
    );
    expect(JSON.stringify(row)).not.toMatch(/SmartTV|203\.0\.113\.9/);
  });

  it('lets the same phone look again, and another one take over', async () => {
    const ben = await person(server.app, server, 'Ben');
    const { shown } = await device.ask();
    const first = await scanDevice(server, anna, shown.user_code);
    const again = await scanDevice(server, anna, shown.user_code);
    expect((await anna.confirm(first)).status).toBe(410);
    const taken = await scanDevice(server, ben, shown.user_code);
    expect((await anna.confirm(again)).status).toBe(410);
    expect((await ben.confirm(taken)).status).toBe(200);
    const { access_token: token } = (await device.poll(shown)).json();
    expect((await site.userinfo(String(token))).json()).toMatchObject({ nickname: 'Ben' });
  });

  it('answers a phone that is signed out like any other of its pages', async () => {
    const { shown } = await device.ask();
    const stranger = phoneWith(server, 'phone=nothing');
    const answer = await stranger.post('/phone/scan', { user_code: shown.user_code, csrf: 'x' });
    expect([answer.status, answer.json().error]).toEqual([401, 'not_signed_in']);
  });
});
