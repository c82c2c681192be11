/** Turns what Postgres printed when it failed into a message that names the fix. */
import type { Location } from './embedded-location.js';

const CAUSES: [RegExp, (location: Location) => string][] = [
  [
    /shared memory.*No space left|resize shared memory/i,
    () => 'There is too little shared memory: give the container more (docker run --shm-size=128m).',
  ],
  [
    /No space left on device|free disk space|ENOSPC|Disk quota exceeded|EDQUOT/i,
    (l) => `The disk is full: free some space for ${l.dir}.`,
  ],
  [
    /Read-only file system|EROFS/i,
    (l) => `${l.dir} is on a file system mounted read-only: set DATA_DIR to a folder that can be written.`,
  ],
  [
    /incompatible with server|not compatible with this version/i,
    (l) =>
      `${l.data} was made by another major version of Postgres: move it away, or dump it with that version and load it here.`,
  ],
  [
    /invalid permissions|wrong ownership/i,
    (l) => `Postgres wants the folder for itself: chown -R ${l.account.name} ${l.dir} && chmod 700 ${l.data}`,
  ],
  [
    /could not look up effective user/i,
    (l) => `The ${l.account.name} this runs as needs a line in /etc/passwd; or set DATABASE_URL.`,
  ],
  [
    /already in use|still in use|lock file .* already exists/i,
    (l) => `Processes of an earlier Postgres still work on ${l.data}: end them and start again.`,
  ],
  [
    /error while loading shared libraries|GLIBC|Library not loaded/i,
    () => 'A system library is missing or too old: set DATABASE_URL to a Postgres of your own.',
  ],
  [
    /spawn .* ENOENT/,
    () =>
      'This system cannot run the program: it is built for glibc, so not for Alpine or another musl system. Set DATABASE_URL.',
  ],
  [
    /spawn.* EPERM/,
    (l) => `This process may not become the user ${l.account.name}: start as an ordinary user, or set DATABASE_URL.`,
  ],
  [
    /Permission denied|EACCES/i,
    (l) => `The user ${l.account.name} lacks a permission: check the owner of ${l.dir} and the folders above it.`,
  ],
];

export function embeddedFailure(step: string, output: string, location: Location, cause?: Error): Error {
  const advice =
    CAUSES.find(([pattern]) => pattern.test(output))?.[1](location) ??
    `The log is ${location.log}; DATABASE_URL would use a Postgres of your own instead.`;
  const indented = output.trim().replace(/^/gm, '  ');
  return new Error(`${step} failed. ${advice}\n${indented}`, { cause });
}
