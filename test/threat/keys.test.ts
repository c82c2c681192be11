/** T70: keys come and go, tokens hold as long as they should and no longer, and no private part of a key is ever seen. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.js';
import { SIGNING_SERIES } from '../../src/key/key-life.js';
import { READ_EVERY_MS } from '../../src/key/key-ring.js';
import { createLogger } from '../../src/log.js';
import { projectRoot } from '../../src/project-root.js';
import { send } from '../support/http.js';
import { ageKeys } from '../support/keys.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

type Where = { url: string; port?: number };
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth', 'priv'];

const jwks = async ({ url, port }: Where) => (await send(`${url}/oauth/jwks`, { port })).json<JSONWebKeySet>();
const kidsOf = async (where: Where, alg: string) =>
  (await jwks(where)).keys.filter((key) => key.alg === alg).map(({ kid }) => kid);
const kidIn = (token: string) => decodeProtectedHeader(token).kid;
/** As a site does it: with what is published now, and nothing else. */
const verifies = async (where: Where, token: string, site: OauthSite): Promise<boolean> =>
  jwtVerify(token, createLocalJWKSet(await jwks(where)), { issuer: where.url, audience: site.clientId }).then(
    () => true,
    (error: { code?: string }) => {
      expect(error.code).toBe('ERR_JWKS_NO_MATCHING_KEY');
      return false;
    },
  );

/** Every private part of every key that is or was in the database, and the secrets. */
async function material({ database }: Pick<TestApp, 'database'>): Promise<string[]> {
  const rows = await database.sql<{ material: Record<string, string> }>('SELECT material FROM server_key');
  return rows.flatMap(({ material: key }) => [...PRIVATE, 'secret'].flatMap((part) => key[part] ?? []));
}

