/** A private Postgres for one question, as the server itself would start it. */
import { readFileSync, rmSync } from 'node:fs';
import { startEmbeddedPostgres } from '../src/database/embedded.js';
import { cpuOf, newDataDir, postgresPids } from './server-process.js';

export interface Postgres {
  readonly url: string;
  /** Processor seconds that all its processes have used so far, ended ones included. */
  cpu(): number;
}

let current: { stop(): Promise<void> } | undefined;

export async function withPostgres<T>(ask: (postgres: Postgres) => Promise<T>): Promise<T> {
  const dataDir = newDataDir();
  const server = await startEmbeddedPostgres({ dataDir });
  current = {
    async stop() {
      current = undefined;
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  try {
    return await ask({ url: server.url, cpu: () => cpuOfAll(postgresPids(dataDir)) });
  } finally {
    await current?.stop();
  }
}

/** For whoever is interrupted. */
export async function stopPostgres(): Promise<void> {
  await current?.stop();
}

function cpuOfAll([postmaster, ...children]: number[]): number {
  const fields = readFileSync(`/proc/${postmaster}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ended = (Number(fields[13]) + Number(fields[14])) / 100;
  return children.reduce(
    (sum, pid) => {
      try {
        return sum + cpuOf(pid);
      } catch {
        // It has just ended.
        return sum;
      }
    },
    cpuOf(postmaster as number) + ended,
  );
}
