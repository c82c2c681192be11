import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { createTestDatabase } from '../support/database.js';
import { send } from '../support/http.js';
import { freePort, startApp, startNode, type TestApp } from '../support/start-app.js';

const PASSWORD = 'correct horse battery staple';

describe('how the first administrator comes to be', () => {
  let server: TestApp;
  beforeEach(async () => {
    await server?.stop();
    server = await startApp();
  });
  afterAll(() => server?.stop());

  const open = (token?: string) => send(`${server.url}/admin/setup${token === undefined ? '' : `?token=${token}`}`);
  const setUp = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    send(`${server.url}/admin/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url, ...headers },
      body: JSON.stringify({ username: 'root', password: PASSWORD, ...body }),
    });
  const newToken = async () => (await server.app.administrators.bootstrap(undefined)) as string;
  const administrators = () =>
    server.database.sql<{ username: string; password_hash: string }>('SELECT * FROM administrator');

  it('T61: a fresh database has no administrator, no account and no client', async () => {
    await newToken();
    for (const table of ['administrator', 'account', 'client']) {
      expect(await server.database.sql(`SELECT 1 FROM ${table}`)).toHaveLength(0);
    }
  });

  it.each(['admin', 'root', 'administrator', 'demo', 'test'])(
    'T61: nobody signs in as %s with a guess',
    async (username) => {
      await newToken();
      for (const password of [username, 'admin', 'password', 'changeme']) {
        const answer = await send(`${server.url}/phone/sign-in`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: server.url },
          body: JSON.stringify({ username, password }),
        });
        expect(answer.status).toBe(401);
      }
    },
  );

  it('T61: without a token or with a wrong one the form and the call answer 403', async () => {
    await newToken();
    for (const wrong of [undefined, '', 'x', 'A'.repeat(43)]) {
      expect((await open(wrong)).status).toBe(403);
    }
    for (const token of ['x', 'A'.repeat(43)]) expect((await setUp({ token })).status).toBe(403);
    for (const token of [undefined, '', ['x'], { $ne: '' }]) expect((await setUp({ token })).status).toBe(400);
    const hashed = await server.database.sql<{ token_hash: string }>('SELECT token_hash FROM setup_token');
    expect((await setUp({ token: hashed[0]?.token_hash })).status).toBe(403);
    expect(await administrators()).toHaveLength(0);
  });

  it('T61: the right token works once; the second time it answers 410, and so does the form', async () => {
    const token = await newToken();
    expect((await open(token)).status).toBe(200);
    // Looking spends nothing.
    expect((await open(token)).status).toBe(200);
    expect((await setUp({ token })).status).toBe(201);
    const second = await setUp({ token, username: 'second' });
    expect(second.status).toBe(410);
    const over = await open(token);
    expect(over.status).toBe(410);
    expect(over.body).toContain('sign in at /admin');
    const [row, ...more] = await administrators();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ username: 'root', password_hash: expect.stringMatching(/^\$argon2id\$/) });
  });

  it('T61: a token older than its thirty minutes answers 410', async () => {
    const token = await newToken();
    const [row] = await server.database.sql<{ minutes: number }>(
      'SELECT round(extract(epoch FROM expires_at - now()) / 60)::int AS minutes FROM setup_token',
    );
    expect(row?.minutes).toBe(30);
    await server.database.sql('UPDATE setup_token SET expires_at = now()');
    expect((await open(token)).status).toBe(410);
    expect((await setUp({ token })).status).toBe(410);
    expect(await administrators()).toHaveLength(0);
  });

  it('T61: a restart prints a new token and the old one is over', async () => {
    const old = await newToken();
    const fresh = await newToken();
    expect((await setUp({ token: old })).status).toBe(403);
    expect((await setUp({ token: fresh })).status).toBe(201);
    expect(await server.app.administrators.bootstrap(undefined)).toBeUndefined();
  });

  it('T61: of ten setups at once with one token, one makes an administrator', async () => {
    const token = await newToken();
    // A hash costs 30 ms and 19 MiB; the service answers 503 beyond what it bounds, which is no setup either.
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => setUp({ token, username: `admin${i}` })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status } of answers.filter((answer) => answer.status !== 201)) expect([410, 503]).toContain(status);
    expect(await administrators()).toHaveLength(1);
  });

  it('T61: a token outlives nothing: once there is an administrator by other means it is over', async () => {
    const token = await newToken();
    await server.app.administrators.bootstrap({ username: 'root', password: PASSWORD });
    expect((await setUp({ token, username: 'second' })).status).toBe(410);
    expect(await administrators()).toHaveLength(1);
  });

  it('T61: a refused setup leaves its token usable: weak passwords, bad names, other origins, other types', async () => {
    const token = await newToken();
    for (const password of [
      'short',
      'password1234567',
      'rootrootrootroot',
      'aaaaaaaaaaaaaaaa',
      'qrconnect-qrconnect',
    ]) {
      expect((await setUp({ token, password })).status).toBe(400);
    }
    for (const username of ['', ' root', 'a b', 'x'.repeat(65), '\u202eroot']) {
      expect((await setUp({ token, username })).status).toBe(400);
    }
    expect((await setUp({ token }, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await setUp({ token }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await setUp({ token, admin: true })).status).toBe(400);
    expect((await setUp({ token })).status).toBe(201);
  });

  it('T61: ADMIN_USERNAME and ADMIN_PASSWORD make the first administrator, once, and print no token', async () => {
    const database = await createTestDatabase();
    const env = { ADMIN_USERNAME: 'Boss', ADMIN_PASSWORD: PASSWORD };
    for (const _start of [1, 2]) {
      const node = await startNode({ databaseUrl: database.url, publicUrl: 'http://localhost:9', env });
      await node.stop();
      expect(node.output()).not.toContain('/admin/setup?token=');
      expect(node.output()).not.toContain(PASSWORD);
    }
    expect(await database.sql('SELECT username FROM administrator')).toEqual([{ username: 'boss' }]);
    await database.drop();
  });
});

describe('a server with wrong settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qrconnect-settings-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the server until it ends by itself. */
  async function run(env: Record<string, string>) {
    const port = String(await freePort());
    const dataDir = join(folder, port);
    const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
      env: { PATH: process.env.PATH, PORT: port, DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    // A server that comes up is ended, and its status is then not 78.
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const [status] = await once(child, 'exit');
    clearTimeout(timer);
    return { status, output, dataDir };
  }

  const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://login.example.com', ADMIN_USERNAME: 'root' };

  it.each(['changeme', 'password', 'admin', 'changeme-changeme', 'example-password', 'root-root-root-1', 'short'])(
    'T61: refuses to start in production with the password %s, and starts nothing',
    async (password) => {
      const { status, output, dataDir } = await run({ ...production, ADMIN_PASSWORD: password });
      expect(status).toBe(78);
      expect(output).toContain('ADMIN_PASSWORD');
      expect(existsSync(dataDir)).toBe(false);
      if (password.length > 8) expect(output).not.toContain(password);
    },
  );

  it('T61: reports every wrong setting at once', async () => {
    const { status, output, dataDir } = await run({
      PORT: '70000',
      PUBLIC_URL: 'ftp://x',
      DATABASE_URL: 'mysql://x',
      LOG_LEVEL: 'loud',
      DEMO: 'perhaps',
      TICKET_SECONDS: '1',
      TRUSTED_PROXIES: 'everybody',
      ADMIN_USERNAME: 'root',
      ADMIN_PASSWORD: 'weak',
    });
    expect(status).toBe(78);
    for (const name of [
      'PORT',
      'PUBLIC_URL',
      'DATABASE_URL',
      'LOG_LEVEL',
      'DEMO',
      'TICKET_SECONDS',
      'TRUSTED_PROXIES',
      'ADMIN_PASSWORD',
    ]) {
      expect(output).toMatch(new RegExp(`^ *-? *${name}:`, 'm'));
    }
    expect(existsSync(dataDir)).toBe(false);
  });

  it('T61: does not start in production without saying where it is reached', async () => {
    const { status, output } = await run({ NODE_ENV: 'production' });
    expect(status).toBe(78);
    expect(output).toContain('PUBLIC_URL');
  });
});
