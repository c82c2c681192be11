import { describe, expect, it } from 'vitest';
import { resourceCommands } from '../../src/cli/resources.js';
import type { ResourceServer } from '../../src/resource/resource-server.js';
import { refuses, run } from '../support/cli.js';

const API = 'https://api.example';
const SERVER: ResourceServer = {
  identifier: API,
  revision: 0,
  name: 'Orders',
  scopes: [
    { name: 'read', description: 'Read your orders' },
    { name: 'write', description: 'write' },
  ],
  tokenFormat: 'jwt',
  signingAlg: 'ES256',
  tokenSeconds: 900,
  introspectedBy: ['qc0123456789abcdef'],
  createdAt: new Date('2026-01-01T00:00:00.000Z'),
  disabled: false,
};

describe('resources create', () => {
  const create = (args: string[]) =>
    run(resourceCommands.create, ['--identifier', API, '--name', 'Orders', ...args], {
      register: { server: SERVER, warnings: ['careful'] },
    });

  it('asks the service for what was named, and leaves the rest to it', async () => {
    const { asked, json, text } = await create(['--scope', 'read']);
    expect(asked).toEqual([
      ['register', 'command line', { identifier: API, name: 'Orders', scopes: [{ name: 'read' }], introspectedBy: [] }],
    ]);
    expect(json).toEqual({
      identifier: API,
      name: 'Orders',
      scopes: SERVER.scopes,
      token_format: 'jwt',
      signing_alg: 'ES256',
      token_seconds: 900,
      introspected_by: ['qc0123456789abcdef'],
      disabled: false,
      created_at: '2026-01-01T00:00:00.000Z',
      warnings: ['careful'],
    });
    expect(text).toMatch(/Scopes +read: Read your orders\n +write\nTokens +JWT, ES256, 900 seconds/);
    expect(text).toMatch(/Note: careful\.$/);
  });

  it('reads every setting', async () => {
    const { asked } = await create([
      ...['--scope', 'read=Read a=b', '--scope', 'write=', '--scope=list'],
      ...['--format', 'opaque', '--alg', 'EdDSA', '--token-seconds', '60'],
      ...['--introspected-by', 'qc1', '--introspected-by', 'qc2'],
    ]);
    expect(asked[0]?.[2]).toEqual({
      identifier: API,
      name: 'Orders',
      scopes: [{ name: 'read', description: 'Read a=b' }, { name: 'write', description: '' }, { name: 'list' }],
      tokenFormat: 'opaque',
      signingAlg: 'EdDSA',
      tokenSeconds: 60,
      introspectedBy: ['qc1', 'qc2'],
    });
  });

  const WITH = ['--identifier', API, '--name', 'N', '--scope', 'read'];
  it.each<[string, string[], RegExp]>([
    ['no identifier', WITH.slice(2), /--identifier is missing/],
    ['no name', ['--identifier', API, '--scope', 'a'], /--name is missing/],
    ['no scope', WITH.slice(0, 4), /--scope is missing/],
    ['an unknown format', [...WITH, '--format', 'saml'], /--format must be one of jwt, opaque/],
    ['an unknown algorithm', [...WITH, '--alg', 'HS256'], /--alg must be one of RS256, PS256, ES256, EdDSA/],
    ['a lifetime in words', [...WITH, '--token-seconds', '15m'], /--token-seconds must be a number from 60 to 3600/],
    ['a negative lifetime', [...WITH, '--token-seconds=-1'], /--token-seconds must be a number/],
    ['a stray word', [...WITH, 'write'], /"write" was not expected/],
  ])('refuses %s before anything is opened', (_what, args, message) => refuses(resourceCommands.create, args, message));
});

describe('resources update', () => {
  const update = (args: string[], more: object = {}) =>
    run(resourceCommands.update, [API, ...args], {
      update: { server: SERVER, warnings: [], changed: ['name'], ...more },
    });

  it('names to the service what was named, and nothing else', async () => {
    const { asked, json, text } = await update(['--name', 'Orders']);
    expect(asked).toEqual([['update', 'command line', API, { name: 'Orders' }]]);
    expect(json).toMatchObject({ identifier: API, changed: ['name'] });
    expect(text).toMatch(/Changed: name\.$/);
    expect((await update(['--name', 'x'], { changed: [] })).text).toContain('Nothing changed');
  });

  it('replaces lists as a whole, and takes introspection away with an empty value', async () => {
    const { asked } = await update(['--scope', 'a', '--scope', 'b=B', '--introspected-by', '']);
    expect(asked[0]?.[3]).toEqual({ scopes: [{ name: 'a' }, { name: 'b', description: 'B' }], introspectedBy: [] });
    const tokens = await update(['--format', 'jwt', '--alg', 'PS256', '--token-seconds', '3600']);
    expect(tokens.asked[0]?.[3]).toEqual({ tokenFormat: 'jwt', signingAlg: 'PS256', tokenSeconds: 3600 });
  });

  it('refuses nothing to change, no identifier, and another one', () => {
    refuses(resourceCommands.update, [API], /at least one setting/);
    refuses(resourceCommands.update, ['--name', 'x'], /<identifier> is missing/);
    refuses(resourceCommands.update, [API, '--identifier', 'https://b.example', '--name', 'x'], /was not expected/);
  });
});

describe('resources show, list', () => {
  it('show one, with what should be known of it', async () => {
    const { asked, json, text } = await run(resourceCommands.show, [API], { get: SERVER, warnings: ['careful'] });
    expect(asked).toEqual([
      ['get', API],
      ['warnings', SERVER],
    ]);
    expect(json).toMatchObject({ identifier: API, warnings: ['careful'] });
    expect(text).toMatch(/Introspected by +qc0123456789abcdef[\s\S]*Status +active\nNote: careful\.$/);
  });

  it('list all of them, or say how to have one', async () => {
    const other = { ...SERVER, identifier: 'https://b.example', tokenFormat: 'opaque', disabled: true };
    const { json, text } = await run(resourceCommands.list, [], { list: [SERVER, other] });
    expect(json).toMatchObject([{ identifier: API }, { identifier: 'https://b.example', disabled: true }]);
    expect(text.split('\n')[0]).toMatch(/^IDENTIFIER +NAME +SCOPES +TOKENS +STATUS$/);
    expect(text.split('\n')[1]).toMatch(/^https:\/\/api\.example +Orders +read write +jwt +active$/);
    expect(text.split('\n')[2]).toMatch(/opaque +disabled$/);
    expect((await run(resourceCommands.list, [], { list: [] })).text).toContain('resources create');
  });
});

describe('resources disable, enable', () => {
  it.each(['disable', 'enable'] as const)('%s asks the service, and says what is so now', async (verb) => {
    const server = { ...SERVER, disabled: verb === 'disable' };
    const { asked, json, text } = await run(resourceCommands[verb], [API], { [verb]: server });
    expect(asked).toEqual([[verb, 'command line', API]]);
    expect(json).toMatchObject({ identifier: API, disabled: verb === 'disable' });
    expect(text).toContain(verb === 'disable' ? 'stay good for 900 seconds at most' : 'is active');
    refuses(resourceCommands[verb], [], /<identifier> is missing/);
  });

  it('disable says that opaque tokens end at once', async () => {
    const server = { ...SERVER, tokenFormat: 'opaque', disabled: true };
    const { text } = await run(resourceCommands.disable, [API], { disable: server });
    expect(text).toContain('may not introspect those there are');
  });
});
