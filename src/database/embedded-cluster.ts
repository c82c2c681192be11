/** Creates the data folder of the private Postgres: whole, or not at all. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './embedded-account.js';
import { embeddedFailure } from './embedded-failure.js';
import { type Location, makePrivate } from './embedded-location.js';

/** Nothing of ours leaks into the server, and no PG* variable of the person's shell steers it. */
export const CLEAN_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

// The builtin provider sorts the same on every system, whatever locales are installed (older macOS has no C.UTF-8).
const LOCALE = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];

/** Call it under the lock. True when it made one. */
export async function createCluster(location: Location, initdb: string): Promise<boolean> {
  if (existsSync(join(location.data, 'PG_VERSION'))) {
    makePrivate(location.data, location.account); // a restored backup may have lost the mode Postgres insists on
    return false;
  }
  for (const name of readdirSync(location.dir)) {
    if (name.startsWith('data.new')) rmSync(join(location.dir, name), { recursive: true, force: true });
  }
  // A kill in the middle leaves data.new behind, never half a database under the final name.
  const fresh = join(location.dir, 'data.new');
  makePrivate(fresh, location.account);
  await run(
    initdb,
    ['-D', fresh, '-U', 'app', '--auth-local=trust', '--auth-host=reject', '--no-instructions', ...LOCALE],
    location,
  );
  renameSync(fresh, location.data);
  return true;
}

function run(program: string, args: string[], location: Location): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...spawnOptions(location.account), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const fail = (how: string, cause?: Error) => {
      const tail = output.trim().split('\n').slice(-12).join('\n');
      reject(embeddedFailure('Creating the private database', `${how}\n${tail}`, location, cause));
    };
    child.once('error', (error) => fail(error.message, error));
    child.once('close', (code, signal) => (code === 0 ? resolve() : fail(`initdb ended with ${signal ?? code}`)));
  });
}

/** In a session of its own, so that Ctrl+C at our terminal does not reach it; from / because our folder may be closed to it. */
export function spawnOptions(account: Account) {
  return { ...account.spawnAs, cwd: '/', env: CLEAN_ENVIRONMENT, detached: true } as const;
}
