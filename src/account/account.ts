/** A person's record here, and the rules of its fields. */
import { type Saying, saying } from '../saying.js';

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly nickname: string;
  /** WeChat's numbers: 0 unknown, 1 male, 2 female. */
  readonly sex: 0 | 1 | 2;
  readonly city: string;
  readonly province: string;
  readonly country: string;
  readonly locale?: string;
  /** The public name of its picture: one this server draws (default-picture.ts), or an upload (picture-store.ts). */
  readonly picture: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly disabled: boolean;
}

/** What the account's owner or an administrator may set. */
export interface Profile {
  nickname?: string;
  sex?: 0 | 1 | 2;
  city?: string;
  province?: string;
  country?: string;
  locale?: string;
}

/** The one spelling a user name is stored and looked up under. */
export function normalizeUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}

/** Why a user name is refused, or undefined. */
export function usernameProblem(username: string): string | undefined {
  return /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$/u.test(username)
    ? undefined
    : 'a user name has 1 to 64 letters, digits or . _ @ + - and begins with a letter or digit';
}

/** Why a locale is refused, or undefined: a BCP 47 tag in its canonical spelling, such as zh-CN. */
export function localeProblem(locale: string): string | undefined {
  try {
    const [canonical] = Intl.getCanonicalLocales(locale);
    return canonical === locale ? undefined : `the locale is written ${canonical}`;
  } catch {
    return 'the locale is a language tag such as zh-CN or en';
  }
}

/** Why a displayed text is refused, or undefined: control, bidi and zero-width characters could forge a page (T26). */
export function displayTextProblem(text: string, max: number): Saying | undefined {
  if ([...text].length > max) return saying('is longer than {max} characters', { max });
  if (/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u.test(text.replaceAll('\u200d', ''))) {
    return saying('holds control or invisible characters');
  }
  return undefined;
}
