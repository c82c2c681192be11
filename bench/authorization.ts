/**
 * How fast are authorization by a remembered browser, refresh, userinfo and introspection here, on Postgres, against
 * the bare engine in memory, and against better-auth on the same Postgres? 32 browsers, each with a person and tokens of
 * its own; the servers take turns.
 */
import { createHash, randomBytes } from 'node:crypto';
import { send as sendOnce } from '../test/support/http.js';
import { Browser } from './browser.js';
import { bareEngine, betterAuth, type Contender, qrconnect, REDIRECT } from './contenders.js';
import { type Answer, closedLoop, LANES, type Send } from './load.js';
import { cpuOf } from './server-process.js';
import { median, type Table } from './table.js';

const ROUNDS = 3;
const PER_ROUND = 640;
const SCOPE = 'openid profile';
const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const FORM = 'application/x-www-form-urlencoded';

interface Discovered {
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint: string;
  introspection_endpoint: string;
  pushed_authorization_request_endpoint?: string;
}

/** What one lane has: a browser that is remembered, and the tokens of the person in front of it. */
interface Lane {
  readonly cookie: string;
  accessToken: string;
  refreshToken: string;
}

interface Ready {
  readonly contender: Contender;
  readonly origin: string;
  readonly lanes: Lane[];
  readonly operations: Partial<Record<OperationName, Operation>>;
}

type Operation = (send: Send, lane: Lane) => Promise<boolean>;
type OperationName = keyof typeof OPERATIONS;

const OPERATIONS = {
  authorize: 'authorization: cookie → code',
  pushed: 'the same, pushed first: PAR → code',
  refresh: 'refresh, rotated, with id_token',
  userinfo: 'userinfo',
  introspection: 'introspection',
} as const;

/** The yardstick first, ours second. */
const SERVERS: Array<(databaseUrl: string) => Promise<Contender | undefined>> = [bareEngine, qrconnect, betterAuth];

export async function authorization(
  databaseUrl: string,
  { rounds = ROUNDS, perRound = PER_ROUND, servers = SERVERS } = {},
): Promise<Table> {
  const contenders: Contender[] = [];
  try {
    for (const start of servers) {
      const contender = await start(databaseUrl);
      if (contender) contenders.push(contender);
    }
    const ready: Ready[] = [];
    for (const contender of contenders) ready.push(await prepare(contender));
    return toTable(ready, await measure(ready, rounds, perRound), { rounds, perRound });
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function prepare(contender: Contender): Promise<Ready> {
  const answer = await sendOnce(`${contender.issuer}/.well-known/openid-configuration`);
  const found = answer.json<Discovered>();
  const lanes: Lane[] = [];
  for (let i = 0; i < LANES; i++) lanes.push(await newLane(contender, found));
  return {
    contender,
    origin: new URL(contender.issuer).origin,
    lanes,
    operations: operationsOf(contender, found),
  };
}

async function newLane(contender: Contender, found: Discovered): Promise<Lane> {
  const browser = new Browser();
  const query = authorizationRequest(contender, { ...contender.offline, scope: `${SCOPE} offline_access` });
  const answered = new URL(await contender.signIn(browser, `${found.authorization_endpoint}?${query}`));
  const code = answered.searchParams.get('code');
  if (!code) throw new Error(`${contender.name} gives no code: ${answered}`);
  const { body } = await sendOnce(found.token_endpoint, {
    method: 'POST',
    headers: { 'content-type': FORM, ...basic(contender) },
    body: form({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }),
  });
  const lane: Lane = { cookie: browser.cookie, accessToken: '', refreshToken: '' };
  if (!takeTokens(lane, body)) throw new Error(`${contender.name} gives no tokens: ${body}`);
  return lane;
}

function operationsOf(contender: Contender, found: Discovered): Ready['operations'] {
  const path = (url: string) => new URL(url).pathname;
  const authorize = async (send: Send, { cookie }: Lane, query: URLSearchParams) =>
    hasCode(
      await send({
        method: 'GET',
        path: `${path(found.authorization_endpoint)}?${query}`,
        headers: { cookie, accept: 'text/html' },
      }),
    );
  const post = (send: Send, endpoint: string, fields: Record<string, string> | URLSearchParams) =>
    send({
      method: 'POST',
      path: path(endpoint),
      headers: { 'content-type': FORM, ...basic(contender) },
      body: form(fields),
    });
  const pushTo = found.pushed_authorization_request_endpoint;
  return {
    authorize: (send, lane) => authorize(send, lane, authorizationRequest(contender)),
    ...(pushTo && {
      pushed: async (send: Send, lane: Lane) => {
        const { text } = await post(send, pushTo, authorizationRequest(contender));
        const requestUri = /"request_uri":"([^"]+)"/.exec(text)?.[1];
        if (!requestUri) return false;
        return authorize(send, lane, new URLSearchParams({ client_id: contender.clientId, request_uri: requestUri }));
      },
    }),
    async refresh(send, lane) {
      const fields = { grant_type: 'refresh_token', refresh_token: lane.refreshToken };
      const { status, text } = await post(send, found.token_endpoint, fields);
      return status === 200 && text.includes('"id_token":"') && takeTokens(lane, text);
    },
    async userinfo(send, { accessToken }) {
      const headers = { authorization: `Bearer ${accessToken}` };
      const { status, text } = await send({ method: 'GET', path: path(found.userinfo_endpoint), headers });
      return status === 200 && text.includes('张三');
    },
    async introspection(send, { accessToken }) {
      const { status, text } = await post(send, found.introspection_endpoint, { token: accessToken });
      return status === 200 && text.includes('"active":true');
    },
  };
}

