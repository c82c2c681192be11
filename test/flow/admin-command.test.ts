/** The real command line beside a running server: what it ends is over at the server's next request. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { ADMINISTRATOR, callConsole, makeAdministrator, signInToConsole } from '../support/administrator.js';
import { startApp, type TestApp } from '../support/start-app.js';

const CLIENTS = '/admin/api/clients';
const OTHER = { username: 'mei', password: 'another long pass phrase' };

const folder = mkdtempSync(join(tmpdir(), 'admin-command-'));
let server: TestApp;
/** The last audit event before the test: what was written down stays. */
let known: unknown;
beforeAll(async () => {
  server = await startApp();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server?.stop();
});
beforeEach(async () => {
  await server.database.sql('TRUNCATE administrator, api_token CASCADE');
  await makeAdministrator(server);
  known = (await server.database.sql('SELECT max(id) AS last FROM audit_event'))[0]?.last;
});

/** `npm run admin -- ...`; what it writes to either stream. */
async function command(...args: string[]) {
  const { PATH = '', USER, PGUSER } = process.env;
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/admin.js'), ...args], {
    env: {
      ...{ PATH, DATABASE_URL: server.database.url, PUBLIC_URL: server.url },
      ...(USER ? { USER } : {}),
      ...(PGUSER ? { PGUSER } : {}),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = (await once(child, 'close')) as [number];
  return { status, output };
}

/** The same with --json. */
async function answer<T>(...args: string[]): Promise<T> {
  const { status, output } = await command(...args, '--json');
  expect([status, output]).toEqual([0, expect.stringMatching(/^[[{].*\n$/)]);
  return JSON.parse(output) as T;
}

const withToken = (token: string, method = 'GET', body?: unknown) =>
  callConsole(server, method, CLIENTS, body, { Authorization: `Bearer ${token}`, Origin: '', 'Sec-Fetch-Site': '' });
const signIn = (who: typeof OTHER) => callConsole(server, 'POST', '/admin/sign-in', who);
const audited = async () => {
  const rows = await server.database.sql(
    `SELECT actor || ': ' || action AS what FROM audit_event
     WHERE id > $1 AND action ~ '^(administrator|api-token)\\.' AND actor NOT IN ('environment', 'console') ORDER BY id`,
    [known],
  );
  return rows.map(({ what }) => what);
};

describe('npm run admin -- administrators', () => {
  it('creates one who can sign in, and lists everybody', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, `${OTHER.password}\n`);
    const made = await answer<Record<string, unknown>>(
      ...['administrators', 'create', '--username', 'Mei', '--password-file', file],
    );
    expect(made).toMatchObject({ username: 'mei', passkeys: 0 });
    const listed = await answer<Array<{ username: string }>>('administrators', 'list');
    expect(listed.map(({ username }) => username)).toEqual([ADMINISTRATOR.username, 'mei']);
    const admin = await signInToConsole(server, OTHER);
    expect((await admin.call('GET', CLIENTS)).status).toBe(200);
    expect(await audited()).toEqual(['command line: administrator.create']);
  });

  it('refuses a taken name, a name and a password that will not do, and changes nothing', async () => {
    const taken = await command('administrators', 'create', '--username', 'ROOT', '--password', OTHER.password);
    expect([taken.status, taken.output]).toEqual([1, expect.stringMatching(/"root" is taken.*administrators reset/)]);
    const { administrators } = server.app;
    for (const [attempt, text] of [
      [() => administrators.create('test', 'two words', OTHER.password), /a user name has 1 to 64 letters/],
      [() => administrators.create('test', 'mei', 'short'), /the password is too weak: use at least 12 characters/],
      [() => administrators.create('test', 'Mei', 'is it mei, or is it me'), /too weak: it contains the user name/],
      [() => administrators.reset('test', 'root', 'password1234'), /the password is too weak/],
      [() => administrators.reset('test', 'mei', OTHER.password), /no administrator "mei".*administrators list/],
      [() => administrators.remove('test', 'mei'), /no administrator "mei".*administrators list/],
    ] as const)
      await expect(attempt()).rejects.toThrow(text);
    expect(await administrators.list()).toHaveLength(1);
    expect((await signIn(ADMINISTRATOR)).status).toBe(200);
    expect(await audited()).toEqual([]);
  });

  it('T20 a reset ends sessions at once, deletes passkeys, and only the new password opens anything', async () => {
    const admin = await signInToConsole(server);
    expect((await admin.call('GET', CLIENTS)).status).toBe(200);
    await server.database.sql(
      `INSERT INTO administrator_passkey (id, administrator_id, name, public_key, sign_count, transports, backed_up)
       SELECT 'lost', id, 'lost', '', 0, '{}', false FROM administrator`,
    );
    expect((await signIn(ADMINISTRATOR)).status).toBe(401);

    const { status, output } = await command('administrators', 'reset', 'root', '--password', OTHER.password);
    expect([status, output]).toEqual([0, expect.stringMatching(/The passkey is deleted/)]);
    expect(output).not.toContain(OTHER.password);
    expect((await admin.call('GET', CLIENTS)).status).toBe(401);
    expect((await signIn(ADMINISTRATOR)).status).toBe(401);
    const again = await signInToConsole(server, { username: 'root', password: OTHER.password });
    expect((await again.call('GET', CLIENTS)).status).toBe(200);
    expect(await audited()).toEqual(['command line: administrator.reset']);
  });

  it('T20 a removed one is out at once, and the last one stays', async () => {
    await answer('administrators', 'create', '--username', OTHER.username, '--password', OTHER.password);
    const [mei, root] = [await signInToConsole(server, OTHER), await signInToConsole(server)];
    expect((await mei.call('GET', CLIENTS)).status).toBe(200);
    expect(await answer('administrators', 'remove', OTHER.username)).toMatchObject({ username: 'mei', removed: true });
    expect((await mei.call('GET', CLIENTS)).status).toBe(401);
    expect((await signIn(OTHER)).status).toBe(401);
    expect((await root.call('GET', CLIENTS)).status).toBe(200);

    const last = await command('administrators', 'remove', 'root', '--json');
    expect(last.status).toBe(1);
    expect(JSON.parse(last.output)).toMatchObject({
      error: 'conflict',
      error_description: expect.stringMatching(/last administrator.*administrators create/),
    });
    expect((await root.call('GET', CLIENTS)).status).toBe(200);
    expect(await audited()).toEqual(['command line: administrator.create', 'command line: administrator.remove']);
  });
});

describe('npm run admin -- tokens', () => {
  interface Token {
    id: string;
    token: string;
    last_used_at: string | null;
  }

  it('makes one that programs call the API with until it is revoked', async () => {
    const { id, token, ...rest } = await answer<Token>('tokens', 'create', '--name', 'deploy');
    expect(token).toMatch(/^qrconnect_admin_[\w-]{43}$/);
    // Typed behind "revoke": never taken for an option.
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(rest).toMatchObject({ name: 'deploy', read_only: false, last_used_at: null });
    const shop = { name: 'Shop', redirect_uris: ['https://shop.example/callback'] };
    expect((await withToken(token, 'POST', shop)).status).toBe(201);

    const listed = await command('tokens', 'list', '--json');
    expect(JSON.parse(listed.output)).toEqual([{ id, ...rest, last_used_at: expect.any(String) }]);
    expect(listed.output).not.toContain(token);
    const stored = await server.database.sql('SELECT * FROM api_token');
    expect(JSON.stringify(stored)).not.toContain(token);

    expect(await answer('tokens', 'revoke', id)).toMatchObject({ id, name: 'deploy' });
    expect((await withToken(token)).status).toBe(401);
    expect(await answer('tokens', 'list')).toEqual([]);
    const again = await command('tokens', 'revoke', id);
    expect([again.status, again.output]).toEqual([1, expect.stringMatching(/there is no token .*tokens list/)]);
    expect(await audited()).toEqual(['command line: api-token.create', 'command line: api-token.revoke']);
  });

  it('makes one that may look and not change', async () => {
    const { token } = await answer<Token>('tokens', 'create', '--name', 'watch', '--read-only', '--days', '1');
    expect((await withToken(token)).status).toBe(200);
    expect((await withToken(token, 'POST', {})).status).toBe(403);
  });

  it('refuses a name that would forge a line of the list', async () => {
    const { status, output } = await command('tokens', 'create', '--name', 'a\nb');
    expect([status, output]).toEqual([1, expect.stringMatching(/the name holds control or invisible characters/)]);
  });
});

describe('npm run admin -- clients', () => {
  it('deletes a disabled client, and checks a redirect URI with status 0 either way', async () => {
    const { client } = await server.app.clients.register('test', {
      name: 'Shop',
      redirectUris: ['https://shop.example/callback'],
    });
    const check = (uri: string) => command('clients', 'check-redirect-uri', client.id, '--redirect-uri', uri);
    const [good, bad] = [await check('https://shop.example/callback'), await check('https://shop.example/other')];
    expect([good.status, good.output]).toEqual([0, expect.stringMatching(/^Accepted: /)]);
    expect([bad.status, bad.output]).toEqual([0, expect.stringMatching(/^Refused: the path is another one than in /)]);

    const early = await command('clients', 'delete', client.id);
    expect([early.status, early.output]).toEqual([1, expect.stringMatching(/only a disabled client/)]);
    await server.app.clients.disable('test', client.id);
    expect(await answer('clients', 'delete', client.id)).toEqual({ client_id: client.id, deleted: true });
    expect((await command('clients', 'show', client.id)).output).toContain('there is no client');
  });
});
