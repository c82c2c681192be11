/** One process at a time: a lock file that outlives nobody, because a lock whose holder is gone is taken over. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, startedAt } from './embedded-process.js';

// Longer than the longest wait of a holder, which is for a server that replays its log after a crash.
const PATIENCE = 150_000;
/** Between creating a file and writing its one line lie microseconds; older than this, the writer died there. */
const UNFINISHED = 10_000;

export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${startedAt(process.pid)} ${randomUUID()}`;
  const deadline = Date.now() + PATIENCE;
  while (!take(path, mine)) {
    if (Date.now() > deadline) {
      throw new Error(
        `Process ${read(path)?.split(' ')[0]} holds ${path} and does not let go: end that process, or delete the file.`,
      );
    }
    await delay(20);
  }
  try {
    return await work();
  } finally {
    if (read(path) === mine) unlinkSync(path);
  }
}

/** Synchronous on purpose: nothing but a kill can come between its steps. */
function take(path: string, mine: string): boolean {
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') {
      if (code === 'ENOSPC' || code === 'EDQUOT') rmSync(path, { force: true });
      throw error;
    }
  }
  const held = read(path);
  if (held !== undefined && isAbandoned(path, held)) removeAbandoned(path, held);
  return false;
}

/** Two processes that find the same dead lock must not remove each other's new one: look again inside a second lock. */
function removeAbandoned(path: string, held: string): void {
  const guard = `${path}.takeover`;
  try {
    mkdirSync(guard);
  } catch {
    if (age(guard) > UNFINISHED) rmdirSync(guard);
    return;
  }
  if (read(path) === held) unlinkSync(path);
  rmdirSync(guard);
}

function isAbandoned(path: string, held: string): boolean {
  const [pid, start] = held.split(' ');
  if (!pid || start === undefined) return age(path) > UNFINISHED;
  if (!isRunning(Number(pid))) return true;
  const now = startedAt(Number(pid));
  return now !== '' && start !== '' && now !== start;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function age(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
