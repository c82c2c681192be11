/** Passwords: argon2id, bounded in parallel, never in clear. */
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { AppError } from '../error.js';

/** OWASP's floor: 19 MiB, two passes, one lane. The parameters stand in each hash, so they may rise later. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Each hash costs 30 ms of a core and 19 MiB; more at once than this would starve everyone (T79). */
const MAX_IN_FLIGHT = availableParallelism() * 2 + 8;
let inFlight = 0;

export async function hashPassword(password: string): Promise<string> {
  return bounded(() => hash(password, PARAMETERS));
}

/** A hash of nothing, made once, so that an unknown user name costs the same time as a known one (T21). */
let decoy: Promise<string> | undefined;

/** True when `password` is the one `stored` was made from. Without a stored hash it takes as long and is false. */
export async function passwordMatches(stored: string | undefined, password: string): Promise<boolean> {
  decoy ??= hash('decoy', PARAMETERS);
  const against = stored ?? (await decoy);
  const matches = await bounded(() => verify(against, password));
  return matches && stored !== undefined;
}

/** True for a hash made under older, cheaper parameters: it is made again at the next sign-in (T69). */
export function isOutdatedHash(stored: string): boolean {
  const [, m, t] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(stored) ?? [];
  return Number(m ?? 0) < PARAMETERS.memoryCost || Number(t ?? 0) < PARAMETERS.timeCost;
}

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (inFlight >= MAX_IN_FLIGHT) throw new AppError('unavailable');
  inFlight += 1;
  try {
    return await work();
  } finally {
    inFlight -= 1;
  }
}