describe('keys that are replaced while people sign in', () => {
  let server: TestApp;
  let site: OauthSite;
  let phone: Phone;
  const seen = new Set<string>();
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));
  afterEach(async () => {
    for (const secret of await material(server)) seen.add(secret);
  });

  const tokens = async (of: OauthSite = site, where: Where = server) => {
    const { query, verifier } = of.request();
    const { code } = await login(where, phone, query);
    return (await of.exchange(code, verifier, {}, where)).json<{ id_token: string; access_token: string }>();
  };
  const idToken = async (of?: OauthSite) => (await tokens(of)).id_token;
  const pass = async (hours: number) => {
    await ageKeys(server.database, hours);
    await server.app.ring.refresh();
  };
  /** What the engine says of an ID token that a site sends back. */
  const hinted = async (hint: string) => {
    const query = new URLSearchParams({ ...site.request().query, id_token_hint: hint });
    const { headers, body } = await send(`${server.url}/oauth/authorize?${query}`);
    return String(headers.location ?? body);
  };

  it('T70: a token verifies from when it is made until it ends, through a whole rotation', async () => {
    const before = await tokens();
    const old = kidIn(before.id_token);
    const { key } = await server.app.keys.rotate('test', 'RS256');
    await server.app.ring.refresh();
    expect(await kidsOf(server, 'RS256')).toEqual([old, key.name]);
    // Known, and not signing yet.
    expect(kidIn(await idToken())).toBe(old);
    await pass(23.5);
    expect(kidIn(await idToken())).toBe(old);
    await pass(1);
    const after = await tokens();
    expect(kidIn(after.id_token)).toBe(key.name);
    expect(await kidsOf(server, 'RS256')).toEqual([key.name, old]);
    for (const { id_token: token } of [before, after]) expect(await verifies(server, token, site)).toBe(true);
    expect(await hinted(before.id_token)).toMatch(/^\/interaction\//);
    await pass(24);
    expect(await kidsOf(server, 'RS256')).toEqual([key.name]);
    expect(await verifies(server, before.id_token, site)).toBe(false);
    expect(await verifies(server, after.id_token, site)).toBe(true);
    // What is no JWT does not depend on keys.
    for (const { access_token: token } of [before, after]) expect((await site.userinfo(token)).status).toBe(200);
  });

  it('T70: a request that began before the keys changed ends after it', async () => {
    const { query, verifier } = site.request();
    const { code } = await login(server, phone, query);
    await server.app.keys.replaceAtOnce('test', ['RS256']);
    await server.app.ring.refresh();
    const token = (await site.exchange(code, verifier)).json<{ id_token: string }>().id_token;
    expect(await verifies(server, token, site)).toBe(true);
  });

  it('T70: in an emergency the old key is gone at once, and a token it signed is refused, as a hint too', async () => {
    const before = await idToken();
    expect(await hinted(before)).toMatch(/^\/interaction\//);
    const made = await server.app.keys.replaceAtOnce('test', SIGNING_SERIES);
    await server.app.ring.refresh();
    const { keys } = await jwks(server);
    expect(keys.map(({ kid }) => kid)).toEqual(made.map(({ name }) => name));
    expect(await verifies(server, before, site)).toBe(false);
    expect(await hinted(before)).toMatch(/error=invalid_request|id_token_hint/);
    const after = await idToken();
    expect(kidIn(after)).toBe(made.find(({ series }) => series === 'RS256')?.name);
    expect(await verifies(server, after, site)).toBe(true);
  });

  it.each(SIGNING_SERIES.map((alg) => [alg]))(
    'T48: %s signs with its own published key, before and after a rotation',
    async (alg) => {
      const own = await oauthSite(server.app, server, { idTokenAlg: alg });
      for (const rotate of [false, true]) {
        if (rotate) {
          await server.app.keys.rotate('test', alg, { soon: true });
          await pass(0.05);
        }
        await forgetScans(server.database);
        const token = await idToken(own);
        expect(decodeProtectedHeader(token)).toMatchObject({ alg, kid: (await kidsOf(server, alg))[0] });
        expect(await verifies(server, token, own)).toBe(true);
      }
    },
  );

  it('T70: a browser in the middle of signing in does not notice new cookie keys; in an emergency it begins again', async () => {
    const begin = async () => {
      const answer = await send(`${server.url}/oauth/authorize?${new URLSearchParams(site.request().query)}`);
      const set = [answer.headers['set-cookie'] ?? []].flat();
      const cookie = set.map((line) => line.split(';')[0]).join('; ');
      return async () => (await send(server.url + String(answer.headers.location), { headers: { cookie } })).status;
    };
    const early = await begin();
    await server.app.keys.rotate('test', 'cookie');
    await server.app.ring.refresh();
    const known = await begin();
    await pass(0.1);
    const late = await begin();
    for (const shown of [early, known, late]) expect(await shown()).toBe(200);
    await server.app.keys.replaceAtOnce('test', ['cookie']);
    await server.app.ring.refresh();
    for (const shown of [early, known, late]) expect(await shown()).toBe(410);
    expect(await (await begin())()).toBe(200);
  });

  it('T70: the published set names one algorithm and use for each key, under a random name, and nothing private', async () => {
    await server.app.keys.rotate('test', 'ES256');
    await server.app.ring.refresh();
    const { keys } = await jwks(server);
    expect(keys.filter(({ alg }) => alg === 'ES256').length).toBeGreaterThan(1);
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(new Set(SIGNING_SERIES));
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key.kid).toMatch(/^[\w-]{12}$/);
      expect(key).toMatchObject({ use: 'sig', kty: expect.stringMatching(/^(RSA|EC|OKP)$/) });
      for (const part of PRIVATE) expect(key).not.toHaveProperty(part);
    }
  });

  it('T70: a key the engine does not take stays unused: the server goes on with the ones before, and tells no part of it', async () => {
    const before = await jwks(server);
    const [row] = await server.database.sql<{ id: string; material: { d: string } }>(
      `UPDATE server_key SET material = material - 'x' || '{"kid":"damaged"}' WHERE series = 'ES256' AND ends_at IS NULL
       RETURNING id, material`,
    );
    const failure: unknown = await server.app.ring.refresh().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(inspect(failure)).toContain('does not take the keys');
    const started: unknown = await createApp(server.config, server.database.url, createLogger('silent')).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(inspect(started)).toContain('does not take the keys');
    for (const error of [failure, started]) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(row?.material.d);
    }
    expect(await jwks(server)).toEqual(before);
    expect(kidIn(await idToken())).toBeTruthy();
    await server.app.keys.replaceAtOnce('test', ['ES256']);
    await server.app.ring.refresh();
    expect(await jwks(server)).not.toEqual(before);
  });

  it('T70: nothing of all this is in the log or in the audit log', async () => {
    expect(seen.size).toBeGreaterThan(30);
    const audit = JSON.stringify(await server.database.sql('SELECT * FROM audit_event'));
    expect(audit).toContain('key.rotate');
    for (const text of [server.log(), audit]) {
      expect([...seen].filter((secret) => text.includes(secret))).toEqual([]);
    }
  });
});

