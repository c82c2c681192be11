/** What is said of clients, in Chinese: as complete as the sources, read as text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_SETTINGS } from '../../../src/client/client-settings.js';
import { registrationProblems } from '../../../src/client/registration.js';
import { SAYINGS_ZH } from '../../../src/http/admin/sayings-zh.js';
import { voiceFor } from '../../../src/http/admin/voice.js';
import { projectRoot } from '../../../src/project-root.js';
import { say } from '../../../src/saying.js';

const source = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(projectRoot, 'src', name), 'utf8'))
  .join('\n');
const calls = [...source.matchAll(/(?<!function )\bsaying\(\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"(?=\s*[,)]))?/g)];
const templates = new Set(calls.map(([, literal = '']) => literal.slice(1, -1).replace(/\\(.)/g, '$1')));
const placeholders = (text: string) => (text.match(/\{[^}]*\}/g) ?? []).sort();

describe('what is said of clients', () => {
  it('is written out where it is said, so that it can be found', () => {
    expect(calls.length).toBeGreaterThan(100);
    expect(
      calls.filter(([, literal]) => literal === undefined).map(({ index }) => source.slice(index, index + 80)),
    ).toEqual([]);
  });

  it('is there in Chinese too, all of it, and nothing that is no longer said', () => {
    expect(Object.keys(SAYINGS_ZH).sort()).toEqual([...templates].sort());
  });

  it.each(Object.entries(SAYINGS_ZH))('says "%s" with the same values', (english, chinese) => {
    expect(placeholders(chinese)).toEqual(placeholders(english));
    expect(chinese).toMatch(/[\p{Script=Han}{]/u);
  });

  it('names settings that exist, and a choice made at the registration or the change', () => {
    const known = new Set<string>([...ALL_SETTINGS.map(({ field }) => field), 'applicationType', 'newUnionids']);
    const named = [...templates].flatMap((text) => [...text.matchAll(/\{setting:(\w+)\}/g)].map(([, field]) => field));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((field) => !known.has(field as string))).toEqual([]);
  });
});

describe('the voice of the console', () => {
  const problems = registrationProblems(
    {
      name: 'B\u0430nk',
      redirectUris: ['https://shop.example/#top', 'http://localhost/'],
      authMethod: 'private_key_jwt',
      callbackDomain: 'shop.example',
      idTokenAlg: 'none' as never,
      defaultMaxAge: -1,
    },
    { demo: false, resourceScopes: new Set() },
  );
  const said = (voice: ReturnType<typeof voiceFor>) => problems.map((one) => say(one, voice));

  it('says everything in Chinese, with the names the page gives to settings', () => {
    expect(
      said(voiceFor('zh-CN', (field) => ({ clientKeys: '公钥', applicationType: '类型' })[field] ?? field)),
    ).toEqual([
      '名称混用了多种文字',
      '回调地址“https://shop.example/#top”不能带片段（# 及其后的内容）',
      '回调地址“http://localhost/”：只有原生应用（类型 native）或演示模式（DEMO=on）才能在本机使用 http；否则请使用 https',
      '回调域名（代替逐个登记的回调地址）仅适用于微信格式',
      '登录的最长时间（defaultMaxAge）必须在 0 到 31536000 之间',
      '“idTokenAlg”的值必须是：RS256 或 ES256 或 PS256 或 EdDSA',
      'private_key_jwt 需要客户端的公钥：请在“公钥”中给出',
    ]);
  });

  it('says it in English with the names of JSON, unless the page has its own', () => {
    expect(said(voiceFor('en')).at(-1)).toBe(
      'private_key_jwt needs the public keys of the client: name them with jwks',
    );
    expect(said(voiceFor('en'))).toContain('id_token_signed_response_alg must be RS256 or ES256 or PS256 or EdDSA');
    expect(said(voiceFor('en', () => 'Keys')).at(-1)).toMatch(/name them with Keys$/);
    expect(said(voiceFor('zh-CN')).at(-1)).toMatch(/“jwks”/);
    expect(said(voiceFor('en')).join()).toContain('needs a native app (application_type native)');
  });
});
