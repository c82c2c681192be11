import { describe, expect, it } from 'vitest';
import type { Services } from '../../src/app.js';
import { type Command, Options, UsageError } from '../../src/cli/command.js';
import { keyCommands } from '../../src/cli/keys.js';
import type { KeyInfo } from '../../src/key/key-service.js';

const KEY: KeyInfo = {
  name: 'kid-1',
  series: 'ES256',
  state: 'next',
  createdAt: new Date('2026-01-01T00:00:00Z'),
  signsAt: new Date('2026-01-02T00:00:00Z'),
  endsAt: undefined,
  sealed: false,
};

const run = (command: Command, args: string[], keys: object = {}) =>
  command.prepare(Options.parse(args, command))({ keys } as unknown as Services);

describe('keys list', () => {
  it('shows state and dates, and whether they lie sealed', async () => {
    const shown = await run(keyCommands.list, [], {
      list: async () => [KEY, { ...KEY, series: 'cookie', name: 'cookie-1', state: 'current', endsAt: KEY.signsAt }],
    });
    expect(shown.text).toMatch(/ES256 +kid-1 +next +2026-01-01T00:00:00.000Z +2026-01-02T00:00:00.000Z\n/);
    expect(shown.text).toContain('set KEYS_SECRET');
    expect(shown.json).toEqual([
      {
        use: 'sig',
        alg: 'ES256',
        kid: 'kid-1',
        state: 'next',
        created_at: '2026-01-01T00:00:00.000Z',
        signs_at: '2026-01-02T00:00:00.000Z',
        ends_at: null,
        sealed: false,
      },
      expect.objectContaining({ use: 'cookie', id: 'cookie-1', ends_at: '2026-01-02T00:00:00.000Z' }),
    ]);
    const sealed = await run(keyCommands.list, [], { list: async () => [{ ...KEY, sealed: true }] });
    expect(sealed.text).toContain('They lie sealed');
  });
});

describe('keys rotate', () => {
  const rotated = async (args: string[], outcome = 'made', key: KeyInfo = KEY) => {
    const asked: unknown[][] = [];
    const outcomes = await run(keyCommands.rotate, args, {
      rotate: async (...given: unknown[]) => {
        asked.push(given);
        return { key: { ...key, series: given[1] }, outcome };
      },
    });
    return { asked, ...outcomes };
  };

  it('rotates every algorithm, or one, or the cookies', async () => {
    const plain = { graceSeconds: undefined, soon: false };
    expect((await rotated([])).asked).toEqual(
      ['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => ['command line', alg, plain]),
    );
    expect((await rotated(['--alg', 'EdDSA'])).asked).toEqual([['command line', 'EdDSA', plain]]);
    expect((await rotated(['--cookies'])).asked).toEqual([['command line', 'cookie', plain]]);
  });

  it('hands on the grace in seconds, and the hurry', async () => {
    const { asked } = await rotated(['--alg', 'ES256', '--grace', '48', '--now']);
    expect(asked).toEqual([['command line', 'ES256', { graceSeconds: 172_800, soon: true }]]);
  });

  it('says what came of it', async () => {
    expect((await rotated(['--alg', 'ES256'])).text).toBe(
      'ES256: kid-1 is known from now on and signs from 2026-01-02T00:00:00.000Z on.',
    );
    expect((await rotated(['--alg', 'ES256'], 'waiting')).text).toMatch(/waits already.*--now/);
    expect((await rotated(['--alg', 'ES256'], 'brought_forward')).text).toMatch(/was waiting, and signs from/);
    expect((await rotated(['--alg', 'ES256'], 'waiting', { ...KEY, state: 'current' })).text).toMatch(/just begun/);
    expect((await rotated(['--alg', 'ES256'])).json).toEqual([
      expect.objectContaining({ kid: 'kid-1', outcome: 'made' }),
    ]);
  });

  it('replaces at once in an emergency, and says what that breaks', async () => {
    const asked: unknown[][] = [];
    const keys = {
      replaceAtOnce: async (...given: [string, readonly string[]]) => {
        asked.push(given);
        return given[1].map((series) => ({ ...KEY, series, state: 'current' }));
      },
    };
    const one = await run(keyCommands.rotate, ['--emergency', '--alg', 'ES256'], keys);
    expect(one.text).toMatch(/every other key is dropped[\s\S]*30 seconds[\s\S]*ID tokens .* are refused/);
    expect(one.json).toEqual([expect.objectContaining({ kid: 'kid-1', outcome: 'replaced' })]);
    expect((await run(keyCommands.rotate, ['--emergency', '--cookies'], keys)).text).toContain('begin again');
    expect(asked).toEqual([
      ['command line', ['ES256']],
      ['command line', ['cookie']],
    ]);
    expect(keyCommands.rotate.usage).toMatch(/--emergency[\s\S]*refused/);
  });

  it.each<[string, string[], RegExp]>([
    ['an algorithm that is not ours', ['--alg', 'HS256'], /--alg must be one of RS256, PS256, ES256, EdDSA/],
    ['no signature at all', ['--alg', 'none'], /--alg must be one of/],
    ['cookies with an algorithm', ['--cookies', '--alg', 'ES256'], /one after the other/],
    ['a grace that loses tokens', ['--grace', '0'], /1 to 2160 hours/],
    ['a grace without end', ['--grace', '2161'], /1 to 2160 hours/],
    ['a grace in words', ['--grace', '7d'], /1 to 2160 hours; it is "7d"/],
    ['an emergency with a grace', ['--emergency', '--grace', '24'], /leave --now and --grace away/],
    ['an emergency in two minutes', ['--emergency', '--now'], /leave --now and --grace away/],
    ['a word too many', ['ES256'], /"ES256" was not expected/],
  ])('refuses %s', (_what, args, message) => {
    const refused = () => keyCommands.rotate.prepare(Options.parse(args, keyCommands.rotate));
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(message);
  });
});
