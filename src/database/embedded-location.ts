/** Where the private database of one DATA_DIR is kept, and under which user; decided once, found again ever after. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Account, chooseAccount, userName } from './embedded-account.js';
import { makePrivate, makeReachable, obstacle } from './embedded-folder.js';

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

/** In DATA_DIR: where the database is, if not right there. */
const RECORD = 'postgres-location';
/** Beside a database kept elsewhere: the DATA_DIR it belongs to. */
const OWNER = 'data-dir';

/** `sharedDir` is for root alone, whose own folders (0700) the database's user cannot enter. */
export function openLocation(dataDir: string, sharedDir: string): Location {
  const home = makeDataDir(dataDir);
  const own = join(home, 'postgres');
  const away = awayFrom(home, sharedDir);
  const found = readRecord(home) ?? [own, away].find((dir) => ownerOfCluster(dir) !== undefined);
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
      if (dir === own) return;
      writeIfNew(join(home, RECORD), `${dir}\nThe folder above holds the database of\n${home}\n`);
      writeIfNew(join(dir, OWNER), home);
    },
  };
}

/** Named after DATA_DIR, and not taken by one that was there before, moved away, and still uses it. */
function awayFrom(home: string, sharedDir: string): string {
  for (let attempt = 0; ; attempt++) {
    const name = createHash('sha256')
      .update(home + '/'.repeat(attempt))
      .digest('hex')
      .slice(0, 16);
    const owner = join(sharedDir, name, OWNER);
    if (!existsSync(owner) || readFileSync(owner, 'utf8') === home) return join(sharedDir, name);
  }
}

function writeIfNew(file: string, text: string): void {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text, { mode: 0o644 });
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
