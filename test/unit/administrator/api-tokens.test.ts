/** What a token of the administration API may be: a name that can be read in a list, and an end. */
import { describe, expect, it } from 'vitest';
import type { ApiTokenStore } from '../../../src/administrator/api-token-store.js';
import { ApiTokens } from '../../../src/administrator/api-tokens.js';

/** Nothing may come this far: a refusal is for the service to make. */
const untouchable = new Proxy({} as ApiTokenStore, {
  get: (_, name) => () => {
    throw new Error(`${String(name)} was called`);
  },
});

describe('a token that is asked for', () => {
  const tokens = new ApiTokens({ store: untouchable, audit: async () => {} });

  it.each([0, -1, 1.5, 367, Number.NaN, Number.POSITIVE_INFINITY])(
    'lives 1 to 366 whole days, not %d',
    async (days) => {
      await expect(tokens.create('test', { name: 'ci', days, readOnly: true })).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(/1 to 366/),
      });
    },
  );

  it.each(['', ' ', 'a\nb', 'a\u202eb', 'x'.repeat(61)])('T26 has a name that can be read, not %j', async (name) => {
    await expect(tokens.create('test', { name, days: 1, readOnly: true })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/name/),
    });
  });

  it.each(['', 'x', 'qrconnect_admin_', `QRCONNECT_ADMIN_${'A'.repeat(43)}`, `qrconnect_admin_${'A'.repeat(42)}`])(
    'is not looked for in the database when %j cannot be one',
    async (secret) => {
      expect(await tokens.whoIs(secret)).toBeUndefined();
    },
  );
});
