import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { postToken } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type Phone, signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, login, person } from '../support/story.js';
import { findLeaks, tapWire } from '../support/wire.js';

let server: TestApp;
let shop: WechatSite;
let cafe: OauthSite;
let phone: Phone & { username: string };
beforeAll(async () => {
  server = await startApp();
  shop = await wechatSite(server.app, server);
  cafe = await oauthSite(server.app, server);
  phone = await person(server.app, server);
});
afterAll(() => server?.stop());

/** Every row of every table of ours, as JSON. */
async function dump(): Promise<string> {
  const tables = await server.database.sql<{ name: string }>(
    "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  expect(tables.length).toBeGreaterThan(8);
  const rows = await Promise.all(
    tables.map(({ name }) => server.database.sql<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM ${name} t`)),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

describe('what a copy of the database is worth', () => {
  it('T68: holds no secret that passed over the wire, in any spelling, at any moment of a login in either dialect', async () => {
    const wire = tapWire();
    const dumps: string[] = [];
    try {
      const phone = await person(server.app, server);
      for (const query of [shop.request(), cafe.request().query]) {
        const page = await openPage(server, query);
        dumps.push(await dump());
        const scanned = await phone.scan(page.qr);
        dumps.push(await dump());
        const { match_code: matchCode } = (await page.status()).json<{ match_code: string }>();
        await phone.confirm(scanned, matchCode);
        const { continue: handle } = (await page.continue()).json<{ continue: string }>();
        dumps.push(await dump());
        expect((await send(handle)).status).toBe(303);
        dumps.push(await dump());
      }
      const { code } = await login(server, phone, shop.request());
      dumps.push(await dump());
      const tokens = (await shop.exchange(code)).json<{ access_token: string; refresh_token: string }>();
      await shop.userinfo(tokens.access_token);
      await shop.refresh(tokens.refresh_token);
      const { query, verifier } = cafe.request();
      const granted = await login(server, phone, query);
      const issued = (await cafe.exchange(granted.code, verifier)).json<{ access_token: string }>();
      await cafe.userinfo(issued.access_token);
      // The standard door: its cookies are secrets too.
      await send(`${server.url}/oauth/authorize?${new URLSearchParams(cafe.request().query)}`);
      await pushed();
      dumps.push(await dump());
    } finally {
      wire.stop();
    }
    for (const name of ['code', 'access_token', 'refresh_token', 'id_token', 'secret', 'password', 'scan_token']) {
      expect([...wire.secrets.keys()]).toContain(name);
    }
    for (const name of ['waitSecret', 'scan_grant', 'csrf', 'code_verifier', 'cookie __Host-phone']) {
      expect([...wire.secrets.keys()]).toContain(name);
    }
    expect(findLeaks(dumps.join('\n'), wire.secrets)).toEqual([]);
  });

  it('T68: a stored hash, presented as the token it was made from, opens nothing', async () => {
    const keys = async (kind: string) =>
      (await server.database.sql<{ key: string }>('SELECT key FROM engine_record WHERE kind = $1', [kind])).map(
        ({ key }) => key,
      );
    const { code } = await login(server, phone, shop.request());
    const [codeHash] = await server.database.sql<{ key: string }>(
      "SELECT key FROM engine_record WHERE kind = 'AuthorizationCode' AND consumed_at IS NULL",
    );
    expect((await shop.exchange(String(codeHash?.key))).json()).toMatchObject({ errcode: 40029 });
    await shop.exchange(code);
    const accessKeys = await keys('AccessToken');
    expect(accessKeys.length).toBeGreaterThan(0);
    for (const key of accessKeys) {
      expect((await cafe.userinfo(key)).status).toBe(401);
      expect((await shop.userinfo(key)).json()).toMatchObject({ errcode: 40001 });
    }
    for (const key of await keys('RefreshToken')) {
      expect((await shop.refresh(key)).json()).toMatchObject({ errcode: 40030 });
    }
    const [session] = await server.database.sql<{ hash: string }>('SELECT secret_hash AS hash FROM phone_session');
    const page = await openPage(server, shop.request());
    const shown = await send(page.qr, { headers: { cookie: `__Host-phone=${session?.hash}` } });
    expect(shown.body).not.toContain('"csrf"');
    const [ticket] = await server.database.sql<{ id: string; wait: string; scan: string }>(
      "SELECT id, wait_secret_hash AS wait, scan_token_hash AS scan FROM ticket WHERE status = 'pending'",
    );
    const status = await send(`${server.url}/api/qr/tickets/${ticket?.id}`, {
      headers: { authorization: `Bearer ${ticket?.wait}` },
    });
    expect(status.status).toBe(404);
    expect((await send(`${server.url}/s/${ticket?.scan}`)).status).toBe(404);
  });

  const pushed = () => {
    const { grant_type: _, ...form } = { grant_type: '', ...cafe.request().query };
    return send(`${server.url}/oauth/par`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${cafe.clientId}:${cafe.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams(form).toString(),
    });
  };
});

describe('passwords and client secrets at rest', () => {
  const storedHash = async () =>
    (
      await server.database.sql<{ hash: string }>(
        'SELECT hash FROM password JOIN account ON account.id = account_id WHERE username = $1',
        [phone.username],
      )
    )[0]?.hash as string;

  it('T69: a password is an argon2id hash of at least 19 MiB and two passes, with its own salt', async () => {
    const rows = await server.database.sql<{ hash: string }>('SELECT hash FROM password');
    expect(rows.length).toBeGreaterThan(1);
    for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/);
    expect(new Set(rows.map(({ hash }) => hash.split('$')[4])).size).toBe(rows.length);
  });

  it('T69: an older, cheaper hash is made again at the next sign-in, and a wrong password does not touch it', async () => {
    const old = await hash('a long enough one', { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    const set = 'UPDATE password SET hash = $1 WHERE account_id = (SELECT id FROM account WHERE username = $2)';
    await server.database.sql(set, [old, phone.username]);
    await expect(signIn(server, phone.username, 'another one entirely')).rejects.toThrow('401');
    expect(await storedHash()).toBe(old);
    await signIn(server, phone.username, 'a long enough one');
    expect(await storedHash()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await signIn(server, phone.username, 'a long enough one');
  });

  it('T69: no column and no listing gives a client secret back', async () => {
    const listed = JSON.stringify([await server.app.clients.list(), await server.app.clients.find(cafe.clientId)]);
    const stored = await dump();
    for (const { secret } of [shop, cafe]) {
      const secrets = new Map([['secret', new Set([secret])]]);
      expect(findLeaks(listed, secrets)).toEqual([]);
      expect(findLeaks(stored, secrets)).toEqual([]);
    }
  });

  it('T69: no way to authenticate is offered that needs a secret to be recoverable', async () => {
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json<Record<string, string[]>>();
    expect(metadata.token_endpoint_auth_methods_supported).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'none',
    ]);
    for (const list of Object.values(metadata).filter(Array.isArray)) expect(list).not.toContain('HS256');
  });
});

/** As a URL must be: a lone surrogate has no UTF-8. */
const wellFormed = (text: string) => text.replace(/[\ud800-\udfff]/g, '\ufffd');

describe('input that would be more than text', () => {
  const HOSTILE = [
    "' OR '1'='1",
    "'; SELECT pg_sleep(5); --",
    '1) OR pg_sleep(5) IS NULL --',
    '$1',
    '\\',
    '%',
    '_',
    'a\u0000b',
    '\u0000',
    '\ud800',
    '\ufffe',
    '{"$ne":""}',
    '../../etc/passwd',
    'x'.repeat(3000),
  ];
  const OBJECTS = [{ $ne: '' }, { id: 1 }, ['a', 'b'], [], {}, 1, true, null];

  /** 400-class; never a crash, never the engine's or database's "try again" of a statement that ran too long. */
  const expectRefused = (answer: RawAnswer, what: string) => {
    expect(answer.status, what).toBeGreaterThanOrEqual(400);
    expect(answer.status, what).toBeLessThan(500);
    // A limit that answers would hide what the input does.
    expect(answer.status, what).not.toBe(429);
  };
  const json = (path: string, body: unknown) =>
    send(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url, cookie: phone.cookie },
      body: JSON.stringify(body),
    });
  const errorsLogged = () =>
    server
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{') && ['error', 'warn'].includes(JSON.parse(line).level));

  afterAll(() => expect(errorsLogged()).toEqual([]));

  it.each([
    ['/phone/sign-in', { username: 'person', password: 'a wrong long one' }],
    ['/phone/sign-out', { csrf: 'x' }],
    ['/phone/scan', { scan_token: 'x'.repeat(27), csrf: 'x'.repeat(43) }],
    ['/phone/confirm', { scan_grant: `${'x'.repeat(22)}.${'y'.repeat(43)}`, csrf: 'x'.repeat(43), match_code: '00' }],
    ['/phone/deny', { scan_grant: `${'x'.repeat(22)}.${'y'.repeat(43)}`, csrf: 'x'.repeat(43) }],
    ['/admin/setup', { token: 'x'.repeat(43), username: 'root', password: 'a long enough one here' }],
  ])('T71: each field of %s takes a string of its own shape only', async (path, valid) => {
    for (const field of Object.keys(valid)) {
      for (const [turn, value] of [...OBJECTS, ...HOSTILE].entries()) {
        if (path === '/phone/sign-out' && typeof value === 'string' && value.length < 100) continue;
        // Another name each time: ten tries at one account are a limit's business.
        const base = 'username' in valid ? { ...valid, username: `nobody${turn}` } : valid;
        expectRefused(await json(path, { ...base, [field]: value }), `${path} ${field} ${JSON.stringify(value)}`);
      }
    }
    for (const key of ['__proto__', 'constructor', 'id', '$where', "' OR 1=1"]) {
      const body = JSON.stringify(valid).replace('{', `{${JSON.stringify(key)}:{"x":1},`);
      const answer = await send(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: server.url, cookie: phone.cookie },
        body,
      });
      expectRefused(answer, `${path} ${key}`);
    }
    for (const body of [[], 'text', 1, null]) expectRefused(await json(path, body), `${path} ${JSON.stringify(body)}`);
  });

  it('T71: each parameter of the waiting page is refused without a ticket, or carried as the text it is', async () => {
    const tickets = async () => (await server.database.sql('SELECT 1 FROM ticket')).length;
    for (const [query, names] of [
      [shop.request(), ['appid', 'redirect_uri', 'scope', 'code_challenge']],
      [cafe.request().query, ['client_id', 'redirect_uri', 'scope', 'code_challenge', 'request_uri', 'response_type']],
    ] as const) {
      const before = await tickets();
      for (const name of names) {
        for (const value of HOSTILE) {
          const answer = await send(
            `${server.url}/connect/qrconnect?${new URLSearchParams({ ...query, [name]: value })}`,
          );
          expect(answer.status, `${name} ${JSON.stringify(value)}`).toBeLessThan(500);
          expect(answer.body, `${name} ${JSON.stringify(value)}`).not.toContain('waitSecret');
        }
      }
      expect(await tickets()).toBe(before);
    }
  });

  it('T71: state and nonce may be any printable text and come back as they were; nothing else is taken', async () => {
    for (const name of ['state', 'nonce']) {
      for (const value of HOSTILE) {
        const query = new URLSearchParams({ ...cafe.request().query, [name]: value });
        const answer = await send(`${server.url}/connect/qrconnect?${query}`);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        const printable = /^[\x20-\x7e]*$/.test(value) && value.length <= (name === 'nonce' ? 512 : 4096);
        expect(answer.status, `${name} ${JSON.stringify(value)}`).toBe(printable ? 200 : 400);
      }
    }
    const query = shop.request({ state: '\'; SELECT pg_sleep(5); -- {"$ne":""} \\ %00' });
    const { redirectTo } = await login(server, phone, query);
    expect(new URL(redirectTo).searchParams.get('state')).toBe(query.state);
  });

  it('T71: bracketed, repeated and numbered query keys never become objects', async () => {
    for (const path of ['/connect/qrconnect', '/oauth/authorize', '/sns/userinfo', '/sns/oauth2/access_token']) {
      for (const key of [
        'appid[$ne]',
        'client_id[]',
        'client_id[0]',
        'access_token[a]',
        'a[b]',
        'state[__proto__][x]',
      ]) {
        const answer = await send(`${server.url}${path}?${encodeURIComponent(key)}=1&${key}=2`);
        expect(answer.status, `${path} ${key}`).toBeLessThan(500);
        expect(answer.body).not.toMatch(/waitSecret|"access_token"|"openid"/);
      }
    }
    const page = await openPage(server, cafe.request().query);
    for (const query of ['?wait[a]=1&seen[b]=pending', '?wait=1&wait=2&seen=x&seen=y', '?wait=1e9&seen=nothing']) {
      expect((await page.status(query)).json()).toMatchObject({ status: 'pending' });
    }
  });

  it('T71: each parameter of the WeChat API is an error of its table', async () => {
    const exchange = { appid: shop.clientId, secret: shop.secret, code: 'c', grant_type: 'authorization_code' };
    const refresh = { appid: shop.clientId, refresh_token: 'r', grant_type: 'refresh_token' };
    for (const [path, valid] of [
      ['oauth2/access_token', { ...exchange, code_verifier: 'v' }],
      ['oauth2/refresh_token', refresh],
      ['userinfo', { access_token: 't', openid: 'o' }],
      ['auth', { access_token: 't', openid: 'o' }],
    ] as const) {
      for (const name of Object.keys(valid)) {
        for (const value of HOSTILE) {
          const what = `${path} ${name} ${JSON.stringify(value)}`;
          const answer = await send(`${server.url}/sns/${path}?${new URLSearchParams({ ...valid, [name]: value })}`);
          expect(answer.status, what).toBe(200);
          expect(answer.json<{ errcode: number }>().errcode, what).toBeGreaterThan(40000);
        }
      }
    }
  });

  it('T71: each field of the engine is refused with an OAuth error', async () => {
    const form = {
      grant_type: 'authorization_code',
      code: 'c',
      code_verifier: 'v'.repeat(43),
      redirect_uri: 'https://a.example/',
    };
    for (const name of [...Object.keys(form), 'client_id', 'refresh_token', 'scope', 'resource']) {
      for (const value of HOSTILE) {
        expectRefused(
          await postToken(server, cafe, { ...form, [name]: value }),
          `token ${name} ${JSON.stringify(value)}`,
        );
      }
    }
    for (const value of HOSTILE) {
      const client = { clientId: encodeURIComponent(wellFormed(value)), secret: 'x' };
      expectRefused(await postToken(server, client, form), `client ${JSON.stringify(value)}`);
      expectRefused(
        await postToken(server, { ...cafe, secret: client.clientId }, form),
        `secret ${JSON.stringify(value)}`,
      );
      const query = new URLSearchParams({ ...cafe.request().query, client_id: value });
      expectRefused(await send(`${server.url}/oauth/authorize?${query}`), `authorize ${JSON.stringify(value)}`);
      const token = wellFormed(value).replace(/[^\x20-\x7e]/g, '.');
      expectRefused(await cafe.userinfo(token.slice(0, 2000)), `userinfo ${JSON.stringify(value)}`);
    }
  });

  it('T71: ids in the path and secrets in headers are text that finds nothing', async () => {
    // "." and ".." are the client's own path arithmetic; the rest arrives as it is.
    for (const value of HOSTILE.filter((v) => !v.includes('..'))) {
      const part = encodeURIComponent(wellFormed(value));
      for (const [method, path] of [
        ['GET', `/api/qr/tickets/${part}`],
        ['POST', `/api/qr/tickets/${part}/redeem`],
        ['POST', `/api/qr/tickets/${part}/renew`],
        ['DELETE', `/api/qr/tickets/${part}`],
        ['GET', `/s/${part}`],
        ['GET', `/connect/continue/${part}`],
        ['GET', `/connect/continue/${part}.${part}`],
        ['GET', `/interaction/${part}`],
        ['GET', `/oauth/authorize/${part}`],
        ['GET', `/admin/setup?token=${part}`],
        ['GET', `/picture/${part}/132`],
        ['GET', `/assets/${part}`],
      ] as const) {
        const headers = { authorization: `Bearer ${'w'.repeat(43)}`, cookie: `__Host-phone=${'s'.repeat(43)}` };
        const answer = await send(server.url, { path, method, headers });
        expectRefused(answer, `${method} ${path}`);
      }
    }
  });

  it('T71: what a person or client is called is only ever a value', async () => {
    for (const nickname of ["Robert'); DROP TABLE account;--", '{"$ne":""}', '$1', '\\x00']) {
      const own = await person(server.app, server, nickname);
      const { code } = await login(server, own, shop.request());
      const { access_token: token } = (await shop.exchange(code)).json<{ access_token: string }>();
      expect((await shop.userinfo(token)).json()).toMatchObject({ nickname });
    }
    await approve(phone, await openPage(server, cafe.request().query));
  });

  it('T71: no SQL text of ours is put together from anything but constants', () => {
    const sources = ['src', 'migrations'].flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    );
    expect(sources.length).toBeGreaterThan(50);
    for (const name of sources) {
      const source = readFileSync(join(projectRoot, name), 'utf8');
      expect(source, name).not.toMatch(/\b(raw|whereRaw|orderByRaw|selectRaw|joinRaw|havingRaw)\(\s*`[^`]*\$\{/);
      // Statements are module constants: what is spliced into them is another constant, named in capitals.
      for (const [, sql] of source.matchAll(/: Statement = \{[^}]*?text:\s*`([^`]*)`/g)) {
        for (const [, spliced] of (sql as string).matchAll(/\$\{([^}]*)\}/g)) {
          expect(spliced, name).toMatch(/^[A-Z][A-Z_]*(\.\w+)?$/);
        }
      }
      if (!/-store\.ts$|database\/|migrations\/|nudge|server-keys|audit/.test(name)) {
        expect(source, name).not.toMatch(/\.query\(\s*[`'"]/);
      }
    }
  });
});
