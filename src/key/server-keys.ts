/** The keys every node shares, as the rest of the house uses them; and how one is made. */
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { newSecret } from '../secret.js';
import { ALL_SERIES, type Series } from './key-life.js';
import type { Material } from './seal.js';

export interface ServerKeys {
  /** Private JWKs; the first of an algorithm signs. */
  readonly signing: readonly JWK[];
  /** The first signs, all are believed. */
  readonly cookies: readonly string[];
  /** Openids and union ids are made with it; it never changes, or every person would become a stranger. */
  readonly subject: string;
  readonly csrf: string;
  /** 32 bytes, base64url: what the nonces of DPoP are made with. */
  readonly dpop: string;
}

export type Purpose = 'sign' | 'cookie' | 'subject' | 'csrf' | 'dpop';

/** What a key is for: keys of a series follow one another, the others are made once. */
export interface KeyKind {
  readonly purpose: Purpose;
  readonly series: Series | undefined;
}

export function kindOf(series: Series): KeyKind & { series: Series } {
  return { purpose: series === 'cookie' ? 'cookie' : 'sign', series };
}

export const ALL_KINDS: readonly KeyKind[] = [
  ...ALL_SERIES.map(kindOf),
  ...(['subject', 'csrf', 'dpop'] as const).map((purpose) => ({ purpose, series: undefined })),
];

export function isOfKind(key: KeyKind, kind: KeyKind): boolean {
  return key.purpose === kind.purpose && key.series === kind.series;
}

/** Names say nothing of what they name. */
export async function newKey({ purpose, series }: KeyKind): Promise<{ name: string; material: Material }> {
  const name = newSecret(9);
  if (purpose !== 'sign' || series === undefined) return { name, material: { secret: newSecret() } };
  const { privateKey } = await generateKeyPair(series, { extractable: true, modulusLength: 2048 });
  return { name, material: { ...(await exportJWK(privateKey)), alg: series, use: 'sig', kid: name } };
}

/** The row of a key: the first of its kind has the same id on every node, so that there is one. */
export function rowId({ purpose, series }: KeyKind, name = '1'): string {
  return [purpose, ...(purpose === 'sign' ? [series] : []), name].join('-');
}
