/** The life of a key that is replaced now and then: next, current, old, gone. Pure: the time is an argument. */

/** One key for each: an RS256 key never makes a PS256 signature (T48). */
export const SIGNING_SERIES = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type SigningSeries = (typeof SIGNING_SERIES)[number];
/** Keys that follow one another: those of one signature algorithm, or those that sign cookies. */
export const ALL_SERIES = [...SIGNING_SERIES, 'cookie'] as const;
export type Series = (typeof ALL_SERIES)[number];

/** Known and believed, but not signing yet; signing; believed for what it signed; neither. */
export type KeyState = 'next' | 'current' | 'old' | 'gone';

export interface KeyDates {
  readonly series: Series;
  /** From then on it signs, until a later one does. */
  readonly signsAt: Date;
  /** Set together with its successor: from then on nobody is told of it and nothing it signed is believed. */
  readonly endsAt: Date | undefined;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Seconds. Every node reads the keys again within thirty seconds; two minutes leave room for a slow one. */
export const EVERY_NODE_KNOWS = 120;
/** Seconds. The least and most that an old key may stay; the least outlives every token that its key signed. */
export const GRACE = { least: HOUR, most: 90 * DAY } as const;

/** Seconds a new key is known before it signs: sites keep our key set for a day, nodes for seconds. */
export function leadOf(series: Series): number {
  return series === 'cookie' ? EVERY_NODE_KNOWS : DAY;
}

/** Seconds an old key stays unless told: ID tokens come back late, as hints; cookies live for two weeks. */
export function graceOf(series: Series): number {
  return series === 'cookie' ? 14 * DAY : DAY;
}

/** `keys` are all of one series. */
export function stateOf<K extends KeyDates>(key: K, keys: readonly K[], now: Date): KeyState {
  if (key === signer(keys, now)) return 'current';
  if (key.endsAt && key.endsAt <= now) return 'gone';
  return key.signsAt > now ? 'next' : 'old';
}

const PLACE: Readonly<Record<KeyState, number>> = { current: 0, next: 1, old: 2, gone: 3 };

/** The living keys of one series, the one that signs first: the engine signs with the first that fits. */
export function inOrder<K extends KeyDates>(keys: readonly K[], now: Date): K[] {
  return keys
    .map((key) => ({ key, place: PLACE[stateOf(key, keys, now)] }))
    .filter(({ place }) => place < PLACE.gone)
    .sort((a, b) => a.place - b.place || b.key.signsAt.getTime() - a.key.signsAt.getTime())
    .map(({ key }) => key);
}

/** The one that has no successor yet. */
export function newest<K extends KeyDates>(keys: readonly K[]): K | undefined {
  return keys.find(({ endsAt }) => endsAt === undefined);
}

/** Seconds a key has signed when its successor is made, so that it signs for `days` in all. */
export function ageOfSuccession(series: Series, days: number): number {
  return Math.max(0, days * DAY - leadOf(series));
}

/** Whether the newest key of a series is old enough for a successor. */
export function isDue(keys: readonly KeyDates[], now: Date, days: number): boolean {
  const key = newest(keys);
  return key !== undefined && key.signsAt.getTime() + ageOfSuccession(key.series, days) * 1000 <= now.getTime();
}

/** The last that began to sign; when none has, the first that will: a series with a living key has one that signs. */
function signer<K extends KeyDates>(keys: readonly K[], now: Date): K | undefined {
  const living = keys.filter(({ endsAt }) => !endsAt || endsAt > now);
  const begun = living.filter(({ signsAt }) => signsAt <= now);
  const later = (a: K, b: K) => b.signsAt.getTime() - a.signsAt.getTime();
  return begun.sort(later)[0] ?? living.sort(later).at(-1);
}
