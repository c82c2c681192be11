/** Folders for the private Postgres: those its user can reach, and those nobody else can. */
import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Account, userName } from './embedded-account.js';

/** Makes a folder that only `account` can enter, or makes sure that an existing one is. */
export function makePrivate(dir: string, account: Account): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // Also where another start of root's made it a moment ago, or was killed before it could give it away.
  const stillRoots =
    account.spawnAs.uid !== undefined &&
    lstatSync(dir).isDirectory() &&
    lstatSync(dir).uid === 0 &&
    readdirSync(dir).length === 0;
  if (stillRoots) lchownSync(dir, account.uid, account.gid);
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== account.uid) {
    const owner = userName(stat.uid);
    throw new Error(
      `${dir} belongs to ${owner}, not to ${account.name}: run as ${owner}, or remove it if it is not yours.`,
    );
  }
  if ((stat.mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
}

/** The folder on the way to `path` (itself included) that `account` may not pass; undefined when it gets there. */
export function obstacle(path: string, account: Account): string | undefined {
  if (account.spawnAs.uid === undefined) return undefined; // that is us: we would have failed already
  const steps: string[] = [];
  for (let step = realpathSync(path); !steps.includes(step); step = dirname(step)) steps.push(step);
  return steps.reverse().find((step) => !allows(step, account, 0o1));
}

/** Makes a folder for what `account` must get at. */
export function makeReachable(dir: string, account: Account): void {
  if (!existsSync(dir)) {
    mkdirSync(dir, { recursive: true });
    chmodSync(dir, 0o755); // whatever our umask says
  }
  const wall = obstacle(dir, account);
  if (!wall) return;
  throw new Error(`The user ${account.name} must be able to enter ${wall}: chmod o+x ${wall}, or set DATABASE_URL.`);
}

/** Looks at the mode bits alone: an access list that grants more only costs a copy we could have spared. */
export function allows(path: string, account: Account, bits: number): boolean {
  if (account.spawnAs.uid === undefined) return true;
  const { mode, uid, gid } = statSync(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}
