/** Starts the built server as users do, and reads what the operating system knows of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../src/project-root.js';

export interface RunningServer {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from spawn until it answered. */
  readonly startMs: number;
  stop(): Promise<void>;
}

export const SERVER_PROGRAM = join(projectRoot, 'dist/src/main.js');
const running = new Set<number>();
// Whatever ends this process, no server is left behind.
process.once('exit', () => {
  for (const pid of running) endGroup(pid, 'SIGKILL');
});

export async function startServer(
  port: number,
  env: Record<string, string>,
  command: string[] = [process.execPath, SERVER_PROGRAM],
  { ipc = false } = {},
): Promise<RunningServer> {
  const url = `http://localhost:${port}`;
  const [program, ...args] = command;
  const sink = openSync('/dev/null', 'w');
  const started = performance.now();
  const child = spawn(program as string, args, {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), ...env },
    stdio: ['ignore', sink, 'inherit', ...(ipc ? (['ipc'] as const) : [])],
    // A group of its own, so that npm and what it starts are stopped together.
    detached: true,
  });
  const pid = child.pid as number;
  running.add(pid);
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      running.delete(pid);
      throw new Error(`the server on port ${port} ended with ${child.exitCode ?? child.signalCode}`);
    }
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (ready?.ok) break;
    await delay(10);
  }
  const startMs = performance.now() - started;
  return {
    url,
    child,
    startMs,
    async stop() {
      endGroup(pid, 'SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      running.delete(pid);
      while (
        await fetch(`http://127.0.0.1:${port}/health/live`).then(
          () => true,
          () => false,
        )
      )
        await delay(10);
    },
  };
}

function endGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** A folder the private Postgres can use also when it runs as another user than we do. */
export function newDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'qrconnect-bench-'));
  chmodSync(dataDir, 0o711);
  return dataDir;
}

/** Resident and proportional memory of a process, in MB (Linux). */
export function memoryOf(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return { rss: kb('Rss') / 1024, pss: kb('Pss') / 1024 };
}

/** Processor seconds a process has used (user and system). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The postmaster of a data directory and its children. */
export function postgresPids(dataDir: string): number[] {
  const postmaster = Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === postmaster;
    } catch {
      return false;
    }
  });
  return [postmaster, ...children.map(Number)];
}
