import { describe, expect, it } from 'vitest';
import { countryName } from '../../../src/http/sns/country-name.js';

describe('the country of an account (wire format 4.5)', () => {
  it.each([
    ['CN', 'zh_CN', '中国'],
    ['CN', 'cn', '中国'],
    ['CN', 'zh_TW', '中國'],
    ['CN', 'en', 'China'],
    ['DE', 'zh_TW', '德國'],
    ['CN', undefined, 'CN'],
    ['CN', 'tlh', 'CN'],
    ['CN', '', 'CN'],
    ['CN', '__proto__', 'CN'],
    ['CN', 'constructor', 'CN'],
  ])('%s asked for with lang=%s is %s', (country, lang, name) => {
    expect(countryName(country, lang)).toBe(name);
  });

  it.each(['', '中国', 'China', 'cn', 'QQ', 'A1', 'CHN'])('"%s" is no code and stays as it is', (text) => {
    expect(countryName(text, 'zh_CN')).toBe(text);
  });
});
