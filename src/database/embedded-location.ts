/** Where the private database of one DATA_DIR is kept, and under which user; decided once, found again ever after. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Account, chooseAccount, makeReachable, obstacle, userName } from './embedded-account.js';

export interface Location {
  /** Ours alone: data/, server.log, start.lock and, if the path is short enough, socket/. */
  readonly dir: string;
  /** The Postgres data folder. */
  readonly data: string;
  readonly log: string;
  readonly account: Account;
  /** Where a copy of the programs goes if they cannot run where npm put them. */
  readonly copyHome: string;
  readonly notes: string[];
  /** Leaves word in DATA_DIR; called once there is a database to find. */
  record(): void;
}

const RECORD = 'postgres-location';

/** `sharedDir` is for root alone, whose own folders (0700) the database's user cannot enter. */
export function openLocation(dataDir: string, sharedDir: string): Location {
  const home = makeDataDir(dataDir);
  const own = join(home, 'postgres');
  const away = join(sharedDir, createHash('sha256').update(home).digest('hex').slice(0, 16));
  const recorded = readRecord(home);
  const found = recorded ?? [own, away].find((dir) => ownerOfCluster(dir) !== undefined);
  const account = chooseAccount(found === undefined ? undefined : checkOwner(found));
  const isRoot = account.spawnAs.uid !== undefined;
  const wall = obstacle(home, account);
  const dir = found ?? (isRoot && wall ? away : own);
  if (dir === away) makeReachable(sharedDir, account);
  makePrivate(dir, account);
  const because = wall ? `${wall} is closed to the user ${account.name}` : `${join(home, RECORD)} says so`;
  return {
    dir,
    data: join(dir, 'data'),
    log: join(dir, 'server.log'),
    account,
    copyHome: isRoot ? sharedDir : home,
    notes: dir === own ? [] : [`The database is kept in ${dir}, because ${because}`],
    record() {
      if (dir !== own && recorded !== dir) {
        writeFileSync(join(home, RECORD), `${dir}\nThe folder above holds the database of\n${home}\n`, { mode: 0o644 });
      }
    },
  };
}

/** Makes a folder that only `account` can enter, or makes sure that an existing one is. */
export function makePrivate(dir: string, account: Account): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
    if (account.spawnAs.uid !== undefined) lchownSync(dir, account.uid, account.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { uid, mode } = lstatSync(dir);
  if (!lstatSync(dir).isDirectory() || uid !== account.uid) {
    throw new Error(
      `${dir} belongs to ${userName(uid)}, not to ${account.name}: run as ${userName(uid)}, or remove it if it is not yours.`,
    );
  }
  if ((mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
}

function makeDataDir(dataDir: string): string {
  try {
    // For root 0711, not 0700: the database's user has to pass through to its own folder, and can list nothing.
    mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    return realpathSync(dataDir);
  } catch (cause) {
    throw new Error(
      `Cannot make the folder ${dataDir} (${(cause as Error).message}): set DATA_DIR to one you may write, or set DATABASE_URL.`,
      {
        cause,
      },
    );
  }
}

/** The recorded folder, unless this DATA_DIR is a copy of one that still exists: two must not share a database. */
function readRecord(home: string): string | undefined {
  if (!existsSync(join(home, RECORD))) return undefined;
  const [dir = '', , original = home] = readFileSync(join(home, RECORD), 'utf8').split('\n');
  if (original !== home && existsSync(join(original, RECORD))) return undefined;
  if (ownerOfCluster(dir) !== undefined) return dir;
  throw new Error(
    `${join(home, RECORD)} says that the database is in ${dir}, but there is none. ` +
      'Bring that folder back; or delete the file to begin with an empty database.',
  );
}

/** The uid that the database in `dir` belongs to; undefined when there is none. */
function ownerOfCluster(dir: string): number | undefined {
  try {
    return statSync(join(dir, 'data', 'PG_VERSION')).uid;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const owner = userName(lstatSync(dir).uid);
    throw new Error(
      `The database in ${dir} belongs to the user ${owner}: start as ${owner} or root, or set another DATA_DIR.`,
      { cause: error },
    );
  }
}

function checkOwner(dir: string): number | undefined {
  const uid = ownerOfCluster(dir);
  if (uid === undefined || process.getuid?.() !== 0) return uid;
  if (uid === 0) {
    throw new Error(
      `The database in ${dir} belongs to root, and Postgres does not run as root: chown -R ${chooseAccount().name} ${dir}`,
    );
  }
  const wall = obstacle(dirname(dir), chooseAccount(uid));
  if (wall)
    throw new Error(
      `The database in ${dir} is out of reach of its user ${userName(uid)}: chmod o+x ${wall}, or set DATABASE_URL.`,
    );
  return uid;
}
