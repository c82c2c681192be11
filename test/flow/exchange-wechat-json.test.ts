import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Phone } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

const JSON_TYPE = 'application/json; charset=utf-8';

describe('a WeChat client registered for JSON answers (wire format 4.1)', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone;
  beforeAll(async () => {
    server = await startApp();
    site = await wechatSite(server.app, server, { jsonAnswers: true });
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  it('gets them at all four addresses, with the same bodies', async () => {
    const exchanged = await site.exchange((await login(server, phone, site.request())).code);
    const { access_token, refresh_token, openid } = exchanged.json<Record<string, string>>() as Record<
      'access_token' | 'refresh_token' | 'openid',
      string
    >;
    const answers = [
      exchanged,
      await site.refresh(refresh_token),
      await site.userinfo(access_token),
      await site.auth(access_token, openid),
    ];
    expect(answers.map(({ headers }) => headers['content-type'])).toEqual(answers.map(() => JSON_TYPE));
    expect(answers[2]?.json()).toMatchObject({ nickname: '张三😀' });
  });

  it('gets errors so too, once it is known who asks', async () => {
    const wrong = await site.exchange('no code');
    expect([wrong.status, wrong.headers['content-type'], wrong.json().errcode]).toEqual([200, JSON_TYPE, 40029]);
    const { code } = await login(server, phone, site.request());
    const { access_token } = (await site.exchange(code)).json<{ access_token: string }>();
    const other = await site.userinfo(access_token, { openid: `o${'A'.repeat(27)}` });
    expect([other.headers['content-type'], other.json().errcode]).toEqual([JSON_TYPE, 40003]);
    const unknown = await site.exchange(code, { appid: 'wx0123456789abcdef' });
    expect([unknown.headers['content-type'], unknown.json().errcode]).toEqual(['text/plain', 40013]);
  });
});
