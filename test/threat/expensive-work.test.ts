/** T79: work that costs much is done by few at a time and never for the asking; the others are served meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type RawAnswer, send } from '../support/http.js';
import { type Phone, signIn } from '../support/phone.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

/** Regular expressions whose inner repeats cannot match what their outer repeats begin with. */
const HARMLESS: readonly string[] = [
  // Labels between dots, in a redirect URI of at most 2000 characters.
  String.raw`^[a-z][a-z0-9-]*(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:\/(?!\/)`,
  // Options between semicolons, in an address whose length is checked first.
  String.raw`^data:text\/css((?:;[\w=-]*)*),(.*)$`,
];
const LITERAL =
  /(?:^|[(,=:[!&|?{};]|=>|return|\sof)\s*\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/([dgimsuyv]*)/gm;

function patternsIn(folder: string): Array<{ path: string; pattern: string; flags: string }> {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(projectRoot, folder, name), 'utf8').matchAll(LITERAL)]
        .map(([, pattern = '', flags = '']) => ({ path: name, pattern, flags }))
        // What stands between two slashes of a template is no pattern.
        .filter(({ pattern }) => !pattern.includes('`,') && !pattern.includes('${')),
    );
}

/** A group that repeats without end, and within it something else that does: (a+)*. */
function nests(pattern: string): boolean {
  const outer: boolean[] = [];
  let repeats = false;
  for (let i = 0; i < pattern.length; i += 1) {
    const quantifier = () => /^(?:[*+]|\{\d+,\})/.exec(pattern.slice(i + 1))?.[0] ?? '';
    if (pattern[i] === '(') {
      outer.push(repeats);
      repeats = false;
      continue;
    }
    if (pattern[i] === ')') {
      const endless = quantifier() !== '';
      if (endless && repeats) return true;
      repeats = outer.pop() || repeats || endless;
      continue;
    }
    if (pattern[i] === '[') while (pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1;
    else if (pattern[i] === '\\') i += 1;
    if (quantifier() !== '') repeats = true;
  }
  return false;
}

describe('patterns', () => {
  it('T79: no regular expression repeats what repeats already', () => {
    expect(['(a+)+', '(?:[a)]b*c){2,}', '((x|y*)z)*'].map(nests)).toEqual([true, true, true]);
    expect(['(a+)b+', '(a{1,3})+', String.raw`(\+\*)+`, '([*+])*'].map(nests)).toEqual([false, false, false, false]);
    const all = patternsIn('src');
    expect(all.length).toBeGreaterThan(100);
    const nested = all.filter(({ pattern }) => nests(pattern)).map(({ path, pattern }) => `${path}: ${pattern}`);
    expect(nested.filter((one) => !HARMLESS.some((pattern) => one.endsWith(`: ${pattern}`)))).toEqual([]);
  });

  it('T79: every regular expression has an answer to sixteen thousand of any character', () => {
    const hostile = [...'aA0 \t.-/%":=,;\\<_', '::', 'a.', 'a ', 'a,', ' ,', 'a=', ';a'].flatMap((piece) =>
      ['', '!', '\n', '\0'].map((end) => piece.repeat(16_384 / piece.length) + end),
    );
    for (const { pattern, flags } of patternsIn('src')) {
      const made = new RegExp(pattern, flags);
      // Whatever backtracks without end never comes back from here.
      for (const text of hostile) text.search(made);
    }
  });
});

describe('passwords and long fields', () => {
  let server: TestApp;
  let shop: WechatSite;
  let anna: Phone & { username: string };
  beforeAll(async () => {
    server = await startApp({ TRUSTED_PROXIES: 'loopback' });
    shop = await wechatSite(server.app, server);
    anna = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const tryPassword = (username: string, address: string, password = 'not this one') =>
    send(`${server.url}/phone/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url, 'x-forwarded-for': address },
      body: JSON.stringify({ username, password }),
    });

  it('T79: of two hundred wrong passwords at once some are checked, the rest come back later; others sign in', async () => {
    const flood = Promise.all(
      Array.from({ length: 200 }, (_, turn) =>
        tryPassword(turn % 2 ? anna.username : `nobody${turn}`, `192.0.2.${turn}`),
      ),
    );
    const { code } = await login(server, anna, shop.request());
    expect((await shop.exchange(code)).json()).toHaveProperty('openid');
    const answers = await flood;
    const of = (status: number) => answers.filter((answer) => answer.status === status);
    expect(of(401).length + of(503).length).toBe(200);
    expect(of(401).length).toBeGreaterThan(0);
    expect(of(503).length).toBeGreaterThan(0);
    for (const { headers } of of(503)) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    // Whoever was sent away has not been counted, and nobody else is in the way.
    expect((await signIn(server, anna.username, 'a long enough one')).cookie).toContain('phone=');
  });

  it('T79: whoever is refused anyway takes nobody’s turn', async () => {
    const ben = await person(server.app, server);
    const again = () => tryPassword(ben.username, '198.51.100.1');
    for (let turn = 0; turn < 10; turn += 1) expect((await again()).status).toBe(401);
    expect((await again()).status).toBe(429);
    const counted = () => server.database.sql('SELECT sum(points)::int AS points FROM wrong_guess');
    const before = await counted();
    const flood = Promise.all(Array.from({ length: 300 }, again));
    const honest = await Promise.all(
      [1, 2, 3].map((n) => tryPassword(ben.username, `203.0.113.${n}`, 'a long enough one')),
    );
    expect(honest.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set((await flood).map(({ status }) => status))).toEqual(new Set([429]));
    // Refused from memory: the database was not even asked.
    expect(await counted()).toEqual(before);
  });

  it('T79: sixty thousand of one letter are an error in every field, and in every header', async () => {
    const long = 'a'.repeat(60_000);
    const json = (path: string, body: object) => async () =>
      send(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: server.url, cookie: anna.cookie },
        body: JSON.stringify(body),
      });
    const form = (path: string, name: string) => async () =>
      send(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ [name]: long.slice(0, 50_000) }).toString(),
      });
    const header = (name: string) => async () =>
      send(`${server.url}/connect/qrconnect?appid=x`, { headers: { [name]: long.slice(0, 15_000) } });
    const calls: Record<string, () => Promise<RawAnswer>> = {
      username: json('/phone/sign-in', { username: long, password: 'x' }),
      password: json('/phone/sign-in', { username: 'x', password: long }),
      'scan token': json('/phone/scan', { scan_token: long }),
      'user code': json('/phone/scan', { user_code: long }),
      csrf: json('/phone/scan', { scan_token: 'x', csrf: long }),
      grant: json('/phone/confirm', { scan_grant: long }),
      'match code': json('/phone/confirm', { scan_grant: 'x', match_code: long }),
      'another field': json('/phone/deny', { scan_grant: 'x', [long]: 1 }),
      'setup token': json('/admin/setup', { token: long, username: 'x', password: 'x' }),
    };
    for (const name of ['client_id', 'redirect_uri', 'scope', 'state', 'request', 'client_secret', 'ui_locales']) {
      calls[`headless ${name}`] = json('/api/qr/tickets', { client_id: 'x', [name]: long });
    }
    for (const name of ['appid', 'secret', 'code', 'refresh_token', 'access_token']) {
      calls[`sns ${name}`] = form('/sns/oauth2/access_token', name);
    }
    for (const name of ['client_id', 'client_secret', 'client_assertion', 'code', 'code_verifier', 'refresh_token']) {
      calls[`token ${name}`] = form('/oauth/token', name);
    }
    for (const name of [
      'authorization',
      'cookie',
      'user-agent',
      'accept-language',
      'referer',
      'x-forwarded-for',
      'accept',
    ]) {
      calls[`header ${name}`] = header(name);
    }
    const answers = await Promise.all(
      Object.entries(calls).map(async ([what, call]) => ({ what, answer: await call() })),
    );
    for (const { what, answer } of answers) {
      // WeChat's page and API tell their refusals with 200.
      if (what.startsWith('sns')) expect(answer.json(), what).toHaveProperty('errcode');
      else if (what.startsWith('header')) expect([200, 400], what).toContain(answer.status);
      else expect([400, 401, 403, 404, 413], `${what} ${answer.body.slice(0, 200)}`).toContain(answer.status);
    }
  });
});
