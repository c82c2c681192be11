/** The code that a device shows: as people type it, and how often somebody may guess (RFC 8628 5.1). */
import type { DeviceAnswers, DeviceRequest } from '../../engine/device-answers.js';
import type { AppRouterContext } from '../context.js';
import { createLimit } from '../middleware/rate-limit.js';

/** RFC 8628 6.1: twenty consonants that nobody mistakes for one another; as in the engine's configuration. */
const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;
const LONGEST_INPUT = 64;
/** In ten minutes, for an address and for an account; eight letters of twenty are 25 thousand million. */
const WRONG_CODES = { points: 10, seconds: 600 };

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

export function createUserCodes(devices: Pick<DeviceAnswers, 'find'>): UserCodes {
  const [byAddress, byAccount] = [createLimit(WRONG_CODES), createLimit(WRONG_CODES)];
  return {
    async find({ state: { addressKey } }, accountId, letters) {
      await byAddress.check(addressKey);
      await byAccount.check(accountId);
      const found = await devices.find(letters);
      if (found) return found;
      await byAddress.count(addressKey);
      await byAccount.count(accountId);
      return undefined;
    },
  };
}
