/** passport-wechat 2.0.4 with the passport it brings, unmodified, in a web server of node:http. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { answerOf, IDENTIFIER, type LibraryHouse, PERSON, startLibraryHouse } from '../support/library-house.js';

/** What the strategy reads, as express lays it out. */
type Request = IncomingMessage & {
  query?: Record<string, string>;
  protocol?: string;
  get?: (header: string) => string | undefined;
  user?: unknown;
};
type Middleware = (req: Request, res: ServerResponse, next: (error?: unknown) => void) => void;

interface Oauth {
  request(url: string, options: object, callback: unknown): void;
  getAuthorizeURLForWebsite(...args: unknown[]): string;
}

interface Strategy {
  readonly name: string;
  readonly _oauth: Oauth;
}

type Done = (error: null, user: object) => void;
type Verify = (accessToken: string, refreshToken: string, profile: object, expiresIn: number, done: Done) => void;

interface Passport {
  use(name: string, strategy: Strategy): void;
  initialize(): Middleware;
  authenticate(name: string, options: object): Middleware;
}

const require = createRequire(import.meta.url);
const WechatStrategy = require('passport-wechat') as new (options: object, verify: Verify) => Strategy;
const { Passport } = createRequire(require.resolve('passport-wechat'))('passport') as { Passport: new () => Passport };

/** The strategy has no option for its hosts: the wechat-oauth instance it works with gets ours instead. */
function pointAt(strategy: Strategy, base: string): Strategy {
  const oauth = strategy._oauth;
  const { request, getAuthorizeURLForWebsite } = oauth;
  oauth.request = (url, options, callback) =>
    request.call(oauth, url.replace('https://api.weixin.qq.com', base), options, callback);
  oauth.getAuthorizeURLForWebsite = (...args) =>
    getAuthorizeURLForWebsite.apply(oauth, args).replace('https://open.weixin.qq.com', base);
  return strategy;
}

interface Person {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
  readonly profile: Record<string, unknown>;
}

describe('passport-wechat', () => {
  const state = 'a state with=every & kind+of%20sign';
  let house: LibraryHouse;
  beforeAll(async () => {
    house = await startLibraryHouse('/wechat/callback');
    const strategy = (appSecret: string) =>
      pointAt(
        new WechatStrategy(
          {
            appID: house.site.clientId,
            appSecret,
            client: 'web',
            scope: 'snsapi_login',
            callbackURL: house.callback,
            lang: 'zh_CN',
          },
          (accessToken, refreshToken, profile, expiresIn, done) =>
            done(null, { accessToken, refreshToken, profile, expiresIn }),
        ),
        house.base,
      );
    const passport = new Passport();
    passport.use('wechat', strategy(house.site.secret));
    passport.use('stranger', strategy('0'.repeat(32)));
    await house.serve((request: Request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', house.origin);
      request.query = Object.fromEntries(searchParams);
      request.protocol = 'http';
      request.get = (header) => request.headers[header.toLowerCase()]?.toString();
      const answer = (error?: unknown) => {
        response.statusCode = error ? 500 : 200;
        response.end(JSON.stringify(error ? Object.assign({}, error, { text: String(error) }) : request.user));
      };
      passport.initialize()(request, response, () => {
        const name = pathname.split('/')[1] as string;
        passport.authenticate(name, { session: false, state })(request, response, answer);
      });
    });
  });
  afterAll(async () => {
    await house?.stop();
    expect(house?.guard.strangers()).toEqual([]);
  });

  /** From the site's own address to the one the browser comes back to. */
  const comeBack = async () => {
    const sent = await send(`${house.origin}/wechat`);
    expect(sent.status).toBe(302);
    expect(sent.headers.location).toMatch(/#wechat_redirect$/);
    return house.visit(String(sent.headers.location));
  };

  it('logs in and reads the profile', async () => {
    const redirectTo = await comeBack();
    // It hands the state on without a look at it: comparing is the site's task.
    expect(answerOf(redirectTo).state).toBe(state);
    const answer = await send(redirectTo);
    expect(answer.status).toBe(200);
    const { accessToken, refreshToken, expiresIn, profile } = answer.json<Person>();
    expect(expiresIn).toBe(7200);
    expect(profile).toMatchObject({ ...PERSON, openid: expect.stringMatching(IDENTIFIER) });
    expect(profile.unionid).toMatch(IDENTIFIER);
    const openid = String(profile.openid);
    expect(profile).toEqual((await house.site.userinfo(accessToken, { openid })).json());

    // It has no call to refresh; what it was given can be.
    const again = await house.site.refresh(refreshToken);
    expect(again.json()).toMatchObject({ access_token: accessToken, refresh_token: refreshToken, openid });
  });

  it('hands a used code and a wrong secret to the next error handler', async () => {
    const redirectTo = await comeBack();
    const wrongSecret = await send(redirectTo.replace('/wechat/', '/stranger/'));
    expect(wrongSecret.status).toBe(500);
    expect(wrongSecret.json()).toMatchObject({ name: 'WeChatAPIError', code: 40125 });
    expect((await send(redirectTo)).status).toBe(200);
    const used = await send(redirectTo);
    expect(used.status).toBe(500);
    expect(used.json()).toMatchObject({
      code: 40163,
      text: expect.stringMatching(/^WeChatAPIError: code been used, /),
    });
  });
});
