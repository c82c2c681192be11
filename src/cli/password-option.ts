/** --password or --password-file: a file keeps the password out of the process list and the shell's history. */
import { readFileSync } from 'node:fs';
import { type Options, UsageError } from './command.js';

export const PASSWORD_OPTIONS = { password: { type: 'string' }, 'password-file': { type: 'string' } } as const;

export function readPassword(options: Options): string {
  const given = options.optional('password');
  const file = options.optional('password-file');
  if ((given === undefined) === (file === undefined)) {
    throw new UsageError('give the password with --password P or --password-file F, one of the two');
  }
  if (file === undefined) return given as string;
  try {
    // Editors end files with a line break that nobody meant.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new UsageError(`--password-file cannot be read: ${(cause as Error).message}`, { cause });
  }
}
