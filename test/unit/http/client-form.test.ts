/** The console's form of a client: every setting has a field, and words in both languages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../src/client/client.js';
import { ALL_SETTINGS } from '../../../src/client/client-settings.js';
import { fieldsOf, formOf, RISKS, valuesOf } from '../../../src/http/admin/client-form.js';
import { projectRoot } from '../../../src/project-root.js';

const client = (dialect: 'oauth' | 'wechat') =>
  ({
    ...Object.fromEntries(ALL_SETTINGS.map(({ field, fallback }) => [field, fallback])),
    dialect,
  }) as unknown as Client;

describe.each(['en', 'zh-CN'])('the form of a client in %s', (lang) => {
  // The file itself: pages fall back to English.
  const texts = JSON.parse(readFileSync(join(projectRoot, 'locales', `${lang}.json`), 'utf8'));

  it('has a label, a hint and the names of its choices for every setting', () => {
    const keys = ALL_SETTINGS.flatMap(({ json, choices = [] }) =>
      ['label', 'hint', ...choices].map((what) => `client.${json}.${what}`),
    );
    expect(keys.filter((key) => !texts[key])).toEqual([]);
  });

  it('has words for every risk, and a name for every group', () => {
    const risks = Object.keys(RISKS).map((json) => `client.${json}.risk`);
    const groups = [...formOf().groups.map(({ name }) => name), 'other'].map((name) => `console.group.${name}`);
    expect([...risks, ...groups].filter((key) => !texts[key])).toEqual([]);
  });
});

describe('the form of a client', () => {
  const all = ALL_SETTINGS.map(({ json }) => json).sort();

  it('asks for every setting once', () => {
    expect(
      fieldsOf(formOf())
        .map(({ json }) => json)
        .sort(),
    ).toEqual(all);
  });

  it('names no risk and no group of a setting that does not exist', () => {
    expect(Object.keys(RISKS).filter((json) => !all.includes(json))).toEqual([]);
    // What the groups name and the table does not would be missing here.
    expect(formOf().groups.map(({ name }) => name)).toEqual(['signIn', 'proof', 'tokens', 'logout']);
  });

  it('warns in a state that the field can be in', () => {
    const states = { flag: ['on', 'off'], text: ['set'], number: ['set'], keys: ['set'], list: [] as string[] };
    for (const { json, kind, choices = [] } of ALL_SETTINGS) {
      const risky = RISKS[json];
      if (risky !== undefined) expect(kind === 'choice' ? choices : states[kind], json).toContain(risky);
    }
  });

  it('leaves out what the client’s dialect does not have', () => {
    const jsons = (dialect: 'oauth' | 'wechat') => fieldsOf(formOf(client(dialect))).map(({ json }) => json);
    expect(jsons('oauth')).not.toContain('callback_domain');
    expect(jsons('wechat')).not.toContain('pkce_optional');
    expect(jsons('wechat')).not.toContain('scope');
    expect(jsons('wechat')).toContain('match_code');
    expect(valuesOf(formOf(client('wechat')))).toMatchObject({ match_code: 'type', union: null, redirect_uris: [] });
  });
});
