/** Passwords: argon2id, a few at a time, never in clear. */
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { AppError } from '../error.js';

/** OWASP's floor: 19 MiB, two passes, one lane. The parameters stand in each hash, so they may rise later. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/**
 * Each hash costs 30 ms of a core and 19 MiB (T79). More at once than there are cores gain nothing, and of the four threads
 * that Node has for such work one is left for signing tokens.
 */
const AT_ONCE = Math.min(availableParallelism(), 3);
/** Their turn comes within about a second; whoever comes after them is told to come back. */
const WAITING = AT_ONCE * 32;
let atWork = 0;
const line: Array<() => void> = [];

export async function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, PARAMETERS));
}

/** A hash of nothing, made once, so that an unknown user name costs the same time as a known one (T21). */
let decoy: Promise<string> | undefined;

/**
 * True when `password` is the one that the stored hash was made from. Without a stored hash it takes as long and is false.
 * The hash is looked up when it is this caller's turn. Throws `unavailable` when too many are waiting.
 */
export function passwordMatches(lookUp: () => Promise<string | undefined>, password: string): Promise<boolean> {
  return inTurn(async () => {
    const stored = await lookUp();
    decoy ??= hash('decoy', PARAMETERS);
    const matches = await verify(stored ?? (await decoy), password);
    return matches && stored !== undefined;
  });
}

/** True for a hash made under older, cheaper parameters: it is made again at the next sign-in (T69). */
export function isOutdatedHash(stored: string): boolean {
  const [, m, t] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(stored) ?? [];
  return Number(m ?? 0) < PARAMETERS.memoryCost || Number(t ?? 0) < PARAMETERS.timeCost;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (atWork >= AT_ONCE) {
    if (line.length >= WAITING) throw new AppError('unavailable');
    // Whoever is done hands their place on.
    await new Promise<void>((go) => line.push(go));
  } else {
    atWork += 1;
  }
  try {
    return await work();
  } finally {
    const next = line.shift();
    if (next) next();
    else atWork -= 1;
  }
}
