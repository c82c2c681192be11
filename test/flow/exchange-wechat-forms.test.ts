import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import { REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the ways client libraries call the WeChat API (wire format 4.1)', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const newCode = async () => {
    await forgetScans(server.database);
    return (await login(server, phone, site.request())).code;
  };
  const post = (path: string, body: Record<string, string>, headers: Record<string, string> = FORM) =>
    send(`${server.url}/sns/${path}`, { method: 'POST', headers, body: new URLSearchParams(body).toString() });

  it('takes everything as a posted form (python-social-auth, django-allauth)', async () => {
    const { clientId: appid, secret } = site;
    const code = await newCode();
    const answer = await post('oauth2/access_token', { appid, secret, code, grant_type: 'authorization_code' });
    expect(answer.headers['content-type']).toBe('text/plain');
    const tokens = answer.json<{ access_token: string; refresh_token: string; openid: string }>();
    const { access_token, refresh_token, openid } = tokens;
    const profile = (await post('userinfo', { access_token, openid, lang: 'zh_CN' })).json();
    expect(profile).toMatchObject({ openid, nickname: '张三😀' });
    expect((await post('auth', { access_token, openid })).json()).toEqual({ errcode: 0, errmsg: 'ok' });
    const again = await post('oauth2/refresh_token', { appid, refresh_token, grant_type: 'refresh_token' });
    expect(again.json()).toMatchObject({ access_token, refresh_token });
  });

  it('takes appid and secret in the query, the rest in the body, and a Basic header on top (Auth.js)', async () => {
    const { clientId, secret } = site;
    const answer = await send(
      `${server.url}/sns/oauth2/access_token?${new URLSearchParams({ appid: clientId, secret })}`,
      {
        method: 'POST',
        headers: { ...FORM, authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: await newCode(),
          redirect_uri: REDIRECT_URI,
        }).toString(),
      },
    );
    expect(answer.json()).toHaveProperty('openid');
  });

  it('takes a form with its charset named, and one sent in chunks', async () => {
    const { clientId: appid, secret } = site;
    const body = new URLSearchParams({ appid, secret, code: await newCode(), grant_type: 'authorization_code' });
    const named = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    const answer = await send(`${server.url}/sns/oauth2/access_token`, {
      method: 'POST',
      headers: { ...named, 'transfer-encoding': 'chunked', 'content-length': [] },
      body: body.toString(),
    });
    expect(answer.json()).toHaveProperty('openid');
  });

  it('refuses a name whose value differs between query and body (T93)', async () => {
    const { clientId: appid, secret } = site;
    const code = await newCode();
    const body = { appid, secret, code, grant_type: 'authorization_code' };
    const mixed = await post(`oauth2/access_token?${new URLSearchParams({ code: 'another' })}`, body);
    expect(mixed.json()).toMatchObject({ errcode: 40035 });
    const agreed = await post(`oauth2/access_token?${new URLSearchParams({ code })}`, body);
    expect(agreed.json()).toHaveProperty('openid');
  });

  it('ignores what it does not know, at every address', async () => {
    const stray = { client_id: 'x', redirect_uri: 'https://e.example/', state: 's', lang: 'cn', access_token: 'stray' };
    const tokens = (await site.exchange(await newCode(), stray)).json<{ access_token: string; openid: string }>();
    expect(tokens).toHaveProperty('openid');
    const { access_token: token, openid } = tokens;
    for (const lang of ['zh_CN', 'zh_TW', 'en', 'cn', 'tlh', '']) {
      const profile = await site.userinfo(token, { openid, lang, appid: 'x', secret: 'y' });
      expect(profile.json()).toMatchObject({ openid, nickname: '张三😀' });
    }
  });

  it.each([
    ['none', ''],
    ["Casdoor's, an invalid percent escape", '&openid=%!s(<nil>)'],
    ['an empty one', '&openid='],
    ['one of another shape', '&openid=123'],
    ['one with a stray percent sign', '&openid=%'],
  ])('finds the person by the token alone when the openid is %s', async (_name, query) => {
    const tokens = (await site.exchange(await newCode())).json<{ access_token: string; openid: string }>();
    const answer = await send(server.url, { path: `/sns/userinfo?access_token=${tokens.access_token}${query}` });
    expect(answer.json()).toMatchObject({ openid: tokens.openid });
  });

  it.each([
    ['JSON', 'application/json', '{"appid":"x"}'],
    ['a multipart form', 'multipart/form-data; boundary=b', '--b--'],
    ['nothing named', '', 'appid=x'],
  ])('does not look into a body of %s', async (_name, type, body) => {
    const answer = await send(`${server.url}/sns/oauth2/access_token`, {
      method: 'POST',
      headers: type ? { 'content-type': type } : {},
      body,
    });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ errcode: 41002 });
    const { clientId: appid, secret } = site;
    const query = new URLSearchParams({ appid, secret, code: await newCode(), grant_type: 'authorization_code' });
    const inQuery = await send(`${server.url}/sns/oauth2/access_token?${query}`, {
      method: 'POST',
      headers: type ? { 'content-type': type } : {},
      body,
    });
    expect(inQuery.json()).toHaveProperty('openid');
  });

  it('spends no code on a HEAD, whose answer nobody reads', async () => {
    const { clientId: appid, secret } = site;
    const code = await newCode();
    const query = new URLSearchParams({ appid, secret, code, grant_type: 'authorization_code' });
    const head = await send(`${server.url}/sns/oauth2/access_token?${query}`, { method: 'HEAD' });
    expect(head.status).toBe(405);
    expect((await site.exchange(code)).json()).toHaveProperty('openid');
  });

  it('T56 counts no secret that a page made its visitor send: the site behind the same address goes on', async () => {
    const query = new URLSearchParams({
      appid: site.clientId,
      secret: 'x',
      code: 'c',
      grant_type: 'authorization_code',
    });
    for (const from of ['cross-site', 'same-site', 'same-origin']) {
      for (let i = 0; i < 8; i += 1) {
        const headers = { 'sec-fetch-site': from, 'sec-fetch-dest': 'image' };
        const answer = await send(`${server.url}/sns/oauth2/access_token?${query}`, { headers });
        expect(answer.json()).toMatchObject({ errcode: 48001 });
      }
    }
    // What a developer types into the address bar is answered.
    const typed = { 'sec-fetch-site': 'none' };
    const answer = await send(`${server.url}/sns/oauth2/access_token?${query}`, { headers: typed });
    expect(answer.json()).toMatchObject({ errcode: 40125 });
    expect((await site.exchange(await newCode())).json()).toHaveProperty('openid');
  });

  it('never puts errcode or errmsg into a successful answer', async () => {
    const answer = await site.exchange(await newCode());
    expect(answer.body).not.toMatch(/errcode|errmsg|null/);
    const profile = await site.userinfo(answer.json<{ access_token: string }>().access_token);
    expect(profile.body).not.toMatch(/errcode|errmsg|null/);
  });
});
