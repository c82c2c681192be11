/** Which language a page speaks, and its texts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project-root.js';

export type Language = 'zh-CN' | 'en';
export type Translate = (key: string, params?: Record<string, string | number>) => string;

const load = (lang: Language) =>
  JSON.parse(readFileSync(join(projectRoot, 'locales', `${lang}.json`), 'utf8')) as Record<string, string>;
const TEXTS: Record<Language, Record<string, string>> = { 'zh-CN': load('zh-CN'), en: load('en') };

/** Texts by key; `{{name}}` is filled in. A missing key shows itself, so that a test or a person finds it. */
export function translator(lang: Language): Translate {
  return (key, params = {}) =>
    (TEXTS[lang][key] ?? TEXTS.en[key] ?? key).replace(/\{\{(\w+)\}\}/g, (whole, name: string) =>
      String(params[name] ?? whole),
    );
}

/** `asked` (a lang parameter: cn, zh_CN, en ...) first, then the browser's wish, then English. */
export function chooseLanguage(asked: string | undefined, acceptLanguage: string | undefined): Language {
  if (asked && /^(zh|cn)/i.test(asked)) return 'zh-CN';
  if (asked && /^en/i.test(asked)) return 'en';
  const wishes = (acceptLanguage ?? '')
    .slice(0, 200)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';');
      const q = parameters.map((p) => /^\s*q=([\d.]+)/.exec(p)?.[1]).find((value) => value !== undefined);
      return { tag: tag.toLowerCase(), q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q);
  const first = wishes.find(({ tag }) => /^(zh|en)\b/.test(tag));
  return first?.tag.startsWith('zh') ? 'zh-CN' : 'en';
}

/** The first of `ui_locales` that a page can speak (OpenID Connect Core 3.1.2.1: best first). */
export function firstSpoken(uiLocales: unknown): string | undefined {
  return typeof uiLocales === 'string' ? uiLocales.split(' ').find((tag) => /^(zh|en)\b/i.test(tag)) : undefined;
}
