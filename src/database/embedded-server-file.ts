/** The files in which a Postgres server says who and where it is, and what to do with those a dead one left behind. */
import { lchownSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Location } from './embedded-location.js';
import { exists, isPostmasterOf } from './embedded-process.js';
import { socketFile } from './embedded-socket.js';

/** postmaster.pid: pid, data folder, start, port, socket folder, address, shared memory, state; one a line. */
export interface ServerFile {
  readonly pid: number;
  /** '' in the first moments of a start. */
  readonly socketDir: string;
  /** starting, ready, stopping. */
  readonly state: string;
}

/** A number no process has, on any system. */
const NOBODY = '2147483647';

export function readServerFile(data: string): ServerFile | undefined {
  const text = read(join(data, 'postmaster.pid'));
  if (!text?.trim()) return undefined;
  const lines = text.split('\n');
  return { pid: Number.parseInt(lines[0] ?? '', 10), socketDir: lines[4] ?? '', state: lines[7]?.trim() ?? '' };
}

/**
 * Postgres replaces the lock files of a dead process by itself. It refuses only where the pid seems alive: a zombie,
 * or a number given out again. There we put a dead number in the file instead of deleting it, because its seventh line
 * helps Postgres see that orphans of the old server still write to the data.
 */
export function freeStaleLocks({ data, account }: Location, socketDir: string): void {
  for (const file of [join(data, 'postmaster.pid'), `${socketFile(socketDir)}.lock`]) {
    const text = read(file);
    if (text === undefined) continue;
    const [pid = '', ...rest] = text.split('\n');
    if (!pid.trim())
      rmSync(file, { force: true }); // a power failure left it empty
    else if (exists(Number(pid)) && !isPostmasterOf(Number(pid), data)) {
      const fresh = `${file}.new`;
      rmSync(fresh, { force: true });
      writeFileSync(fresh, [NOBODY, ...rest].join('\n'), { flag: 'wx', mode: 0o600 });
      if (account.spawnAs.uid !== undefined) lchownSync(fresh, account.uid, account.gid);
      renameSync(fresh, file);
    }
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
