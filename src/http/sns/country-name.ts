/** The name of an account's country in the language a caller of userinfo asks for (wire format 4.5). */

/** WeChat's words for a language, and goth's `cn`. */
const LANGUAGES: Readonly<Record<string, string>> = { zh_CN: 'zh-Hans', zh_TW: 'zh-Hant', en: 'en', cn: 'zh-Hans' };

const names = new Map(
  Object.values(LANGUAGES).map((tag) => [tag, new Intl.DisplayNames(tag, { type: 'region', fallback: 'none' })]),
);

/** A country kept as an ISO 3166 code is named; without `lang`, and for any other text, it stays as it is. */
export function countryName(country: string, lang: string | undefined): string {
  const tag = lang === undefined || !Object.hasOwn(LANGUAGES, lang) ? undefined : LANGUAGES[lang];
  if (tag === undefined || !/^[A-Z]{2}$/.test(country)) return country;
  return names.get(tag)?.of(country) ?? country;
}
