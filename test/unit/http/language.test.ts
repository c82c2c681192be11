import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseLanguage, translator } from '../../../src/http/language.js';
import { projectRoot } from '../../../src/project-root.js';

describe('the language of a page', () => {
  it.each([
    ['zh_CN', 'en', 'zh-CN'],
    ['cn', 'en', 'zh-CN'],
    ['zh-CN', undefined, 'zh-CN'],
    ['en', 'zh-CN', 'en'],
    ['EN-us', 'zh', 'en'],
    [undefined, 'zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
    [undefined, 'en-US,en;q=0.9,zh;q=0.8', 'en'],
    [undefined, 'de,zh;q=0.3,en;q=0.7', 'en'],
    [undefined, 'en;q=0,zh;q=0.1', 'zh-CN'],
    [undefined, 'de,fr', 'en'],
    [undefined, '', 'en'],
    [undefined, undefined, 'en'],
    ['tlh', 'zh', 'zh-CN'],
    ['<script>', ';;;,,,q=zh', 'en'],
  ])('asked for %s by a browser that likes %s it is %s', (asked, accepts, lang) => {
    expect(chooseLanguage(asked, accepts)).toBe(lang);
  });
});

describe('the texts', () => {
  const load = (lang: string) =>
    JSON.parse(readFileSync(join(projectRoot, 'locales', `${lang}.json`), 'utf8')) as Record<string, string>;
  const [en, zh] = [load('en'), load('zh-CN')];

  it('are the same keys in both languages, none empty, with the same gaps to fill', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    const gaps = (text = '') => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
    for (const key of Object.keys(en)) {
      expect(en[key]?.trim() && zh[key]?.trim(), key).toBeTruthy();
      expect(gaps(zh[key]), key).toEqual(gaps(en[key]));
    }
  });

  it('are filled in once: a value is never read as a template', () => {
    const [key, text] = Object.entries(en).find(([, value]) => /\{\{host\}\}/.test(value)) as [string, string];
    expect(translator('en')(key, { host: '{{host}}' })).toBe(text.replaceAll('{{host}}', '{{host}}'));
    expect(translator('en')(key, { host: 'a.example' })).toContain('a.example');
  });

  it('show the key when there is no text', () => {
    expect(translator('zh-CN')('no.such.key')).toBe('no.such.key');
  });
});
