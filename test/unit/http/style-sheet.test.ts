import { describe, expect, it } from 'vitest';
import { readStyleSheet } from '../../../src/http/connect/style-sheet.js';

const read = (href: string | undefined, demo = false) => readStyleSheet(href, { demo });
const inline = (css: string) => ({
  url: `data:text/css;charset=utf-8;base64,${Buffer.from(css).toString('base64')}`,
  source: 'data:',
});

describe('the address of a style sheet', () => {
  it('is loaded with its query, and allowed by origin and path alone', () => {
    expect(read('https://cdn.example/a/login.css?v=1&x=2#top')).toEqual({
      url: 'https://cdn.example/a/login.css?v=1&x=2',
      source: 'https://cdn.example/a/login.css',
    });
    expect(read('HTTPS://CDN.example:8443/../a/./b.css')?.source).toBe('https://cdn.example:8443/a/b.css');
  });

  it.each([
    ['https://cdn.example/a;script-src *,b.css', 'https://cdn.example/a%3Bscript-src%20*%2Cb.css'],
    ["https://cdn.example/a'nonce-x'.css", "https://cdn.example/a'nonce-x'.css"],
    ['https://cdn.example/a\r\nX-Header: b.css', 'https://cdn.example/aX-Header:%20b.css'],
    [
      'https://cdn.example/样式"|<>[]^`{}.css',
      'https://cdn.example/%E6%A0%B7%E5%BC%8F%22%7C%3C%3E%5B%5D%5E%60%7B%7D.css',
    ],
    ['https://cdn.example\\a\\b.css', 'https://cdn.example/a/b.css'],
  ])('T31 can say nothing else in a policy: %s', (href, source) => {
    expect(read(href)?.source).toBe(source);
    expect(read(href)?.source).toMatch(/^https:\/\/[a-z0-9.:-]+\/[^\s;,"]+$/);
  });

  it.each([
    '',
    'login.css',
    '/login.css',
    '//cdn.example/login.css',
    'http://cdn.example/login.css',
    'http://127.0.0.1/login.css',
    'ftp://cdn.example/login.css',
    'blob:https://cdn.example/1',
    'javascript:https://cdn.example/login.css',
    ' javascript:alert(1)',
    'https://anna:secret@cdn.example/login.css',
    'https://*/login.css',
    'https://*.example/login.css',
    'https://[::1]/login.css',
    'https://cdn.example',
    'https://cdn.example/',
    'https://cdn.example/styles/',
    'https://cdn.example/styles%2F',
    'https://cdn.example/styles%2f?x',
    'data:text/html,<style>*{}</style>',
    'data:text/cssx,*{}',
    'data:,*{}',
    'data:text/css',
    'data:text/css,',
    'data:text/css;base64,',
  ])('T31 is nothing at all: %s', (href) => {
    expect(read(href)).toBeUndefined();
  });

  it('T31 is nothing at all when it is very long', () => {
    const [short, long] = ['x'.repeat(1900), 'x'.repeat(2000)];
    expect(read(`https://cdn.example/${short}.css`)).toBeDefined();
    expect(read(`https://cdn.example/${long}.css`)).toBeUndefined();
    expect(read(`data:text/css,${long.repeat(2)}`)).toBeDefined();
    expect(read(`data:text/css,${long.repeat(3)}`)).toBeUndefined();
  });

  it('may be of plain http on this machine in demo mode, and nowhere else', () => {
    expect(read('http://127.0.0.1:3001/login.css', true)?.source).toBe('http://127.0.0.1:3001/login.css');
    expect(read('http://localhost/login.css', true)?.source).toBe('http://localhost/login.css');
    expect(read('http://cdn.example/login.css', true)).toBeUndefined();
    expect(read('http://192.168.0.2/login.css', true)).toBeUndefined();
  });
});

describe('a style sheet in the value itself', () => {
  const css = '.impowerBox .title { width: 100%; color: #fff } /* 标题 */';

  it.each([
    ['base64', `data:text/css;base64,${Buffer.from(css).toString('base64')}`],
    ['base64 with a charset', `data:text/css;charset=utf-8;base64,${Buffer.from(css).toString('base64')}`],
    ['escaped', `data:text/css,${encodeURIComponent(css)}`],
    ['as it is', `DATA:text/css;charset=utf-8,${css}`],
  ])('is read %s, and written anew', (_how, href) => {
    expect(read(href)).toEqual(inline(css));
  });

  it('is read when a query has made a space of each plus', () => {
    const odd = '.a::before { content: "~~~>>>???" }';
    const base64 = Buffer.from(odd).toString('base64');
    expect(base64).toContain('+');
    expect(read(`data:text/css;base64,${base64.replaceAll('+', ' ')}`)).toEqual(inline(odd));
  });

  it('T31 leaves nothing of its spelling behind', () => {
    expect(read('data:text/css,"</script><script>alert(1)</script>')?.url).toMatch(
      /^data:text\/css;charset=utf-8;base64,[A-Za-z0-9+/]+=*$/,
    );
  });
});
