/** The servers that authorization.ts compares, each in a process of its own, behind one face. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import { createServices } from '../src/app.js';
import { loadConfig } from '../src/config.js';
import { openPageAt } from '../test/support/page.js';
import { signIn } from '../test/support/phone.js';
import { installBetterAuth } from './better-auth.js';
import type { Browser } from './browser.js';
import { startServer } from './server-process.js';

export const REDIRECT = 'https://rp.example/cb';
const PORT = 3461;
const BARE_PORT = 3462;
const DEMO_PORT = 3463;
const BETTER_AUTH_PORT = 3464;
const NICKNAME = '张三😀';

export interface Contender {
  readonly name: string;
  readonly pid: number;
  /** Where discovery begins. */
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: string;
  /** Makes an authorization request that also asks for a refresh token into one that this server grants. */
  readonly offline: Record<string, string>;
  /** A new person signs in and allows this request on a browser that is remembered; returns the address with the code. */
  signIn(browser: Browser, url: string): Promise<string>;
  stop(): Promise<void>;
}

const isAnswer = (url: string) => url.startsWith(REDIRECT);

export async function bareEngine(): Promise<Contender> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] };
  const [clientId, secret] = ['bench', randomBytes(32).toString('hex')];
  const child = fork(
    fileURLToPath(new URL('./bare-engine.ts', import.meta.url)),
    [String(BARE_PORT), clientId, secret, JSON.stringify(jwks)],
    { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
  );
  await firstWord(child);
  return {
    name: 'bare engine, memory',
    pid: child.pid as number,
    issuer: `http://localhost:${BARE_PORT}`,
    clientId,
    secret,
    offline: { prompt: 'consent' },
    signIn: (browser, url) => browser.follow(url, isAnswer),
    stop: () => end(child),
  };
}

export async function qrconnect(databaseUrl: string): Promise<Contender> {
  const env = { DATABASE_URL: databaseUrl, DEMO: 'on', LOG_LEVEL: 'info', DEMO_PORT: String(DEMO_PORT) };
  const server = await startServer(PORT, env);
  const services = await createServices(loadConfig({ ...env, PORT: String(PORT) }), databaseUrl);
  const { client, secret } = await services.clients.register('bench', {
    name: 'Bench',
    redirectUris: [REDIRECT],
    matchCode: 'off',
  });
  const newPhone = async () => {
    const [username, password] = [`bench${randomBytes(6).toString('hex')}`, randomBytes(12).toString('hex')];
    await services.accounts.create('bench', { username, password, nickname: NICKNAME });
    return signIn(server, username, password);
  };
  return {
    name: 'qrconnect, Postgres',
    pid: server.child.pid as number,
    issuer: server.url,
    clientId: client.id,
    secret: secret as string,
    offline: { prompt: 'consent' },
    signIn: async (browser, url) => rememberedBrowser(browser, url, await newPhone()),
    stop: async () => {
      await services.close();
      await server.stop();
    },
  };
}

/** A person scans the code that the browser shows, and ticks "stay signed in on that browser". */
async function rememberedBrowser(browser: Browser, url: string, phone: Awaited<ReturnType<typeof signIn>>) {
  const shown = await browser.follow(url, (at) => new URL(at).pathname.startsWith('/interaction/'));
  const page = await openPageAt(shown, { cookie: browser.cookie });
  const { scanGrant, csrf } = await phone.scan(page.qr);
  const confirmed = await phone.post('/phone/confirm', { scan_grant: scanGrant, csrf, remember: true });
  const redeemed = await page.redeem();
  if (confirmed.status !== 200 || redeemed.status !== 200) {
    throw new Error(`nobody signed in: ${confirmed.status} ${confirmed.body}, ${redeemed.status} ${redeemed.body}`);
  }
  const next = redeemed.json<{ redirect_to: string }>().redirect_to;
  return isAnswer(next) ? next : browser.follow(next, isAnswer);
}

/** Undefined when it cannot be installed. */
export async function betterAuth(databaseUrl: string): Promise<Contender | undefined> {
  const program = installBetterAuth();
  if (!program) return undefined;
  const child = fork(program, [String(BETTER_AUTH_PORT), databaseUrl, REDIRECT], {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { clientId, secret } = await firstWord<{ clientId: string; secret: string }>(child);
  const issuer = `http://localhost:${BETTER_AUTH_PORT}/api/auth`;
  return {
    name: 'better-auth, Postgres',
    pid: child.pid as number,
    issuer,
    clientId,
    secret,
    // It gives one without; asked to, it would show its consent page.
    offline: {},
    async signIn(browser, url) {
      const email = `${randomBytes(6).toString('hex')}@rp.example`;
      const password = randomBytes(12).toString('hex');
      const { status, body } = await browser.post(`${issuer}/sign-up/email`, { email, password, name: NICKNAME });
      if (status !== 200) throw new Error(`nobody signed up: ${status} ${body}`);
      return browser.follow(url, isAnswer);
    },
    stop: () => end(child),
  };
}

/** What a process says when it listens. */
async function firstWord<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`${child.spawnargs[1]} ended with ${status}`);
  });
  const [word] = await Promise.race([once(child, 'message'), ended]);
  return word as T;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill();
  await once(child, 'exit');
}
