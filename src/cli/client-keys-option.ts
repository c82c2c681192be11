/** A client's public keys, from a file or from the command line itself. */
import { readFileSync, statSync } from 'node:fs';
import type { ClientKeys } from '../client/client.js';
import { isKeySet, MAX_KEYS_LENGTH } from '../client/client-keys.js';
import { UsageError } from './command.js';

/** What the keys are worth is for the service to judge. Nothing of the value is repeated: it may hold a secret. */
export function readKeys(option: string, value: string): ClientKeys {
  const text = /^\s*[[{]/.test(value) ? value : readText(option, value);
  if (text.includes('-----BEGIN')) throw new UsageError(`--${option} is PEM; give the public key as a JWK set in JSON`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new UsageError(`--${option} is not JSON; give a JWK set such as {"keys":[…]}, or a file that holds one`);
  }
  // One key alone stands for a set of it.
  const set = parsed !== null && typeof parsed === 'object' && 'kty' in parsed ? { keys: [parsed] } : parsed;
  if (!isKeySet(set)) throw new UsageError(`--${option} is not a JWK set such as {"keys":[…]}`);
  return set;
}

function readText(option: string, file: string): string {
  try {
    const stat = statSync(file);
    // A pipe or a device may never end.
    if (!stat.isFile()) throw new Error(`"${file}" is not a file`);
    // Spaces and members that are left out may make it a little longer than what is kept.
    if (stat.size > 4 * MAX_KEYS_LENGTH) throw new Error(`"${file}" is too large for a JWK set`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--${option} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
