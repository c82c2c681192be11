/** What the system tells about a process: is it running, since when, is it the Postgres of this data folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';

// macOS has no /proc; there ps answers the same questions, some milliseconds slower.
const HAS_PROC = existsSync('/proc/self/stat');

/** A zombie is not running: where PID 1 does not reap (containers), a killed Postgres stays one for ever. */
export function isRunning(pid: number): boolean {
  return exists(pid) && !readFacts(pid)?.zombie;
}

/** True for a zombie too. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells a process from a later one with the same pid; '' when the system does not say. */
export function startedAt(pid: number): string {
  return readFacts(pid)?.startedAt ?? '';
}

/** A pid alone proves nothing (it may have been given out again), so this asks what that process works on. */
export function isPostmasterOf(pid: number, dataDir: string): boolean {
  if (!isRunning(pid)) return false;
  try {
    // Postgres works in its data folder; comparing inodes holds when the folder was renamed meanwhile.
    const cwd = statSync(`/proc/${pid}/cwd`);
    const data = statSync(dataDir);
    return cwd.dev === data.dev && cwd.ino === data.ino;
  } catch {
    // macOS, or root in a container that may not look into other users' processes.
    const command = readCommand(pid);
    return /\bpostgres\b/.test(command) && command.includes(` -D ${dataDir} `);
  }
}

function readFacts(pid: number): { zombie: boolean; startedAt: string } | undefined {
  try {
    if (HAS_PROC) {
      // The second field is the program's name in parentheses and may hold anything; count from its end.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { zombie: fields[0] === 'Z' || fields[0] === 'X', startedAt: fields[19] ?? '' };
    }
    const [state = '', ...start] = ps(pid, 'stat=', 'lstart=').trim().split(/\s+/);
    return { zombie: state.startsWith('Z'), startedAt: start.join('-') };
  } catch {
    return undefined;
  }
}

function readCommand(pid: number): string {
  try {
    return HAS_PROC ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') : ps(pid, 'command=');
  } catch {
    return '';
  }
}

function ps(pid: number, ...columns: string[]): string {
  const options = columns.flatMap((column) => ['-o', column]);
  return execFileSync('ps', ['-ww', ...options, '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
