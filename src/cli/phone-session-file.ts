/**
 * Where the phone command keeps its session between two calls, so that `phone scan` and a later `phone approve` are the
 * same phone. A file only its owner can read; it opens for the password it was made with, of which it holds a slow hash.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { hashSecret, sameSecret } from '../secret.js';

export interface SessionFile {
  read(): string | undefined;
  write(cookie: string): void;
}

interface Kept {
  cookie: string;
  salt: string;
  check: string;
}

export function openSessionFile(origin: string, username: string, password: string): SessionFile {
  const folder = join(tmpdir(), `qrconnect-phone-${userInfo().username}`);
  const file = join(folder, hashSecret(JSON.stringify([origin, username])));
  const checkOf = (salt: string) => scryptSync(password, salt, 32).toString('base64url');
  /** A folder somebody else prepared in a shared place is not used. */
  const isOurs = () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0;
  };
  return {
    read() {
      try {
        if (!isOurs()) return undefined;
        const { cookie, salt, check } = JSON.parse(readFileSync(file, 'utf8')) as Kept;
        return sameSecret(check, checkOf(salt)) ? cookie : undefined;
      } catch {
        return undefined;
      }
    },
    write(cookie) {
      try {
        const salt = randomBytes(16).toString('base64url');
        const kept: Kept = { cookie, salt, check: checkOf(salt) };
        if (isOurs()) writeFileSync(file, JSON.stringify(kept), { mode: 0o600 });
      } catch {
        // Without it every call is a new phone; this one works all the same.
      }
    },
  };
}
