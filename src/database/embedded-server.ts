/** Starts, finds and stops the Postgres server of one location; callers hold the location's lock. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnOptions } from './embedded-cluster.js';
import { embeddedFailure } from './embedded-failure.js';
import type { Location } from './embedded-location.js';
import { isPostmasterOf } from './embedded-process.js';
import { freeStaleLocks, readServerFile } from './embedded-server-file.js';
import { answers, checkSocketDir, PORT, socketFile } from './embedded-socket.js';

export interface Server {
  /** Undefined when the server runs where we do not see its process (another container on the same folder). */
  readonly pid: number | undefined;
  readonly socketDir: string;
}

type Found = 'nothing' | 'busy' | Server;

const START_PATIENCE = 120_000;
const STOP_PATIENCE = 60_000;
const BIG_LOG = 10 * 1024 * 1024;

/** Small on memory, never at the price of durability: fsync and full_page_writes keep their defaults. */
const SETTINGS: Record<string, string> = {
  max_connections: '150',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  io_method: 'sync',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  timezone: 'UTC',
  // The caller sees every error of its statements; in this log they would grow without bound and repeat people's data.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
  log_error_verbosity: 'terse',
};

/** The running server, waiting for one that is starting or stopping; undefined when none runs. */
export async function findServer(location: Location): Promise<Server | undefined> {
  const deadline = Date.now() + START_PATIENCE;
  for (;;) {
    const found = await look(location);
    if (found === 'nothing') return undefined;
    if (found !== 'busy' && existsSync(socketFile(found.socketDir))) return found;
    if (found !== 'busy' && found.pid) process.kill(found.pid, 'SIGINT'); // its socket was deleted: nobody can reach it
    if (Date.now() > deadline)
      throw embeddedFailure('Waiting for the private Postgres', tail(location.log, 0), location);
    await delay(20);
  }
}

async function look({ data, account }: Location): Promise<Found> {
  const file = readServerFile(data);
  if (!file) return 'nothing';
  if (file.socketDir) checkSocketDir(file.socketDir, account);
  const pid = isPostmasterOf(file.pid, data) ? file.pid : undefined;
  if (!pid && !(file.socketDir && (await answers(socketFile(file.socketDir))))) return 'nothing';
  return file.state === 'ready' ? { pid, socketDir: file.socketDir } : 'busy';
}

/** Only after findServer found none. */
export async function startServer(
  location: Location,
  postgres: string,
  socketDir: string,
  settings: Record<string, string>,
): Promise<Server> {
  const deadline = Date.now() + START_PATIENCE;
  for (;;) {
    freeStaleLocks(location, socketDir);
    const { child, from } = launch(location, postgres, serverArguments(location, socketDir, settings));
    const failure = await untilReady(child, location, deadline);
    child.unref();
    if (!failure) return { pid: child.pid, socketDir };
    const output = `${failure.message}\n${tail(location.log, from)}`;
    // Orphans of a killed server leave within moments; Postgres itself watches that none of them is left.
    const passes = /still in use|lock file .* already exists/.test(output) && Date.now() < deadline;
    if (!passes) throw embeddedFailure('Starting the private Postgres', output, location, failure);
    await delay(200);
  }
}

function launch(location: Location, postgres: string, args: string[]): { child: ChildProcess; from: number } {
  const { fd, from } = openLog(location);
  try {
    // In a session of its own, so that Ctrl+C at our terminal does not reach it.
    const options = { ...spawnOptions(location.account), detached: true } as const;
    return { child: spawn(postgres, args, { ...options, stdio: ['ignore', fd, fd] }), from };
  } finally {
    closeSync(fd);
  }
}

async function untilReady(child: ChildProcess, { data }: Location, deadline: number): Promise<Error | undefined> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  child.once('exit', (code, signal) => {
    failure ??= new Error(`postgres ended with ${signal ?? code}`);
  });
  while (!failure) {
    const file = readServerFile(data);
    if (file?.pid === child.pid && file?.state === 'ready') return undefined;
    if (Date.now() > deadline)
      return new Error('postgres is still busy, probably replaying its log after a crash: try again later');
    await delay(5);
  }
  return failure;
}

/** Fast shutdown: running statements are cancelled, everything committed is kept. */
export async function stopServer(location: Location, { pid }: Server): Promise<void> {
  if (!pid || !isPostmasterOf(pid, location.data)) return;
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOP_PATIENCE;
  while (readServerFile(location.data)?.pid === pid && isPostmasterOf(pid, location.data)) {
    if (Date.now() > deadline) throw embeddedFailure('Stopping the private Postgres', tail(location.log, 0), location);
    await delay(10);
  }
}

function serverArguments({ data }: Location, socketDir: string, settings: Record<string, string>): string[] {
  const fixed = {
    listen_addresses: '', // no TCP at all: who may enter the socket's folder is the only question
    port: String(PORT),
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`, // a list; the quotes keep a comma in the path
    unix_socket_permissions: '0700',
  };
  const all = Object.entries({ ...SETTINGS, ...settings, ...fixed });
  return ['-D', data, ...all.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function openLog({ log, account }: Location): { fd: number; from: number } {
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > BIG_LOG) renameSync(log, `${log}.1`);
  // The folder is the database user's: as root, never follow a link it left there.
  const fd = openSync(log, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  if (account.spawnAs.uid !== undefined) fchownSync(fd, account.uid, account.gid);
  return { fd, from: fstatSync(fd).size };
}

function tail(log: string, from: number): string {
  if (!existsSync(log)) return '';
  return readFileSync(log).subarray(from).toString('utf8').trim().split('\n').slice(-15).join('\n');
}
