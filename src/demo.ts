/** The demo: two registered clients, one account, and the example site that signs in with them. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type App, demoUrl, type Services } from './app.js';
import type { Config } from './config.js';
import { AppError } from './error.js';
import { projectRoot } from './project-root.js';

export interface Demo {
  readonly url: string;
  readonly username: string;
  /** Only when the account was made by this start; it is kept nowhere. */
  readonly password: string | undefined;
  stop(): Promise<void>;
}

/** examples/relying-party/server.mjs, which knows nothing of us. */
interface Example {
  createRelyingParty(options: {
    qrconnectUrl: string;
    url: string;
    wechat: { appid: string; secret: string };
    oauth: { clientId: string; clientSecret: string };
  }): { listen(port: number, host: string): Promise<unknown>; close(): Promise<void> };
}

const USERNAME = 'demo';
const APPID = 'wx00000000000de30a';
const CLIENT_ID = 'qc00000000000de30b';

/** Listens when it resolves. EADDRINUSE carries the port. */
export async function startDemo(config: Config, app: App): Promise<Demo> {
  const url = demoUrl(config);
  const password = await makeAccount(app);
  const [wechat, oauth] = await registerClients(app, url);
  const file = pathToFileURL(join(projectRoot, 'examples', 'relying-party', 'server.mjs'));
  const { createRelyingParty } = (await import(file.href)) as Example;
  const site = createRelyingParty({
    qrconnectUrl: config.publicUrl,
    url,
    wechat: { appid: APPID, secret: wechat },
    oauth: { clientId: CLIENT_ID, clientSecret: oauth },
  });
  await site.listen(config.demoPort, config.host);
  return { url, username: USERNAME, password, stop: () => site.close() };
}

/** Fresh secrets at each start: they live in this process, the database has hashes. */
async function registerClients({ clients }: Services, url: string): Promise<[wechat: string, oauth: string]> {
  const common = { unionName: 'demo' } as const;
  const wechat = await clients.registerDemo({
    ...common,
    id: APPID,
    name: 'Demo bookshop',
    dialect: 'wechat',
    redirectUris: [`${url}/callback/wechat`],
  });
  const oauth = await clients.registerDemo({
    ...common,
    id: CLIENT_ID,
    name: 'Demo tea house',
    dialect: 'oauth',
    redirectUris: [`${url}/callback/oauth`],
  });
  return [wechat.secret as string, oauth.secret as string];
}

async function makeAccount({ accounts }: Services): Promise<string | undefined> {
  if (await accounts.findByUsername(USERNAME)) return undefined;
  const password = readablePassword();
  try {
    await accounts.create('demo', { username: USERNAME, password, nickname: 'Demo 小明' });
    return password;
  } catch (error) {
    // Another node on the same database made it in this moment.
    if (error instanceof AppError && error.code === 'conflict') return undefined;
    throw error;
  }
}

/** No character that looks like another one; 29^16 is 77 bits. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz346789';

function readablePassword(): string {
  const group = () => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
