/** What a client library needs around it: a server, a registered site, a person who allows whatever page the library asks for. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { inject, vi } from 'vitest';
import { type LoopbackGuard, onlyLoopback } from './only-loopback.js';
import { openPageAt } from './page.js';
import { signIn } from './phone.js';
import { type WechatSite, wechatSite } from './relying-party.js';
import { freePort, startApp } from './start-app.js';
import { approve, forgetScans } from './story.js';

export const PERSON = { nickname: '张三😀', city: '杭州', province: '浙江', country: '中国' };

/** `openid` and `unionid` (wire format 4.6). */
export const IDENTIFIER = /^o[\w-]{27}$/;

export interface LibraryHouse {
  /** The server's base URL: what a library is pointed at. */
  readonly base: string;
  readonly site: WechatSite;
  /** The site's own origin, where nothing listens until `serve`. */
  readonly origin: string;
  readonly callback: string;
  readonly guard: LoopbackGuard;
  /** Opens exactly this address, allows on the phone, and says where the browser is sent. */
  visit(authorizeUrl: string): Promise<string>;
  /** Runs the site's web server. */
  serve(listener: RequestListener): Promise<void>;
  stop(): Promise<void>;
}

export async function startLibraryHouse(callbackPath = '/callback'): Promise<LibraryHouse> {
  // A proxy that this machine's settings name would not be the machine itself.
  vi.stubEnv('no_proxy', '*');
  // The run's database may be another machine's.
  const guard = onlyLoopback([new URL(inject('postgresUrl')).hostname]);
  const server = await startApp();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const callback = origin + callbackPath;
  const site = await wechatSite(server.app, server, { redirectUris: [callback] });
  const signature = { username: 'zhangsan', password: 'a long enough one' };
  await server.app.accounts.create('test', { ...signature, ...PERSON });
  const phone = await signIn(server, signature.username, signature.password);
  const web = createServer();
  return {
    base: server.url,
    site,
    origin,
    callback,
    guard,
    async visit(authorizeUrl) {
      if (new URL(authorizeUrl).origin !== server.url) throw new Error(`the library leads elsewhere: ${authorizeUrl}`);
      await forgetScans(server.database);
      const page = await openPageAt(authorizeUrl);
      await approve(phone, page);
      const redeemed = await page.redeem();
      if (redeemed.status !== 200) throw new Error(`redeem failed: ${redeemed.status} ${redeemed.body}`);
      return redeemed.json<{ redirect_to: string }>().redirect_to;
    },
    async serve(listener) {
      web.on('request', listener).listen(port, '127.0.0.1');
      await once(web, 'listening');
    },
    async stop() {
      web.close();
      web.closeAllConnections();
      await server.stop();
      guard.stop();
      vi.unstubAllEnvs();
    },
  };
}

/** What a callback's address carries. */
export function answerOf(redirectTo: string): { code: string; state: string } {
  const { searchParams } = new URL(redirectTo);
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' };
}
