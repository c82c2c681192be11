/** @auth/core 0.41.3 (Auth.js) with its WeChat provider, unmodified. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

interface Account {
  readonly providerAccountId: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly openid: string;
  readonly unionid: string;
}

interface SignIn {
  readonly account: Account;
  readonly profile: Record<string, unknown>;
}

/** What Auth.js logs: the reason lies within. */
type Logged = Error & { cause?: { err?: Error } };

// By a name TypeScript does not follow: the library's types declare a browser's globals for this whole project.
const load = (name: string) => import(name) as Promise<Record<string, unknown>>;
const { Auth } = (await load('@auth/core')) as {
  Auth: (request: Request, config: object) => Promise<Response>;
};
const { default: WeChat } = (await load('@auth/core/providers/wechat')) as { default: (options: object) => object };

/** The provider's own options. Objects, not strings: a string would drop the parameters the provider has beside its URLs. */
const pointAt = (base: string) => ({
  platformType: 'WebsiteApp',
  authorization: { url: `${base}/connect/qrconnect` },
  token: { url: `${base}/sns/oauth2/access_token` },
  userinfo: { url: `${base}/sns/userinfo` },
});

describe('Auth.js', () => {
  let house: LibraryHouse;
  const signIns: SignIn[] = [];
  const errors: Logged[] = [];
  beforeAll(async () => {
    house = await startLibraryHouse('/auth/callback/wechat');
  });
  beforeEach(() => {
    signIns.splice(0);
    errors.splice(0);
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  /** A browser at a site that runs Auth.js: its cookies, and what it is answered. */
  const browser = (more: { clientSecret?: string; checks?: Array<'state' | 'pkce'> } = {}) => {
    const config = {
      secret: 'a secret of the site, long enough',
      trustHost: true,
      basePath: '/auth',
      providers: [
        WeChat({
          ...pointAt(house.base),
          clientId: house.site.clientId,
          clientSecret: house.site.secret,
          ...more,
        }),
      ],
      events: { signIn: (one: SignIn) => void signIns.push(one) },
      logger: { error: (error: Logged) => void errors.push(error), warn() {}, debug() {} },
    };
    const cookies = new Map<string, string>();
    return {
      cookies,
      async ask(address: string, form?: Record<string, string>): Promise<Response> {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const answer = await Auth(
          new Request(address, {
            headers: { cookie },
            ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
          }),
          config,
        );
        for (const line of answer.headers.getSetCookie()) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
          cookies.set(name, value);
        }
        return answer;
      },
      /** To the address that the library sends the browser to. */
      async leave(): Promise<string> {
        const { csrfToken } = (await (await this.ask(`${house.origin}/auth/csrf`)).json()) as { csrfToken: string };
        const answer = await this.ask(`${house.origin}/auth/signin/wechat`, { csrfToken, callbackUrl: house.origin });
        expect(answer.status).toBe(302);
        return String(answer.headers.get('location'));
      },
    };
  };

  it('logs in, with the union id as account id', async () => {
    const visitor = browser();
    const address = await visitor.leave();
    const sent = new URL(address).searchParams;
    expect(sent.get('client_id')).toBe(house.site.clientId);
    const redirectTo = await house.visit(address);
    const { state } = answerOf(redirectTo);
    expect(state.length).toBeGreaterThan(300);
    expect(state).toBe(sent.get('state'));

    const answer = await visitor.ask(redirectTo);
    expect(errors).toEqual([]);
    expect(answer.headers.get('location')).toBe(house.origin);
    const [{ account, profile } = expect.fail('nobody signed in')] = signIns;
    expect(account).toMatchObject({ expires_in: 7200, scope: 'snsapi_login', token_type: 'bearer' });
    expect(account.providerAccountId).toMatch(IDENTIFIER);
    expect(account.providerAccountId).toBe(account.unionid);
    const { openid } = account;
    expect(profile).toMatchObject({ ...PERSON, openid, unionid: account.providerAccountId });
    expect(profile).toEqual((await house.site.userinfo(account.access_token, { openid })).json());
    const session = (await (await visitor.ask(`${house.origin}/auth/session`)).json()) as { user: object };
    expect(session.user).toMatchObject({ name: PERSON.nickname, image: profile.headimgurl });

    // It leaves refreshing to the site.
    const { access_token, refresh_token } = account;
    const again = await house.site.refresh(refresh_token);
    expect(again.json()).toMatchObject({ access_token, refresh_token, openid });
  });

  it('logs in with pkce, which WeChat does not have and we enforce', async () => {
    const visitor = browser({ checks: ['state', 'pkce'] });
    const address = await visitor.leave();
    expect(new URL(address).searchParams.get('code_challenge_method')).toBe('S256');
    await visitor.ask(await house.visit(address));
    expect(errors).toEqual([]);
    expect(signIns).toHaveLength(1);
  });

  it('ends at its error page after a used code and after a wrong secret, and logs the answer as no token', async () => {
    const expectRefusal = (answer: Response) => {
      expect(answer.headers.get('location')).toBe(`${house.origin}/auth/error?error=Configuration`);
      const [error] = errors.splice(0);
      expect(error?.name).toBe('CallbackRouteError');
      const problem = error?.cause?.err;
      expect(problem?.message).toBe('"response" body "access_token" property must be a string');
      return problem?.cause;
    };
    const stranger = browser({ clientSecret: '0'.repeat(32) });
    const wrong = await stranger.ask(await house.visit(await stranger.leave()));
    expect(expectRefusal(wrong)).toMatchObject({ body: { errcode: 40125 } });

    const visitor = browser();
    const redirectTo = await house.visit(await visitor.leave());
    const before = new Map(visitor.cookies);
    await visitor.ask(redirectTo);
    expect(errors).toEqual([]);
    for (const [name, value] of before) visitor.cookies.set(name, value);
    expect(expectRefusal(await visitor.ask(redirectTo))).toMatchObject({ body: { errcode: 40163 } });
    expect(signIns).toHaveLength(1);
  });
});
