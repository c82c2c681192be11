/** grant 5.4.24, unmodified: its node:http handler in a web server of the site's own. */
import library, { type GrantProvider, type GrantResponse } from 'grant';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

const { default: grant } = library;

/** Three options; WeChat's authorize_url would otherwise be the one of its in-app flow. */
const pointAt = (base: string): GrantProvider => ({
  authorize_url: `${base}/connect/qrconnect`,
  access_url: `${base}/sns/oauth2/access_token`,
  profile_url: `${base}/sns/userinfo`,
});

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly openid: string;
  readonly unionid: string;
}

describe('grant', () => {
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/connect/wechat/callback');
    const handle = grant.node({
      config: {
        defaults: { origin: house.origin, transport: 'state', state: true, response: ['tokens', 'raw', 'profile'] },
        wechat: {
          ...pointAt(house.base),
          key: house.site.clientId,
          secret: house.site.secret,
          scope: ['snsapi_login'],
          overrides: { pkce: { pkce: true }, stranger: { secret: '0'.repeat(32) } },
        },
      },
      session: { secret: 'a secret of the site' },
    });
    await house.serve(async (request, response) => {
      const { response: result, redirect } = await handle(request, response);
      if (!redirect) response.end(JSON.stringify(result ?? null));
    });
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  /** From the site's own address to the one the browser comes back to, with the cookie it holds by then. */
  const comeBack = async (path = '/connect/wechat') => {
    const sent = await send(house.origin + path);
    expect(sent.status).toBe(302);
    const address = String(sent.headers.location);
    const redirectTo = await house.visit(address);
    const { state } = answerOf(redirectTo);
    expect(state).toMatch(/^[0-9a-f]{40}$/);
    expect(state).toBe(new URL(address).searchParams.get('state'));
    const cookie = String(sent.headers['set-cookie']).split(';')[0] as string;
    return { address, finish: async () => (await send(redirectTo, { headers: { cookie } })).json<GrantResponse>() };
  };

  it('logs in and reads the profile', async () => {
    const { finish } = await comeBack();
    const { raw, profile, access_token, refresh_token } = await finish();
    const { openid, unionid } = raw as Tokens;
    expect(raw).toMatchObject({ access_token, refresh_token, expires_in: 7200, scope: 'snsapi_login' });
    expect([openid, unionid]).toEqual([expect.stringMatching(IDENTIFIER), expect.stringMatching(IDENTIFIER)]);
    expect(profile).toMatchObject({ ...PERSON, openid, unionid });
    expect(profile).toEqual((await house.site.userinfo(String(access_token), { openid })).json());

    // It cannot refresh; what it was given can be.
    const again = await house.site.refresh(String(refresh_token));
    expect(again.json()).toMatchObject({ access_token, refresh_token, openid });
  });

  it('logs in with pkce, which WeChat does not have and we enforce', async () => {
    const { address, finish } = await comeBack('/connect/wechat/pkce');
    expect(new URL(address).searchParams.get('code_challenge_method')).toBe('S256');
    expect((await finish()).profile).toMatchObject(PERSON);
  });

  it('takes a used code and a wrong secret for a success without tokens: the site has to look into raw', async () => {
    const body = (errcode: number, errmsg: RegExp) => ({ errcode, errmsg: expect.stringMatching(errmsg) });
    const noProfile = body(41001, /^access_token missing, /);
    const wrong = await comeBack('/connect/wechat/stranger');
    expect(await wrong.finish()).toEqual({ raw: body(40125, /^invalid appsecret, /), profile: noProfile });
    const { finish } = await comeBack();
    expect(await finish()).toHaveProperty('access_token');
    expect(await finish()).toEqual({ raw: body(40163, /^code been used, /), profile: noProfile });
  });
});
