/** Which system user the private Postgres runs as, and which folders that user can reach. */
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** For spawn: empty when this process is that user already. */
  readonly spawnAs: { uid?: number; gid?: number };
}

/**
 * Postgres refuses to run as root, so root hands it to a system user. A cluster runs as whoever owns its files;
 * `ownerUid` is that owner when there is a cluster already.
 */
export function chooseAccount(ownerUid?: number): Account {
  const uid = process.getuid?.() ?? 0;
  const users = readPasswd();
  if (uid !== 0) {
    return {
      name: users.find((u) => u.uid === uid)?.name ?? `uid ${uid}`,
      uid,
      gid: process.getgid?.() ?? uid,
      spawnAs: {},
    };
  }
  const user =
    ownerUid === undefined
      ? ['postgres', '_postgres', 'nobody'].map((name) => users.find((u) => u.name === name && u.uid > 0)).find(Boolean)
      : users.find((u) => u.uid === ownerUid);
  if (user) return { ...user, spawnAs: { uid: user.uid, gid: user.gid } };
  throw new Error(
    ownerUid === undefined
      ? 'Postgres does not run as root and this system has no user named postgres or nobody: start as an ordinary user, or set DATABASE_URL.'
      : `The database files belong to uid ${ownerUid}, which /etc/passwd does not know: add that user, or give the files to another one with chown -R.`,
  );
}

export function userName(uid: number): string {
  return readPasswd().find((u) => u.uid === uid)?.name ?? `uid ${uid}`;
}

/** The folder on the way to `path` (itself included) that `account` may not pass; undefined when it gets there. */
export function obstacle(path: string, account: Account): string | undefined {
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
  const { mode, uid, gid } = statSync(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

function readPasswd(): { name: string; uid: number; gid: number }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}
