/** Creates the data folder of the private Postgres: whole, or not at all. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './embedded-account.js';
import { embeddedFailure } from './embedded-failure.js';
import { makePrivate } from './embedded-folder.js';
import type { Location } from './embedded-location.js';

/** Nothing of ours leaks into the server, and no PG* variable of the person's shell steers it. */
const CLEAN_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

// The builtin provider sorts the same on every system, whatever locales are installed (older macOS has no C.UTF-8).
const LOCALE = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];

/** A kill in the middle leaves a folder of this name behind, never half a database under the final one. */
const UNFINISHED = 'data.new';

/** Call it under the lock. True when it made one. */
export async function createCluster(location: Location, initdb: string): Promise<boolean> {
  if (existsSync(join(location.data, 'PG_VERSION'))) {
    makePrivate(location.data, location.account); // a restored backup may have lost the mode Postgres insists on
    return false;
  }
  for (const name of readdirSync(location.dir)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(location.dir, name), { recursive: true, force: true, maxRetries: 5 });
  }
  // A name of its own: after a kill -9 of ours, the old initdb may still be writing to the last one.
  const fresh = join(location.dir, `${UNFINISHED}-${randomUUID()}`);
  makePrivate(fresh, location.account);
  const access = ['-U', 'app', '--auth-local=trust', '--auth-host=reject'];
  await run(initdb, ['-D', fresh, ...access, '--no-instructions', ...LOCALE], location);
  renameSync(fresh, location.data);
  const parent = openSync(location.dir, 'r');
  fsyncSync(parent); // the name must be on disk before the first commit is
  closeSync(parent);
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

/** From / because the folder we are in may be closed to that user. */
export function spawnOptions(account: Account) {
  return { ...account.spawnAs, cwd: '/', env: CLEAN_ENVIRONMENT } as const;
}
