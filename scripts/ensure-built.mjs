// Builds dist/ when it is older than its sources; one process at a time, build output to stderr.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'dist', '.built');
const lock = join(root, 'dist', '.building');
/** The locales are in it because the widgets carry their few words. */
const SOURCES = [
  'src',
  'migrations',
  'browser',
  'clients/web/src',
  'locales',
  'scripts',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs;

/** A folder's own time counts too: it tells of files that were removed. */
function isNewer(path, than) {
  const time = modified(path);
  if (time === undefined) return false;
  if (time > than) return true;
  if (!statSync(path).isDirectory()) return false;
  return readdirSync(path).some((name) => isNewer(join(path, name), than));
}

function isBuilt() {
  const built = modified(stamp);
  return built !== undefined && !SOURCES.some((source) => isNewer(join(root, source), built));
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** True for one process at a time; a lock whose process is gone is taken away. */
function lockBuild() {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    // A lock that is a moment old may not hold its number yet.
    const isStale = Date.now() - statSync(lock).mtimeMs > 1000 && !(owner > 0 && isRunning(owner));
    if (isStale) rmSync(lock, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return false;
}

/** Cheap when nothing changed: a walk of modification times. `announce` says so when a build is needed. */
export async function ensureBuilt({ announce = false } = {}) {
  while (!isBuilt()) {
    if (!lockBuild()) {
      await delay(100);
      continue;
    }
    const unlock = () => rmSync(lock, { force: true });
    process.once('exit', unlock);
    try {
      if (isBuilt()) return;
      if (announce) process.stderr.write('Building qrconnect ...\n');
      const started = new Date();
      const { status, error } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], {
        cwd: root,
        stdio: ['ignore', 2, 2],
      });
      if (error) throw error;
      if (status !== 0) {
        process.stderr.write('The build failed; the lines above say why.\n');
        process.exit(1);
      }
      // What was edited while it was built is newer than the build.
      utimesSync(stamp, started, started);
      return;
    } finally {
      unlock();
      process.off('exit', unlock);
    }
  }
}
