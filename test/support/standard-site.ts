/** What a standard client library needs around it: a server, clients of every kind, an API, a person with a phone and browsers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { inject, vi } from 'vitest';
import type { NewClient } from '../../src/client/registration.js';
import type { NewResourceServer } from '../../src/resource/resource-rules.js';
import { scanDevice } from './device.js';
import { type LoopbackGuard, onlyLoopback } from './only-loopback.js';
import type { Phone } from './phone.js';
import { REDIRECT_URI } from './relying-party.js';
import { postedForm, StandardBrowser, type Ways } from './standard-browser.js';
import { freePort, startApp, type TestApp } from './start-app.js';
import { forgetScans, person } from './story.js';

/** Where a site sends a browser that signed out. */
export const BYE = 'http://127.0.0.1:9/bye';

export interface StandardHouse {
  readonly issuer: URL;
  readonly server: TestApp;
  readonly phone: Phone & { accountId: string; username: string };
  readonly guard: LoopbackGuard;
  browser(): StandardBrowser;
  register(settings?: Partial<NewClient>): Promise<{ clientId: string; secret: string }>;
  /** Opens this address in a browser, scans, decides, and says where the browser is sent. */
  visit(address: URL, ways?: Ways & { browser?: StandardBrowser }): Promise<URL>;
  /** The same, where the last page posts itself to the site. */
  visitAndPost(address: URL): Promise<Request>;
  /** Opens this address in a browser that nobody has to help; says where it is sent. */
  pass(address: URL, browser: StandardBrowser): Promise<URL>;
  /** Opens the address of a sign-out and presses "sign out". */
  signOut(address: URL, browser: StandardBrowser): Promise<URL>;
  /** The person scans what the device shows, and decides. */
  answerDevice(verificationUriComplete: string, decision: 'allow' | 'deny'): Promise<void>;
  /** Runs an API that answers with what `check` makes of a request, or 401; registers it as a resource server. */
  serveApi(
    check: (request: Request, identifier: string) => Promise<unknown>,
    settings?: Partial<NewResourceServer>,
  ): Promise<string>;
  stop(): Promise<void>;
}

export async function startStandardHouse(): Promise<StandardHouse> {
  // A proxy that this machine's settings name would not be the machine itself.
  vi.stubEnv('no_proxy', '*');
  // The run's database may be another machine's.
  const guard = onlyLoopback([new URL(inject('postgresUrl')).hostname]);
  const server = await startApp();
  const phone = await person(server.app, server);
  const apis: Array<() => void> = [];
  const arrive = async (address: URL, { browser = new StandardBrowser(server), ...ways }: VisitWays) => {
    if (address.origin !== server.url) throw new Error(`the library leads elsewhere: ${address}`);
    await forgetScans(server.database);
    return browser.signInByPhone(address.href, phone, ways);
  };
  return {
    issuer: new URL(server.url),
    server,
    phone,
    guard,
    browser: () => new StandardBrowser(server),
    async register(settings = {}) {
      const asked = { name: 'Tea house', redirectUris: [REDIRECT_URI], ...settings };
      const { client, secret } = await server.app.clients.register('test', asked);
      return { clientId: client.id, secret: secret ?? '' };
    },
    visit: async (address, ways = {}) => awayFrom(server, (await arrive(address, ways)).address),
    async visitAndPost(address) {
      const { action, fields } = postedForm((await arrive(address, {})).body);
      return new Request(action, { method: 'POST', body: new URLSearchParams(fields) });
    },
    pass: async (address, browser) => awayFrom(server, (await browser.open(address.href)).address),
    async signOut(address, browser) {
      const { body } = await browser.get(address.href);
      const action = /<form id="op.logoutForm" method="post" action="([^"]+)"/.exec(body)?.[1] ?? '';
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(body)?.[1] ?? '';
      return awayFrom(server, (await browser.submit(action, { xsrf, logout: 'yes' })).address);
    },
    async answerDevice(verificationUriComplete, decision) {
      await forgetScans(server.database);
      const userCode = new URL(verificationUriComplete).searchParams.get('user_code') ?? '';
      const scanned = await scanDevice(server, phone, userCode);
      const decided = await (decision === 'allow' ? phone.confirm(scanned) : phone.deny(scanned));
      if (decided.status !== 200) throw new Error(`deciding failed: ${decided.status} ${decided.body}`);
    },
    async serveApi(check, settings = {}) {
      const port = await freePort();
      const identifier = `http://127.0.0.1:${port}/orders`;
      const api = createServer(async (req, res) => {
        const answer = await check(asRequest(req, identifier), identifier).catch((error: Error) => error);
        res.statusCode = answer instanceof Error ? 401 : 200;
        res.end(JSON.stringify(answer instanceof Error ? { refused: answer.message } : answer));
      });
      api.listen(port, '127.0.0.1');
      await once(api, 'listening');
      apis.push(() => {
        api.close();
        api.closeAllConnections();
      });
      const scopes = [{ name: 'orders.read', description: 'Read your orders' }];
      await server.app.resources.register('test', { identifier, name: 'Orders', scopes, ...settings });
      return identifier;
    },
    async stop() {
      for (const close of apis) close();
      await server.stop();
      guard.stop();
      vi.unstubAllEnvs();
    },
  };
}

type VisitWays = NonNullable<Parameters<StandardHouse['visit']>[1]>;

/** A key pair for a client that signs, and the JWK set it registers. */
export async function clientKeyPair(alg: string, registeredAs = alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `${alg}-1`;
  const clientKeys: NonNullable<NewClient['clientKeys']> = {
    keys: [{ ...(await exportJWK(publicKey)), kid, alg: registeredAs } as object],
  };
  return { key: { key: privateKey, kid }, clientKeys };
}

function awayFrom(server: TestApp, address: string): URL {
  if (new URL(address).origin === server.url) throw new Error(`the browser stays here: ${address}`);
  return new URL(address);
}

function asRequest(req: IncomingMessage, identifier: string): Request {
  const headers = Object.entries(req.headers).map(([name, value]) => [name, String(value)] as [string, string]);
  return new Request(new URL(req.url ?? '/', identifier), { method: req.method, headers });
}
