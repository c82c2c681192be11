/** What is done with the server's keys: make, seal, read, list, replace. */
import type { JWK } from 'jose';
import { AppError } from '../error.js';
import {
  ALL_SERIES,
  ageOfSuccession,
  EVERY_NODE_KNOWS,
  graceOf,
  inOrder,
  isDue,
  type KeyDates,
  type KeyState,
  leadOf,
  newest,
  type Series,
  SIGNING_SERIES,
  stateOf,
} from './key-life.js';
import type { KeyRow, KeyStore, NewKey } from './key-store.js';
import { isSealed, type Seal } from './seal.js';
import { ALL_KINDS, isOfKind, type KeyKind, kindOf, newKey, rowId, type ServerKeys } from './server-keys.js';

/** What may be told of a key. */
export interface KeyInfo extends KeyDates {
  /** The `kid` of a signing key. */
  readonly name: string;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly sealed: boolean;
}

export interface Rotation {
  readonly key: KeyInfo;
  /** `waiting`: there was a next key already, and it was left as it is. */
  readonly outcome: 'made' | 'brought_forward' | 'waiting';
}

export interface KeyServiceDeps {
  store: KeyStore;
  seal: Seal;
  audit: (actor: string, action: string, target: string, detail?: Record<string, unknown>) => Promise<void>;
}

type OpenRow = KeyRow & { sealed: boolean };
type SeriesRow = OpenRow & { series: Series };

export class KeyService {
  readonly #deps: KeyServiceDeps;

  constructor(deps: KeyServiceDeps) {
    this.#deps = deps;
  }

