import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Services } from '../../src/app.js';
import { accountCommands } from '../../src/cli/accounts.js';
import { clientCommands } from '../../src/cli/clients.js';
import { type Command, Options, UsageError } from '../../src/cli/command.js';
import { record, table } from '../../src/cli/layout.js';
import type { Client } from '../../src/client/client.js';
import { type NewClient, settingsOf } from '../../src/client/registration.js';
import { saying } from '../../src/saying.js';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CLIENT: Client = {
  ...settingsOf({ name: 'Shop', redirectUris: [] }),
  id: 'wx0123456789abcdef',
  revision: 0,
  dialect: 'wechat',
  applicationType: 'web',
  authMethod: 'client_secret_post',
  secrets: [{ hash: 'the-hash', createdAt: '2026-01-01T00:00:00.000Z' }],
  redirectUris: ['https://shop.example/callback'],
  embedOrigins: ['https://shop.example'],
  createdAt: new Date('2026-01-01T00:00:00Z'),
  disabled: false,
};

function run(command: Command, args: string[], services: object) {
  return command.prepare(Options.parse(args, command))({ widgets: {}, ...services } as Services);
}

describe('clients', () => {
  const words = ['--name', 'Shop', '--redirect-uri', 'https://shop.example/callback', '--dialect', 'wechat'];

  it('hands every option to the service and prints the secret once', async () => {
    let seen: NewClient | undefined;
    const clients = {
      register: async (_actor: string, input: NewClient) => {
        seen = input;
        return { client: CLIENT, secret: 'the-secret', warnings: [saying('careful')] };
      },
    };
    const more = ['--redirect-uri', 'https://b.example/', '--embed-origin', 'https://c.example', '--union', 'u'];
    const flags = ['refresh-requires-secret', 'state-required', 'openid-required', 'json-answers', 'style-sheets'];
    const args = [...words, ...more, '--scope', 'openid', ...flags.map((flag) => `--${flag}`)];
    const outcome = await run(clientCommands.create, args, { clients });
    expect(seen).toMatchObject({
      name: 'Shop',
      dialect: 'wechat',
      redirectUris: ['https://shop.example/callback', 'https://b.example/'],
      embedOrigins: ['https://c.example'],
      unionName: 'u',
      scope: 'openid',
      refreshRequiresSecret: true,
      stateRequired: true,
      openidRequired: true,
      jsonAnswers: true,
      styleSheets: true,
    });
    expect(outcome.json).toMatchObject({
      client_id: CLIENT.id,
      client_secret: 'the-secret',
      redirect_uris: CLIENT.redirectUris,
      union: null,
      warnings: ['careful'],
    });
    expect(outcome.text).toContain('the-secret');
    expect(outcome.text).toContain('shown this once');
  });

  it('shows neither a secret nor its hash again', async () => {
    const clients = { get: async () => CLIENT, list: async () => [CLIENT] };
    for (const outcome of [
      await run(clientCommands.show, [CLIENT.id], { clients }),
      await run(clientCommands.list, [], { clients }),
    ]) {
      expect(JSON.stringify(outcome.json) + outcome.text).not.toMatch(/client_secret":|the-hash/);
    }
  });

  it('takes the id with or without its flag', () => {
    for (const args of [[CLIENT.id], ['--id', CLIENT.id]]) {
      expect(Options.parse(args, clientCommands.show).required('id')).toBe(CLIENT.id);
    }
  });

  it.each([
    ['a missing name', ['--redirect-uri', 'https://a.example/'], '--name is missing'],
    ['a missing redirect URI', ['--name', 'x'], '--redirect-uri is missing'],
    ['an unknown dialect', [...words.slice(0, 4), '--dialect', 'saml'], 'must be one of oauth, wechat'],
    ['an unknown option', ['--nmae', 'x'], "Unknown option '--nmae'"],
    ['a stray word', [...words, 'stray'], '"stray" was not expected'],
    ['a forgotten value', ['--name', '--json'], "'--name <value>' argument missing|argument is ambiguous"],
  ])('refuses %s before anything is opened, naming the fix', (_what, args, message) => {
    expect(() => clientCommands.create.prepare(Options.parse(args, clientCommands.create))).toThrow(UsageError);
    expect(() => clientCommands.create.prepare(Options.parse(args, clientCommands.create))).toThrow(
      new RegExp(message.replace(/[<>]/g, '.')),
    );
  });
});

describe('accounts', () => {
  const account = {
    id: 'id',
    username: 'ming',
    nickname: '小明',
    sex: 0,
    city: '',
    province: '',
    country: '',
    picture: 'p',
    createdAt: new Date(0),
    updatedAt: new Date(0),
    disabled: false,
  };

  it('reads the password from a file without its last line break', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'correct horse \n');
    let seen: Record<string, unknown> = {};
    const accounts = {
      create: async (_actor: string, input: Record<string, unknown>) => {
        seen = input;
        return account;
      },
    };
    const args = ['--username', 'ming', '--password-file', file, '--sex', '2', '--locale', 'zh_cn'];
    const outcome = await run(accountCommands.create, args, { accounts });
    expect(seen).toMatchObject({ username: 'ming', password: 'correct horse ', sex: 2, locale: 'zh-CN' });
    expect(outcome.json).toMatchObject({ id: 'id', username: 'ming', nickname: '小明', locale: null });
    expect(JSON.stringify(outcome)).not.toContain('horse');
  });

  it.each([
    ['no password', ['--username', 'a']],
    ['two passwords', ['--username', 'a', '--password', 'b', '--password-file', '/dev/null']],
    ['a password file that is not there', ['--username', 'a', '--password-file', '/nonexistent/file']],
    ['a locale that is none', ['--username', 'a', '--password', 'b', '--locale', '%']],
    ['a sex that is none', ['--username', 'a', '--password', 'b', '--sex', '3']],
  ])('refuses %s', (_what, args) => {
    expect(() => accountCommands.create.prepare(Options.parse(args, accountCommands.create))).toThrow(UsageError);
  });
});

describe('layout', () => {
  it('gives Chinese characters two cells', () => {
    expect(
      table(
        ['NAME', 'X'],
        [
          ['小红', '1'],
          ['ab', '2'],
        ],
      ),
    ).toBe('NAME  X\n小红  1\nab    2');
  });

  it('leaves out what is absent and continues lists below', () => {
    expect(
      record([
        ['Id', 'a'],
        ['Gone', undefined],
        ['Uris', ['b', 'c']],
      ]),
    ).toBe('Id    a\nUris  b\n      c');
  });
});
