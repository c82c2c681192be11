import { describe, expect, it } from 'vitest';
import { browserName } from '../../../src/http/browser-name.js';

const AGENTS: Array<[string, string, string]> = [
  [
    'Chrome',
    'Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ],
  [
    'Edge',
    'Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
  ],
  [
    'Opera',
    'macOS',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/120.0',
  ],
  ['Firefox', 'Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'],
  [
    'Safari',
    'macOS',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
  ],
  [
    'Safari',
    'iOS',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  ],
  [
    'Chrome',
    'iOS',
    'Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
  ],
  [
    'Samsung Internet',
    'Android',
    'Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
  ],
  [
    'Chrome',
    'ChromeOS',
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ],
  ['unknown', 'unknown', 'curl/8.5.0'],
  ['unknown', 'unknown', ''],
];
const NAMES = new Set(['Edge', 'Opera', 'Samsung Internet', 'Firefox', 'Chrome', 'Safari', 'unknown']);
const SYSTEMS = new Set(['Windows', 'iOS', 'Android', 'HarmonyOS', 'ChromeOS', 'macOS', 'Linux', 'unknown']);

describe('the name of a browser', () => {
  it.each(AGENTS)('is %s on %s', (name, system, userAgent) => {
    expect(browserName(userAgent)).toEqual({ name, system });
  });

  it('is unknown when the browser says nothing', () => {
    expect(browserName(undefined)).toEqual({ name: 'unknown', system: 'unknown' });
  });

  it('T11 is a word of ours, whatever the browser says of itself', () => {
    for (const text of [
      '<script>Chrome/1</script>',
      'Chrome/1 your own office PC',
      `${'Version/1 '.repeat(400)}Safari/`,
      '\u202eFirefox/1',
    ]) {
      const { name, system } = browserName(text);
      expect(NAMES.has(name) && SYSTEMS.has(system), text.slice(0, 40)).toBe(true);
    }
  });

  it('reads no further than 512 characters', () => {
    expect(browserName(`${' '.repeat(512)}Chrome/1`).name).toBe('unknown');
  });
});
