import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { type Phone, signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';
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
      'private_key_jwt',
      'none',
    ]);
    for (const list of Object.values(metadata).filter(Array.isArray)) expect(list).not.toContain('HS256');
  });
});
