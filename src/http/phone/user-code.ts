/** The code that a device shows: as people type it, and how often somebody may guess (RFC 8628 5.1). */
import type { GuessLimit } from '../../account/guess-limit.js';
import type { DeviceAnswers, DeviceRequest } from '../../engine/device-answers.js';
import type { AppRouterContext } from '../context.js';

/** RFC 8628 6.1: twenty consonants that nobody mistakes for one another; as in the engine's configuration. */
const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;
const LONGEST_INPUT = 64;

/** The letters alone, whatever case, width and dashes they came with; undefined when no device shows such a code. */
export function readUserCode(typed: unknown): string | undefined {
  if (typeof typed !== 'string' || typed.length > LONGEST_INPUT) return undefined;
  const letters = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '');
  return USER_CODE.test(letters) ? letters : undefined;
}

/** As the device shows it. */
export function showUserCode(letters: string): string {
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** Who may look codes up, and what they find. */
export interface UserCodes {
  /**
   * What the device that shows this code asked for. Undefined alike for a code that is unknown, over or answered.
   * Throws `too_many_requests` after ten of those in ten minutes.
   */
  find(ctx: Pick<AppRouterContext, 'state'>, accountId: string, letters: string): Promise<DeviceRequest | undefined>;
}

/** `wrong`: counts by account and by address; eight letters of twenty are 25 thousand million. */
export function createUserCodes(devices: Pick<DeviceAnswers, 'find'>, wrong: GuessLimit): UserCodes {
  return {
    async find({ state: { addressKey } }, accountId, letters) {
      const keys = [`address ${addressKey}`, `account ${accountId}`];
      for (const key of keys) await wrong.count(key);
      const found = await devices.find(letters);
      if (found) for (const key of keys) await wrong.takeBack(key);
      return found;
    },
  };
}
