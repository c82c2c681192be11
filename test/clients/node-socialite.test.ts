/** node-socialite 1.5.3, unmodified. */
import { SocialiteManager, type User } from 'node-socialite';
import { WeChat } from 'node-socialite/dist/Providers/WeChat.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

/** The library has no option for its hosts, but takes a class as `provider`: WeChat's with two members of its own. */
function providerAt(base: string) {
  return class extends WeChat {
    protected override _baseUrl = `${base}/sns`;
    override getAuthUrl() {
      return this.buildAuthUrlFromBase(`${base}/connect/qrconnect`);
    }
  };
}

describe('node-socialite', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse();
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  const wechat = (secret = house.site.secret) =>
    new SocialiteManager({
      wechat: {
        provider: providerAt(house.base),
        client_id: house.site.clientId,
        client_secret: secret,
        redirect: house.callback,
      },
    }).create('wechat') as WeChat;

  it('logs in and reads the profile', async () => {
    const state = 'a state with=every & kind+of%20sign';
    const address = wechat().withState(state).redirect();
    expect(new URL(address).searchParams.get('connect_redirect')).toBe('1');
    expect(address).toMatch(/#wechat_redirect$/);
    const answer = answerOf(await house.visit(address));
    expect(answer.state).toBe(state);

    const user: User = await wechat().userFromCode(answer.code);
    expect(user).toMatchObject({ id: expect.stringMatching(IDENTIFIER), nickname: PERSON.nickname, expires_in: 7200 });
    const { openid, unionid, headimgurl } = user.getRaw();
    expect(user.getRaw()).toMatchObject({ ...PERSON, openid: user.getId() });
    expect(unionid).toMatch(IDENTIFIER);
    expect(user.getAvatar()).toBe(headimgurl);
    expect(user.getRaw()).toEqual((await house.site.userinfo(user.getAccessToken(), { openid })).json());

    // It cannot refresh; what it was given can.
    const again = await house.site.refresh(user.refresh_token);
    expect(again.json()).toMatchObject({ access_token: user.getAccessToken(), refresh_token: user.refresh_token });
  });

  it('works without a state, which then comes back empty', async () => {
    const redirectTo = await house.visit(wechat().redirect());
    expect(redirectTo).toMatch(/&state=$/);
    const tokens = await wechat().tokenFromCode(answerOf(redirectTo).code);
    expect(tokens).toMatchObject({ openid: expect.stringMatching(IDENTIFIER), scope: 'snsapi_login' });
  });

  it('throws what the server answered to a used code and to a wrong secret', async () => {
    const { code } = answerOf(await house.visit(wechat().redirect()));
    await expect(wechat('0'.repeat(32)).userFromCode(code)).rejects.toThrow(
      /^Authorize Failed: \{"errcode":40125,"errmsg":"invalid appsecret, rid: /,
    );
    await wechat().userFromCode(code);
    await expect(wechat().userFromCode(code)).rejects.toThrow(
      /^Authorize Failed: \{"errcode":40163,"errmsg":"code been used, rid: /,
    );
  });
});
