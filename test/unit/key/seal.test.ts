import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config.js';
import { createSeal, isSealed } from '../../../src/key/seal.js';

const SECRET = 'Vq0b7J1sXoZk3yQ9wT5uRfLm8NcHdPeA';
const MATERIAL = { kty: 'OKP', crv: 'Ed25519', d: 'the-private-part', kid: 'k' };

describe('a seal', () => {
  const seal = createSeal(SECRET);

  it('hides all of what it closes, and opens it again', async () => {
    const closed = await seal.close('row-1', MATERIAL);
    expect(isSealed(closed)).toBe(true);
    for (const word of ['the-private-part', 'Ed25519', Buffer.from('the-private-part').toString('base64url')]) {
      expect(JSON.stringify(closed)).not.toContain(word);
    }
    expect(await seal.open('row-1', closed)).toEqual(MATERIAL);
    expect(await createSeal(SECRET).open('row-1', closed)).toEqual(MATERIAL);
  });

  it('never closes the same twice in the same way', async () => {
    expect(await seal.close('row-1', MATERIAL)).not.toEqual(await seal.close('row-1', MATERIAL));
  });

  it.each<[string, string | undefined]>([
    ['another secret', `${SECRET}x`],
    ['no secret', undefined],
  ])('is a wrong setting with %s, named with its fix and without either secret', async (_what, secret) => {
    const closed = await seal.close('row-1', MATERIAL);
    const error = await createSeal(secret)
      .open('row-1', closed)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).mistakes).toEqual([expect.stringMatching(/^KEYS_SECRET: .*sealed.*; set the one/)]);
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain(SECRET.slice(0, 8));
    expect((error as Error).cause).toBeUndefined();
  });

  it('T70: opens nothing that was changed, or put in another row', async () => {
    const { sealed } = await seal.close('row-1', MATERIAL);
    const [head, ...rest] = String(sealed).split('.');
    const other = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', row: 'row-2' })).toString('base64url');
    await expect(seal.open('row-2', { sealed })).rejects.toThrow('row-2 holds what was sealed for another');
    await expect(seal.open('row-2', { sealed: [other, ...rest].join('.') })).rejects.toThrow(ConfigError);
    const flipped = [...rest];
    flipped[2] = `${flipped[2]?.startsWith('A') ? 'B' : 'A'}${flipped[2]?.slice(1)}`;
    await expect(seal.open('row-1', { sealed: [head, ...flipped].join('.') })).rejects.toThrow(ConfigError);
    await expect(seal.open('row-1', { sealed: 'x' })).rejects.toThrow(ConfigError);
  });

  it('leaves what lies open as it is when there is no secret, and wants it closed when there is one', async () => {
    const open = createSeal(undefined);
    expect(await open.close('row-1', MATERIAL)).toEqual(MATERIAL);
    expect(await open.open('row-1', MATERIAL)).toEqual(MATERIAL);
    expect(await seal.open('row-1', MATERIAL)).toEqual(MATERIAL);
    expect([open.wants(false), open.wants(true), seal.wants(false), seal.wants(true)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});