describe('two nodes on one database', () => {
  let a: TestApp;
  let b: TestApp;
  beforeAll(async () => {
    a = await startApp();
    b = await startApp({ PUBLIC_URL: a.url }, a.database);
  });
  afterAll(async () => {
    await b?.app.stop();
    await a?.stop();
  });

  it('T70: agree on what is published, and each believes what the other signs, through every step', async () => {
    const site = await oauthSite(a.app, a);
    const phone = await person(a.app, a);
    const [one, other] = [a, { url: a.url, port: b.config.port }];
    const idTokenOf = async (where: Where) => {
      await forgetScans(a.database);
      const { query, verifier } = site.request();
      const { code } = await login(where, phone, query);
      return (await site.exchange(code, verifier, {}, where)).json<{ id_token: string }>().id_token;
    };
    await a.app.keys.rotate('test', 'RS256');
    for (const hours of [0, 25, 25]) {
      await ageKeys(a.database, hours);
      // One of the two is late at each step: while they differ, both know both keys.
      for (const late of [a, b]) {
        for (const where of [one, other]) {
          const token = await idTokenOf(where);
          for (const reader of [one, other]) expect(await verifies(reader, token, site)).toBe(true);
        }
        await late.app.ring.refresh();
      }
      expect(await jwks(one)).toEqual(await jwks(other));
      expect(kidIn(await idTokenOf(one))).toBe(kidIn(await idTokenOf(other)));
    }
  });

  it('T70: read the keys again at least every thirty seconds', () => {
    expect(READ_EVERY_MS).toBeLessThanOrEqual(30_000);
  });
});

describe('a process that cannot open its keys', () => {
  const SECRET = 'Vq0b7J1sXoZk3yQ9wT5uRfLm8NcHdPeA';
  const run = async (program: string, args: string[], env: Record<string, string>) => {
    const { PATH = '', USER, PGUSER } = process.env;
    const child = spawn(process.execPath, [join(projectRoot, 'dist/src', program), ...args], {
      env: { PATH, ...(USER ? { USER } : {}), ...(PGUSER ? { PGUSER } : {}), LOG_LEVEL: 'debug', ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const [status] = (await once(child, 'close')) as [number];
    return { status, output };
  };

  let server: TestApp;
  beforeAll(async () => {
    server = await startApp({ KEYS_SECRET: SECRET });
  });
  afterAll(() => server?.stop());

  it.each<[string, string, string[], Record<string, string>]>([
    ['the server, with another secret', 'main.js', [], { KEYS_SECRET: `${SECRET}-of-another-house` }],
    ['a command, with none', 'cli/admin.js', ['keys', 'list'], {}],
  ])('T70: ends with status 78 and names KEYS_SECRET: %s', async (_who, program, args, env) => {
    const { status, output } = await run(program, args, { DATABASE_URL: server.database.url, ...env });
    expect([status, output]).toEqual([78, expect.stringMatching(/KEYS_SECRET: .*sealed/)]);
    expect(output).not.toContain(SECRET);
  });

  it('T70: is not the command with the right secret, which works beside a running server and shows no part of a key', async () => {
    const settings = { DATABASE_URL: server.database.url, KEYS_SECRET: SECRET };
    const rotated = await run('cli/admin.js', ['keys', 'rotate', '--alg', 'EdDSA', '--json'], settings);
    expect(rotated.status).toBe(0);
    const [{ kid }] = JSON.parse(rotated.output) as [{ kid: string }];
    await server.app.ring.refresh();
    expect(await kidsOf(server, 'EdDSA')).toContain(kid);
    const listed = await run('cli/admin.js', ['keys', 'list'], settings);
    expect(listed.output).toMatch(new RegExp(`EdDSA +${kid} +next`));
    const { signing, cookies, csrf } = server.app.ring.current();
    const secrets = signing.flatMap((key) => PRIVATE.flatMap((part) => (key as Record<string, string>)[part] ?? []));
    expect(secrets.length).toBeGreaterThan(13);
    for (const secret of [...secrets, ...cookies, csrf]) expect(rotated.output + listed.output).not.toContain(secret);
  });
});
