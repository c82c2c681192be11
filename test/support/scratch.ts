/** Where the tests' own Postgres servers live: in memory where a machine has room there, for a disk is slow and nothing is kept. */
import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
/** Bytes. Containers often have 64 MB there. */
const ENOUGH = 1024 ** 3;

export function scratchFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    accessSync(IN_MEMORY, constants.W_OK);
    return bavail * bsize >= ENOUGH && maySetOffPrograms() ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** As root, Postgres may have to be copied to where its user can run it. */
function maySetOffPrograms(): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const [, , kind, options] = mounts.findLast((line) => line.split(' ')[1] === IN_MEMORY)?.split(' ') ?? [];
  return kind === 'tmpfs' && !options?.split(',').includes('noexec');
}
