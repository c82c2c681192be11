/**
 * Where the phone command keeps its session between two calls, so that `phone scan` and a later `phone approve` are the
 * same phone. A file only its owner can read, named by origin, user name and password: a wrong password finds nothing.
 */
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { hashSecret } from '../secret.js';

export interface SessionFile {
  read(): string | undefined;
  write(cookie: string): void;
}

export function openSessionFile(origin: string, username: string, password: string): SessionFile {
  const folder = join(tmpdir(), `qrconnect-phone-${userInfo().username}`);
  const file = join(folder, hashSecret(JSON.stringify([origin, username, password])));
  /** A folder somebody else prepared in a shared place is not used. */
  const isOurs = () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0;
  };
  return {
    read() {
      try {
        return isOurs() ? readFileSync(file, 'utf8') : undefined;
      } catch {
        return undefined;
      }
    },
    write(cookie) {
      try {
        if (isOurs()) writeFileSync(file, cookie, { mode: 0o600 });
      } catch {
        // Without it every call is a new phone; this one works all the same.
      }
    },
  };
}
