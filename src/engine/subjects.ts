/** Who a client sees: pairwise subjects (openid), union ids, and the claims of each scope. */
import type { Account } from '../account/account.js';
import { picturePath } from '../account/picture-address.js';
import { keyedHash } from '../secret.js';

/** WeChat's shape: `o` and 27 characters of the base64url alphabet; 162 bits of the keyed hash. */
const LENGTH = 27;

export interface Subjects {
  /** The pairwise subject (OpenID Connect Core 8.1) of a person at one client; in the WeChat dialect the openid. */
  openid(clientId: string, accountId: string): string;
  /** The subject shared by the clients of one union; `union` as client.ts's unionOf names it. */
  unionid(union: string, accountId: string): string;
}

export function createSubjects(key: string): Subjects {
  const shape = (hash: string) => `o${hash.slice(0, LENGTH)}`;
  return {
    openid: (clientId, accountId) => shape(keyedHash(key, 'openid', clientId, accountId)),
    unionid: (union, accountId) => shape(keyedHash(key, 'unionid', union, accountId)),
  };
}

export const CLAIMS: Record<string, string[]> = {
  // How and when the person proved who they are: by a QR code, and on the phone (T9, T20).
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'nickname', 'picture', 'gender', 'locale', 'address', 'updated_at'],
  unionid: ['unionid'],
};

export function pictureUrl(publicUrl: string, account: Account): string {
  return publicUrl + picturePath(account);
}

/** The standard claims of a profile (OpenID Connect Core 5.1); what is unknown is absent. */
export function profileClaims(publicUrl: string, account: Account): Record<string, unknown> {
  const address = { region: account.province, locality: account.city, country: account.country };
  const known = Object.entries(address).filter(([, value]) => value !== '');
  return {
    name: account.nickname,
    nickname: account.nickname,
    picture: pictureUrl(publicUrl, account),
    ...(account.sex === 0 ? {} : { gender: account.sex === 1 ? 'male' : 'female' }),
    ...(account.locale ? { locale: account.locale } : {}),
    ...(known.length > 0 ? { address: Object.fromEntries(known) } : {}),
    updated_at: Math.floor(account.updatedAt.getTime() / 1000),
  };
}
