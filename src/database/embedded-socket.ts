/** The Unix socket of the private Postgres: a folder with a short enough path that nobody else can touch. */
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Account, userName } from './embedded-account.js';
import { makePrivate, obstacle } from './embedded-folder.js';
import type { Location } from './embedded-location.js';

/** The name Postgres gives the socket; a number, though no port is opened. */
export const PORT = 5432;
// sun_path holds 104 bytes on macOS, 108 on Linux, with the NUL at the end.
const MAX_SOCKET_PATH = 103;

export function socketFile(socketDir: string): string {
  return join(socketDir, `.s.PGSQL.${PORT}`);
}

/** Makes the folder and returns its path; `before` is the one an earlier start took. */
export function prepareSocketDir({ dir, account }: Location, before?: string, temporary: string = tmpdir()): string {
  const inside = join(dir, 'socket');
  const short = `qrconnect-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
  const socketDir = [before, inside, join(temporary, short), join('/tmp', short)].find(
    (path) => path && Buffer.byteLength(socketFile(path)) <= MAX_SOCKET_PATH && !obstacle(dirname(path), account),
  );
  if (!socketDir)
    throw new Error(`No folder for a socket has a short enough path: set DATA_DIR to a path shorter than ${dir}.`);
  makePrivate(socketDir, account);
  return socketDir;
}

/** In a shared folder such as /tmp somebody else could answer in our server's place. */
export function checkSocketDir(socketDir: string, account: Account): void {
  const stat = lstatSync(socketDir, { throwIfNoEntry: false });
  if (stat && (!stat.isDirectory() || stat.uid !== account.uid || stat.mode & 0o077)) {
    throw new Error(
      `${socketDir} is not private to the user ${account.name} (it belongs to ${userName(stat.uid)}): remove it and start again.`,
    );
  }
}

/** True when a server listens, be it in another container that shares the folder. */
export function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** A form that pg and knex read alike; it leaves nothing for PGPORT or PGSSLMODE in the environment to change. */
export function socketUrl(socketDir: string, database: string): string {
  return `postgres://app@localhost:${PORT}/${database}?host=${encodeURIComponent(socketDir)}&sslmode=disable`;
}
