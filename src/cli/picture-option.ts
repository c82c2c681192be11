/** A picture's file, read only as far as a picture may be long. */
import { readFileSync, statSync } from 'node:fs';
import { PICTURE_LIMITS } from '../account/picture-header.js';
import { type Options, UsageError } from './command.js';

/** What it holds is for the service to judge. `name` is the option's. */
export function readPicture(options: Options, name: string): Buffer | undefined {
  const file = options.optional(name);
  if (file === undefined) return undefined;
  const mebibytes = PICTURE_LIMITS.bytes / 1024 / 1024;
  try {
    const stat = statSync(file);
    // A pipe or a device may never end.
    if (!stat.isFile()) throw new Error(`"${file}" is not a file`);
    if (stat.size > PICTURE_LIMITS.bytes) {
      throw new Error(`"${file}" is larger than the ${mebibytes} MiB a picture may have; save it smaller`);
    }
    return readFileSync(file);
  } catch (cause) {
    throw new UsageError(`--${name} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