type Rates = Record<'perSecond' | 'cpu', number[]>;

/** By operation and contender; a warm-up round first, then the servers take turns at each operation. */
async function measure(all: Ready[], rounds: number, perRound: number): Promise<Map<string, Rates>> {
  const rates = new Map<string, Rates>();
  for (let round = 0; round <= rounds; round++) {
    for (const name of Object.keys(OPERATIONS) as OperationName[]) {
      for (const { contender, origin, lanes, operations } of all) {
        const operation = operations[name];
        if (!operation) continue;
        const before = cpuOf(contender.pid);
        const { perSecond, failed } = await closedLoop(origin, perRound, (send, lane) =>
          operation(send, lanes[lane] as Lane),
        );
        if (failed > 0) throw new Error(`${contender.name}: ${failed} of ${perRound} failed at ${name}`);
        if (round === 0) continue;
        const key = `${name} ${contender.name}`;
        const row = rates.get(key) ?? { perSecond: [], cpu: [] };
        rates.set(key, row);
        row.perSecond.push(perSecond);
        row.cpu.push(((cpuOf(contender.pid) - before) * 1000) / perRound);
      }
    }
  }
  return rates;
}

function toTable(all: Ready[], rates: Map<string, Rates>, how: { rounds: number; perRound: number }): Table {
  const names = all.map(({ contender }) => contender.name);
  const [yard = '', ours = '', ...peers] = names;
  const of = (operation: string, name: string, what: keyof Rates) =>
    median(rates.get(`${operation} ${name}`)?.[what] ?? []);
  const shown = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  return {
    title: 'Authorization, refresh, userinfo, introspection',
    note: [
      `${how.rounds} rounds of ${how.perRound}, ${LANES} in flight, each lane a browser and a person of its own; one process each; medians.`,
      'RS256, pairwise subjects, opaque access tokens; CPU is the server process alone.',
      peers.length > 0
        ? 'better-auth has no PAR, writes no session at authorization and reads no consent (a trusted client); its rate limits are off.'
        : 'better-auth could not be installed.',
    ].join(' '),
    columns: [
      '',
      ...names.map((name) => `${name} /s`),
      ...[yard, ...peers].map((name) => `${ours.split(',')[0]} ÷ ${name.split(',')[0]}`),
      ...names.map((name) => `${name.split(',')[0]} CPU ms`),
    ],
    rows: Object.entries(OPERATIONS).map(([operation, label]) => [
      label,
      ...names.map((name) => shown(of(operation, name, 'perSecond'), 0)),
      ...[yard, ...peers].map((name) => {
        return shown(of(operation, ours, 'perSecond') / of(operation, name, 'perSecond'), 2);
      }),
      ...names.map((name) => shown(of(operation, name, 'cpu'), 2)),
    ]),
  };
}

function authorizationRequest({ clientId }: Contender, more: Record<string, string> = {}): URLSearchParams {
  return new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: randomBytes(12).toString('base64url'),
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...more,
  });
}

function hasCode({ status, headers }: Answer): boolean {
  const { location = '' } = headers;
  return (status === 302 || status === 303) && location.startsWith(REDIRECT) && /[?&]code=/.test(location);
}

function takeTokens(lane: Lane, body: string): boolean {
  const { access_token: accessToken, refresh_token: refreshToken } = JSON.parse(body) as Record<string, string>;
  if (!accessToken || !refreshToken || refreshToken === lane.refreshToken) return false;
  Object.assign(lane, { accessToken, refreshToken });
  return true;
}

function basic({ clientId, secret }: Contender): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
}

function form(fields: Record<string, string> | URLSearchParams): string {
  return new URLSearchParams(fields).toString();
}
