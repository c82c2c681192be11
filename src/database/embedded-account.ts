/** Which system user the private Postgres runs as. */
import { readFileSync } from 'node:fs';

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

function readPasswd(): { name: string; uid: number; gid: number }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}
