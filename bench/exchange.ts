/**
 * How fast are code -> token and userinfo here, on Postgres, against the bare engine in memory? Both dialects.
 * One process each, 32 requests in flight, the two taking turns; the ratio is of the medians.
 */
import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createServices } from '../src/app.js';
import type { Client } from '../src/client/client.js';
import { loadConfig } from '../src/config.js';
import { openDatabase } from '../src/database/database.js';
import { createEngine } from '../src/engine/create-engine.js';
import { createRecordStore } from '../src/engine/record-store.js';
import { createSubjects } from '../src/engine/subjects.js';
import { type LoadRequest, load } from './load.js';
import { cpuOf, startServer } from './server-process.js';
import { median, type Table } from './table.js';

const ROUNDS = 7;
const PER_ROUND = 600;
const PORT = 3461;
const BARE_PORT = 3462;
const REDIRECT = 'https://rp.example/cb';
const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

interface Contender {
  origin: string;
  pid: number;
  token: (code: string) => LoadRequest;
  userinfo: (accessToken: string) => LoadRequest;
  mint: (count: number) => Promise<string[]>;
}

type Measured = Record<'token' | 'userinfo' | 'p99' | 'tokenCpu' | 'userinfoCpu', number[]>;

export async function exchange(databaseUrl: string): Promise<Table> {
  const env = { DATABASE_URL: databaseUrl, DEMO: 'on', LOG_LEVEL: 'info', DEMO_PORT: '3463' };
  const config = loadConfig({ ...env, PORT: String(PORT) });
  const server = await startServer(PORT, env);
  const database = openDatabase(databaseUrl);
  const services = await createServices(config, databaseUrl);
  const account = await services.accounts.create('bench', {
    username: `bench${Date.now()}`,
    password: randomBytes(12).toString('hex'),
    nickname: '张三😀',
  });
  const oauth = await services.clients.register('bench', { name: 'Bench', redirectUris: [REDIRECT] });
  const wechat = await services.clients.register('bench', {
    name: 'Bench',
    dialect: 'wechat',
    redirectUris: [REDIRECT],
  });
  const keys = await services.keys.load();
  const provider = createEngine({
    ...config,
    keys,
    records: createRecordStore(database),
    subjects: createSubjects(keys.subject),
    findClient: (id) => services.clients.find(id),
    activeAccount: (id) => services.accounts.find(id),
    // It answers no request: only its models are used.
    browserSessions: { tie: async () => false, find: async () => undefined, untie: async () => {} },
    findResource: async () => undefined,
    logoutPages: { logoutSource() {}, postLogoutSuccessSource() {} },
    fetch: () => Promise.reject(new Error('not here')),
    errorPage: () => {},
    onError: console.error,
    onRefused: () => {},
    certificates: false,
    log: { info() {}, warn() {} },
  });
  const mint = (client: Client, scope: string, codeChallenge: string | undefined) => async (count: number) => {
    const codes: string[] = [];
    for (let i = 0; i < count; i++) {
      const grant = new provider.Grant({ accountId: account.id, clientId: client.id });
      grant.addOIDCScope(scope);
      const code = new provider.AuthorizationCode({
        accountId: account.id,
        clientId: client.id,
        grantId: await grant.save(),
        scope,
        redirectUri: REDIRECT,
        codeChallenge,
        codeChallengeMethod: codeChallenge && 'S256',
        claims: {},
      } as unknown as ConstructorParameters<typeof provider.AuthorizationCode>[0]);
      codes.push(await code.save());
    }
    return codes;
  };

  const bare = fork(
    fileURLToPath(new URL('./bare-engine.ts', import.meta.url)),
    [String(BARE_PORT), oauth.client.id, oauth.secret as string, JSON.stringify({ keys: keys.signing })],
    { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
  );
  await once(bare, 'message');

  const standard = (origin: string, paths: { token: string; userinfo: string }): Omit<Contender, 'mint' | 'pid'> => ({
    origin,
    token: (code) => ({
      method: 'POST',
      path: paths.token,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${oauth.client.id}:${oauth.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        code_verifier: VERIFIER,
      }).toString(),
    }),
    userinfo: (token) => ({ method: 'GET', path: paths.userinfo, headers: { authorization: `Bearer ${token}` } }),
  });
  const contenders: Record<string, Contender> = {
    'bare engine, memory': {
      ...standard(`http://localhost:${BARE_PORT}`, { token: '/token', userinfo: '/me' }),
      pid: bare.pid as number,
      mint: async (count) => {
        bare.send({ accountId: account.id, challenge: CHALLENGE, count });
        const [codes] = (await once(bare, 'message')) as [string[]];
        return codes;
      },
    },
    'qrconnect, oauth': {
      ...standard(server.url, { token: '/oauth/token', userinfo: '/oauth/userinfo' }),
      pid: server.child.pid as number,
      mint: mint(oauth.client, 'openid profile unionid', CHALLENGE),
    },
    'qrconnect, wechat': {
      origin: server.url,
      token: (code) => ({
        method: 'GET',
        path: `/sns/oauth2/access_token?appid=${wechat.client.id}&secret=${wechat.secret}&code=${code}&grant_type=authorization_code`,
      }),
      userinfo: (token) => ({ method: 'GET', path: `/sns/userinfo?access_token=${token}` }),
      pid: server.child.pid as number,
      mint: mint(wechat.client, 'snsapi_login', undefined),
    },
  };

  const rates: Record<string, Measured> = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const codes = await contender.mint(PER_ROUND);
      const tokens: string[] = [];
      const before = cpuOf(contender.pid);
      const exchanged = await load(contender.origin, codes.map(contender.token), (status, body) => {
        const token = status === 200 ? /"access_token":"([^"]+)"/.exec(body)?.[1] : undefined;
        if (token) tokens.push(token);
        return token !== undefined;
      });
      const between = cpuOf(contender.pid);
      const read = await load(
        contender.origin,
        tokens.map(contender.userinfo),
        (status, body) => status === 200 && body.includes('nickname'),
      );
      if (exchanged.failed + read.failed > 0)
        throw new Error(`${name}: ${exchanged.failed} and ${read.failed} requests failed`);
      // The first round warms everything up.
      if (round === 0) continue;
      rates[name] ??= { token: [], userinfo: [], p99: [], tokenCpu: [], userinfoCpu: [] };
      const row = rates[name];
      row.token.push(exchanged.perSecond);
      row.userinfo.push(read.perSecond);
      row.p99.push(exchanged.p99);
      row.tokenCpu.push(((between - before) * 1000) / PER_ROUND);
      row.userinfoCpu.push(((cpuOf(contender.pid) - between) * 1000) / PER_ROUND);
    }
  }
  bare.kill();
  await services.close();
  await database.close();
  await server.stop();

  const yard = rates['bare engine, memory'];
  return {
    title: 'Code to token, and userinfo',
    note: `${ROUNDS} rounds of ${PER_ROUND}, 32 in flight, one server process; medians. id_token RS256. Ratios are against the first row; CPU is the server process alone.`,
    columns: ['', 'code→token /s', 'ratio', 'userinfo /s', 'ratio', 'token p99 ms', 'token CPU ms', 'userinfo CPU ms'],
    rows: Object.entries(rates).map(([name, r]) => [
      name,
      median(r.token).toFixed(0),
      (median(r.token) / median(yard?.token ?? [])).toFixed(2),
      median(r.userinfo).toFixed(0),
      (median(r.userinfo) / median(yard?.userinfo ?? [])).toFixed(2),
      median(r.p99).toFixed(0),
      median(r.tokenCpu).toFixed(2),
      median(r.userinfoCpu).toFixed(2),
    ]),
  };
}