  /** Makes the keys that are missing and seals those that are not. Throws ConfigError when KEYS_SECRET is not theirs. */
  async prepare(): Promise<void> {
    const { store, seal } = this.#deps;
    // Read before anything is written: rows sealed with two secrets could be read by nobody.
    const { rows } = await this.#read();
    const made = await Promise.all(missing(rows).map((kind) => this.#make(kind, '1')));
    if (made.length === 0 && !rows.some((row) => seal.wants(row.sealed))) return;
    await store.settle(async (stored) => {
      const now = await this.#open(stored);
      const still = missing(now);
      return {
        add: made.filter((key) => still.some((kind) => isOfKind(key, kind))),
        rewrite: await Promise.all(now.filter((row) => seal.wants(row.sealed)).map((row) => this.#close(row))),
      };
    });
  }

  async load(): Promise<ServerKeys> {
    const { rows, now } = await this.#read();
    const living = (series: Series) => {
      const keys = inOrder(ofSeries(rows, series), now);
      if (keys.length === 0) throw new Error(`the database holds no ${series} key`);
      return keys;
    };
    const lasting = (purpose: string) => secretOf(rows.find((row) => row.purpose === purpose));
    return {
      signing: SIGNING_SERIES.flatMap(living).map(({ material }) => material as JWK),
      cookies: living('cookie').map(secretOf),
      subject: lasting('subject'),
      csrf: lasting('csrf'),
      dpop: lasting('dpop'),
    };
  }

  /** The living keys that follow one another, series by series, the one that signs first. */
  async list(): Promise<KeyInfo[]> {
    const { rows, now } = await this.#read();
    return ALL_SERIES.flatMap((series) => {
      const keys = ofSeries(rows, series);
      return inOrder(keys, now).map((key) => toInfo(key, keys, now));
    });
  }

  /**
   * Makes the next key. Everybody is told of it at once; it signs after the lead of its series, or `soon`: when every
   * node knows it. The key it follows stays for the grace after that. A next key that waits already can only be brought
   * forward.
   */
  async rotate(
    actor: string,
    series: Series,
    { graceSeconds = graceOf(series), soon = false }: { graceSeconds?: number; soon?: boolean } = {},
  ): Promise<Rotation> {
    const { rows, now } = await this.#read();
    const keys = ofSeries(rows, series);
    const last = newest(keys);
    if (!last) throw new AppError('not_found', { message: `the database holds no ${series} key` });
    const times = { lead: soon ? EVERY_NODE_KNOWS : leadOf(series), grace: graceSeconds, age: 0 };
    let outcome: Rotation['outcome'] = 'waiting';
    if (stateOf(last, keys, now) !== 'next') {
      if (await this.#succeed(last, times)) outcome = 'made';
    } else if (soon) {
      const current = keys.find((key) => stateOf(key, keys, now) === 'current') as SeriesRow;
      if (await this.#deps.store.bringForward(last.id, current.id, times)) outcome = 'brought_forward';
    }
    const key = await this.#newest(series);
    if (outcome !== 'waiting') await this.#note(actor, 'key.rotate', key, { grace_seconds: graceSeconds });
    return { key, outcome };
  }

  /** New keys that sign at once; every other key of these series ends now, and with it all that it signed (T70). */
  async replaceAtOnce(actor: string, series: readonly Series[]): Promise<KeyInfo[]> {
    await this.#deps.store.replaceAll(await Promise.all(series.map((one) => this.#make(kindOf(one)))));
    const keys = await Promise.all(series.map((one) => this.#newest(one)));
    for (const key of keys) await this.#note(actor, 'key.replace-at-once', key);
    return keys;
  }

  /** Makes the successors that are due. Of nodes that find one due together, one makes it. */
  async rotateDue(days: number): Promise<KeyInfo[]> {
    const { rows, now } = await this.#read();
    const made: KeyInfo[] = [];
    for (const series of ALL_SERIES) {
      const keys = ofSeries(rows, series);
      const last = newest(keys);
      if (!last || !isDue(keys, now, days)) continue;
      const times = { lead: leadOf(series), grace: graceOf(series), age: ageOfSuccession(series, days) };
      if (!(await this.#succeed(last, times))) continue;
      const key = await this.#newest(series);
      await this.#note('server', 'key.rotate', key, { grace_seconds: times.grace });
      made.push(key);
    }
    return made;
  }

  /** Forgets the keys that ended. */
  sweep(): Promise<number> {
    return this.#deps.store.sweep();
  }

  async #succeed(last: SeriesRow, times: { lead: number; grace: number; age: number }): Promise<boolean> {
    return this.#deps.store.succeed(last.id, await this.#make(kindOf(last.series)), times);
  }

  async #newest(series: Series): Promise<KeyInfo> {
    const { rows, now } = await this.#read();
    const keys = ofSeries(rows, series);
    return toInfo(newest(keys) as SeriesRow, keys, now);
  }

  #note(actor: string, action: string, key: KeyInfo, detail: Record<string, unknown> = {}): Promise<void> {
    const what = { series: key.series, signs_at: key.signsAt.toISOString(), ...detail };
    return this.#deps.audit(actor, action, key.name, what);
  }

  async #read(): Promise<{ rows: OpenRow[]; now: Date }> {
    const { rows, now } = await this.#deps.store.list();
    return { rows: await this.#open(rows), now };
  }

  #open(rows: readonly KeyRow[]): Promise<OpenRow[]> {
    const { seal } = this.#deps;
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        material: await seal.open(row.id, row.material),
        sealed: isSealed(row.material),
      })),
    );
  }

  async #close<K extends NewKey>(key: K): Promise<K> {
    return { ...key, material: await this.#deps.seal.close(key.id, key.material) };
  }

  async #make<K extends KeyKind>(kind: K, name?: string) {
    const key = await newKey(kind);
    return this.#close({ ...kind, id: rowId(kind, name ?? key.name), material: key.material });
  }
}

function missing(rows: readonly KeyKind[]): KeyKind[] {
  return ALL_KINDS.filter((kind) => !rows.some((row) => isOfKind(row, kind)));
}

function ofSeries(rows: readonly OpenRow[], series: Series): SeriesRow[] {
  return rows.filter((row): row is SeriesRow => row.series === series);
}

function secretOf(row: KeyRow | undefined): string {
  if (typeof row?.material.secret !== 'string')
    throw new Error(`the server key ${row?.id ?? ''} is missing or damaged`);
  return row.material.secret;
}

function toInfo(key: SeriesRow, keys: readonly SeriesRow[], now: Date): KeyInfo {
  const { id, series, material, createdAt, signsAt, endsAt, sealed } = key;
  const name = typeof material.kid === 'string' ? material.kid : id;
  return { name, series, state: stateOf(key, keys, now), createdAt, signsAt, endsAt, sealed };
}
