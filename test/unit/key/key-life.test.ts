import { describe, expect, it } from 'vitest';
import {
  ALL_SERIES,
  ageOfSuccession,
  EVERY_NODE_KNOWS,
  GRACE,
  graceOf,
  inOrder,
  isDue,
  type KeyDates,
  leadOf,
  newest,
  SIGNING_SERIES,
  stateOf,
} from '../../../src/key/key-life.js';

const HOUR = 3600;
const NOW = new Date('2026-06-01T12:00:00Z');
const at = (hours: number) => new Date(NOW.getTime() + hours * HOUR * 1000);

interface Key extends KeyDates {
  readonly name: string;
}
/** Hours from now; without an end it has no successor. */
const key = (name: string, signs: number, ends?: number): Key => ({
  name,
  series: 'ES256',
  signsAt: at(signs),
  endsAt: ends === undefined ? undefined : at(ends),
});
const names = (keys: readonly Key[], now = NOW) => inOrder(keys, now).map(({ name }) => name);

describe('the life of a key', () => {
  const a = key('a', -100, 34);
  const b = key('b', 10);

  it.each<[string, number, string | undefined, string]>([
    ['before its successor signs', 0, 'current', 'next'],
    ['a moment before that', 10 - 1 / HOUR, 'current', 'next'],
    ['when its successor begins to sign', 10, 'old', 'current'],
    ['within the grace', 33.9, 'old', 'current'],
    ['when the grace is over', 34, 'gone', 'current'],
  ])('%s', (_when, hours, first, second) => {
    expect([stateOf(a, [a, b], at(hours)), stateOf(b, [a, b], at(hours))]).toEqual([first, second]);
  });

  it('hands out the one that signs first, then the one that will, then the old ones, and none that is gone', () => {
    const keys = [key('next', 5), key('gone', -300, -200), key('oldest', -200, 1), key('old', -100, 2)];
    const current = key('current', -50, 29);
    expect(names([...keys, current])).toEqual(['current', 'next', 'old', 'oldest']);
    expect(names([current, ...keys.reverse()])).toEqual(['current', 'next', 'old', 'oldest']);
  });

  it('has one signer at every moment of many rotations, and nothing signs that was not known before', () => {
    const keys: Key[] = [key('0', -1000)];
    for (let i = 1; i < 6; i += 1) {
      const last = keys.pop() as Key;
      const signs = i * 48;
      keys.push({ ...last, endsAt: at(signs + 24) }, key(String(i), signs));
    }
    let known: string[] = names(keys, at(-1));
    for (let hours = 0; hours < 400; hours += 1) {
      const [signer, ...others] = names(keys, at(hours));
      expect(known).toContain(signer);
      expect(Number(signer)).toBe(Math.min(5, Math.floor(hours / 48)));
      known = [signer as string, ...others];
    }
  });

  it('has a signer even when the only living key has not begun', () => {
    const [early, late] = [key('early', 1), key('late', 2)];
    expect(names([late, early])).toEqual(['early', 'late']);
    expect(names([key('gone', -2, -1)])).toEqual([]);
  });

  it('calls the key without an end the newest', () => {
    expect(newest([a, b])).toBe(b);
    expect(newest([key('gone', -2, -1)])).toBeUndefined();
  });
});

describe('a successor', () => {
  it('is due a lead before the key has signed for its days, so that it signs for exactly these', () => {
    const age = ageOfSuccession('ES256', 90);
    expect(age + leadOf('ES256')).toBe(90 * 24 * HOUR);
    const old = key('a', -age / HOUR);
    expect(isDue([old], NOW, 90)).toBe(true);
    expect(isDue([old], new Date(NOW.getTime() - 1), 90)).toBe(false);
  });

  it('is not due while one waits, nor for a key that has just begun', () => {
    expect(isDue([key('a', -9999, 34), key('b', 10)], NOW, 90)).toBe(false);
    expect(isDue([key('a', -9999, 24), key('b', 0)], NOW, 90)).toBe(false);
    expect(isDue([], NOW, 90)).toBe(false);
  });

  it('is never due earlier than the key it follows signs, however few the days', () => {
    expect(ageOfSuccession('ES256', 1)).toBe(0);
    expect(isDue([key('a', 1)], NOW, 1)).toBe(false);
    expect(isDue([key('a', 0)], NOW, 1)).toBe(true);
  });
});

describe('T70: the fixed numbers', () => {
  it.each(SIGNING_SERIES.map((series) => [series]))(
    'publish an %s key a day before it signs and a day after',
    (series) => {
      expect(leadOf(series)).toBeGreaterThanOrEqual(24 * HOUR);
      expect(graceOf(series)).toBe(24 * HOUR);
    },
  );

  it('let no old key go before every token it signed has ended, and no new one sign before every node knows it', () => {
    // A JWT access token lives for 900 s; a node may sign with the old key for 30 s more.
    expect(GRACE.least).toBeGreaterThan(900 + 30);
    expect(EVERY_NODE_KNOWS).toBeGreaterThan(30);
    for (const series of ALL_SERIES) {
      expect(leadOf(series)).toBeGreaterThanOrEqual(EVERY_NODE_KNOWS);
      expect(graceOf(series)).toBeGreaterThanOrEqual(GRACE.least);
    }
    // A remembered browser's cookie: 14 days.
    expect(graceOf('cookie')).toBeGreaterThanOrEqual(14 * 24 * HOUR);
  });
});
