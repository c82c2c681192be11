/** Whether a user name and a password belong together: guesses counted, unknown names as slow as known ones (T21, T81). */
import { AppError } from '../error.js';
import { createGuessLimit } from './guess-limit.js';
import type { GuessStore } from './guess-store.js';
import { passwordMatches } from './password.js';

export interface Guess {
  readonly username: string;
  readonly password: string;
  readonly addressKey: string;
}

/** Whoever was found under the name, and the hash their password is judged by. */
export interface Found<T> {
  readonly who: T;
  readonly stored: string;
  /** May not sign in, whatever the password: told like a wrong one, and as late. */
  readonly refused?: boolean;
}

export interface PasswordCheck {
  /**
   * Throws `invalid_credentials` alike for an unknown name and a wrong password, `too_many_requests` after ten failures in
   * ten minutes, `unavailable` when too many passwords are being checked or nobody can count the failures (T83).
   * `lookUp` is called when it is this caller's turn; whom it does not find may not sign in.
   */
  verify<T>(guess: Guess, lookUp: () => Promise<Found<T> | undefined>): Promise<Found<T>>;
}

/** `name` keeps the guesses at one kind of door apart from those at others. */
export function createPasswordCheck(guesses: GuessStore, name: string): PasswordCheck {
  // Per person and address, so that a stranger elsewhere cannot lock the owner out.
  const perPair = createGuessLimit(guesses, { name, points: 10, seconds: 600 });
  const perAddress = createGuessLimit(guesses, { name: `${name} address`, points: 60, seconds: 600 });
  return {
    async verify<T>({ username, password, addressKey }: Guess, lookUp: () => Promise<Found<T> | undefined>) {
      const pair = JSON.stringify([username, addressKey]);
      // Whoever is refused anyway must not stand in the line with the others.
      perAddress.recall(addressKey);
      perPair.recall(pair);
      let found: Found<T> | undefined;
      const matches = await passwordMatches(async () => {
        // Counted before it is looked at. The address first: one that is refused must not go on counting names it makes up.
        await perAddress.count(addressKey);
        await perPair.count(pair);
        found = await lookUp();
        return found?.stored;
      }, password);
      if (!found || !matches || found.refused) throw new AppError('invalid_credentials');
      await perPair.forget(pair);
      await perAddress.takeBack(addressKey);
      return found;
    },
  };
}
