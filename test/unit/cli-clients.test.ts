import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { accountCommands } from '../../src/cli/accounts.js';
import { clientCommands } from '../../src/cli/clients.js';
import { Options, UsageError } from '../../src/cli/command.js';
import { tell } from '../../src/cli/voice.js';
import type { Client } from '../../src/client/client.js';
import type { ClientSecret } from '../../src/client/client-secret.js';
import { ALL_SETTINGS } from '../../src/client/client-settings.js';
import { settingsOf } from '../../src/client/registration.js';
import { saying } from '../../src/saying.js';
import { refuses, run } from '../support/cli.js';

const FUTURE = '2999-01-01T00:00:00.000Z';
const PAST = '2026-01-01T00:00:00.000Z';
const secret = (more: Partial<ClientSecret> = {}): ClientSecret => ({ hash: 'the-hash', createdAt: PAST, ...more });

const KEYS = { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'key-1' }] };

const CLIENT: Client = {
  ...settingsOf({ name: 'Shop', redirectUris: [] }),
  id: 'qc0123456789abcdef',
  revision: 0,
  dialect: 'oauth',
  applicationType: 'web',
  authMethod: 'client_secret_basic',
  secrets: [secret()],
  redirectUris: ['https://shop.example/callback'],
  embedOrigins: ['https://shop.example'],
  createdAt: new Date(PAST),
  disabled: false,
};

describe('clients update', () => {
  const update = (args: string[], more: object = {}) =>
    run(clientCommands.update, [CLIENT.id, ...args], {
      update: { client: CLIENT, secret: undefined, warnings: [saying('careful')], changed: ['name'], ...more },
    });

  it('names to the service what was named, and nothing else', async () => {
    const { asked, json, text } = await update(['--name', 'Shop']);
    expect(asked).toEqual([['update', 'command line', CLIENT.id, { name: 'Shop' }]]);
    expect(json).toMatchObject({ client_id: CLIENT.id, changed: ['name'], warnings: ['careful'] });
    expect(json).not.toHaveProperty('client_secret');
    expect(text).toMatch(/Changed: name\.\nNote: careful\.$/);
    expect(JSON.stringify(json) + text).not.toContain('the-hash');
  });

  it('reads every setting a registration has, lists as a whole', async () => {
    const words: Record<string, string> = {
      union: 'u',
      'callback-domain': 'shop.example',
      'auth-method': 'client_secret_post',
      'match-code': 'off',
      scope: 'openid',
    };
    const lists = ['--redirect-uri', 'https://a.example/', '--redirect-uri', 'https://b.example/'];
    const flags = ['refresh-requires-secret', 'state-required', 'openid-required', 'json-answers', 'style-sheets'];
    const { asked } = await update([
      ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, value]),
      ...lists,
      ...['--embed-origin', 'https://c.example'],
      ...flags.map((flag) => `--${flag}`),
    ]);
    expect(asked[0]?.[3]).toEqual({
      unionName: 'u',
      callbackDomain: 'shop.example',
      authMethod: 'client_secret_post',
      matchCode: 'off',
      scope: 'openid',
      redirectUris: ['https://a.example/', 'https://b.example/'],
      embedOrigins: ['https://c.example'],
      refreshRequiresSecret: true,
      stateRequired: true,
      openidRequired: true,
      jsonAnswers: true,
      styleSheets: true,
    });
  });

  it('reads every setting of the standards, and takes each away again', async () => {
    const { asked } = await update([
      ...['--jwks', JSON.stringify(KEYS), '--auth-method', 'private_key_jwt', '--id-token-alg', 'EdDSA'],
      ...['--max-age', '0', '--backchannel-logout-uri', 'https://shop.example/logout'],
      ...['--post-logout-redirect-uri', 'https://a.example/', '--post-logout-redirect-uri', 'https://b.example/'],
      ...['--par-required', '--signed-request-required', '--dpop-required', '--device-flow'],
    ]);
    expect(asked[0]?.[3]).toEqual({
      clientKeys: KEYS,
      authMethod: 'private_key_jwt',
      idTokenAlg: 'EdDSA',
      defaultMaxAge: 0,
      backchannelLogoutUri: 'https://shop.example/logout',
      postLogoutRedirectUris: ['https://a.example/', 'https://b.example/'],
      requirePar: true,
      requireSignedRequest: true,
      dpopRequired: true,
      deviceFlow: true,
    });
    const away = ['jwks', 'max-age', 'backchannel-logout-uri', 'post-logout-redirect-uri'];
    const off = ['par-required', 'signed-request-required', 'dpop-required', 'device-flow'];
    const cleared = await update([...away.flatMap((name) => [`--${name}`, '']), ...off.map((name) => `--no-${name}`)]);
    expect(cleared.asked[0]?.[3]).toEqual({
      clientKeys: null,
      defaultMaxAge: null,
      backchannelLogoutUri: null,
      postLogoutRedirectUris: [],
      requirePar: false,
      requireSignedRequest: false,
      dpopRequired: false,
      deviceFlow: false,
    });
  });

  it('names every setting in its help, those of one dialect under its name', () => {
    for (const { usage, options } of [clientCommands.create, clientCommands.update]) {
      for (const option of Object.keys(options).filter((name) => name !== 'id')) expect(usage).toContain(`${option}`);
      expect(usage).toMatch(/oauth only: \[--scope[\s\S]*\[--jwks[\s\S]*wechat only: \[--callback-domain/);
      for (const line of usage.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    }
  });

  it('switches off with --no-, and takes away with an empty value', async () => {
    const { asked } = await update(['--no-state-required', '--no-style-sheets', '--union', '', '--embed-origin', '']);
    expect(asked[0]?.[3]).toEqual({ stateRequired: false, styleSheets: false, unionName: null, embedOrigins: [] });
    const cleared = await update(['--scope', '', '--callback-domain=']);
    expect(cleared.asked[0]?.[3]).toEqual({ scope: null, callbackDomain: null });
  });

  it('lets unionids change only when told to, and says so in its help', async () => {
    const given = async (args: string[]) => (await update(args)).asked[0]?.[3];
    expect(await given(['--union', 'u', '--new-unionids'])).toEqual({ unionName: 'u', newUnionids: true });
    expect(await given(['--union', '', '--new-unionids'])).toEqual({ unionName: null, newUnionids: true });
    for (const args of [
      ['--union', 'u'],
      ['--union', 'u', '--no-new-unionids'],
    ])
      expect(Object.entries((await given(args)) as object)).not.toContainEqual(['newUnionids', expect.anything()]);
    expect(clientCommands.update.usage).toMatch(/another unionid[\s\S]*--new-unionids/);
    refuses(clientCommands.create, ['--name', 'x', '--new-unionids'], /Unknown option '--new-unionids'/);
  });

  it('shows a first secret once, and says when nothing changed', async () => {
    const first = await update(['--auth-method', 'client_secret_basic'], { secret: 'the-secret' });
    expect(first.json).toMatchObject({ client_secret: 'the-secret' });
    expect(first.text).toMatch(/the-secret[\s\S]*shown this once/);
    expect((await update(['--name', 'Shop'], { changed: [] })).text).toContain('Nothing changed');
  });

  it.each<[string, string[], RegExp]>([
    ['no id', ['--name', 'x'], /<id> is missing/],
    ['nothing to change', [CLIENT.id], /at least one setting/],
    ['a consent to nothing', [CLIENT.id, '--new-unionids'], /at least one setting/],
    ['the dialect', [CLIENT.id, '--dialect', 'wechat'], /Unknown option '--dialect'/],
    ['the type', [CLIENT.id, '--type', 'native'], /Unknown option '--type'/],
    ['a method that does not exist', [CLIENT.id, '--auth-method', 'tls'], /must be one of client_secret_basic/],
    ['a negated word', [CLIENT.id, '--no-name'], /no-name/],
    ['an age that is no number', [CLIENT.id, '--max-age', '1h'], /--max-age must be a whole number/],
    ['an age below zero', [CLIENT.id, '--max-age=-1'], /--max-age must be a whole number/],
    ['an algorithm that does not exist', [CLIENT.id, '--id-token-alg', 'HS256'], /must be one of RS256, ES256/],
  ])('refuses %s before anything is opened', (_what, args, message) => refuses(clientCommands.update, args, message));
});

describe('clients disable, enable', () => {
  it.each(['disable', 'enable'] as const)('%s asks the service, and says what is so now', async (verb) => {
    const client = { ...CLIENT, disabled: verb === 'disable' };
    const { asked, json, text } = await run(clientCommands[verb], [CLIENT.id], { [verb]: client });
    expect(asked).toEqual([[verb, 'command line', CLIENT.id]]);
    expect(json).toMatchObject({ client_id: CLIENT.id, disabled: verb === 'disable' });
    expect(text).toContain(verb === 'disable' ? 'is disabled' : 'is active');
    refuses(clientCommands[verb], [], /<id> is missing/);
  });
});

describe('clients rotate-secret', () => {
  const rotate = (args: string[], secrets: ClientSecret[] = [secret()]) =>
    run(clientCommands['rotate-secret'], [CLIENT.id, ...args], {
      rotateSecret: { client: { ...CLIENT, secrets }, secret: 'the-secret', warnings: [] },
    });

  it.each([
    [[], 7 * 86_400],
    [['--grace', '7d'], 7 * 86_400],
    [['--grace', '12h'], 43_200],
    [['--grace', '30m'], 1800],
    [['--grace', '90d'], 90 * 86_400],
    [['--grace', '0'], 0],
    [['--grace=0d'], 0],
  ])('with %j lets the old one live %i seconds', async (args, seconds) => {
    expect((await rotate(args)).asked).toEqual([['rotateSecret', 'command line', CLIENT.id, seconds]]);
  });

  it('shows the new one once, and says until when the old one works', async () => {
    const { json, text } = await rotate([], [secret(), secret({ expiresAt: FUTURE })]);
    expect(json).toMatchObject({
      client_secret: 'the-secret',
      secrets: [{ expires_at: null }, { expires_at: FUTURE }],
    });
    expect(text).toMatch(/the-secret[\s\S]*shown this once[\s\S]*old secret is accepted until 2999/);
    expect((await rotate(['--grace', '0'])).text).toContain('Every older secret is refused');
    expect(JSON.stringify(json) + text).not.toContain('the-hash');
  });

  it.each(['7', '-1d', '1w', '91d', '', '0x5d', '9999d', ' 7d', '7D'])('refuses a grace of "%s"', (grace) =>
    refuses(clientCommands['rotate-secret'], [CLIENT.id, `--grace=${grace}`], /--grace must be 0, or up to 90 days/),
  );
});

describe('a secret that was seen in a query string', () => {
  const shown = async (...secrets: ClientSecret[]) => {
    const client = { ...CLIENT, secrets };
    const show = await run(clientCommands.show, [CLIENT.id], { get: client });
    const list = await run(clientCommands.list, [], { list: [{ ...CLIENT, id: 'qcother' }, client] });
    return { show, list, row: list.text.split('\n')[2] };
  };
  const fix = `npm run admin -- clients rotate-secret ${CLIENT.id}`;

  it('T55 stands in show and list, with the command that replaces it', async () => {
    const { show, list, row } = await shown(secret({ exposedAt: PAST }));
    expect(row).toContain('active, secret exposed: rotate it');
    expect(list.text.split('\n').at(-1)).toBe(`Exposed, rotate it: ${fix}`);
    expect(list.text.split('\n')[1]).toMatch(/active$/);
    expect(show.text).toContain(fix);
    expect(show.json).toMatchObject({ secrets: [{ created_at: PAST, expires_at: null, exposed_at: PAST }] });
    expect(list.json).toMatchObject([{ secrets: [{ exposed_at: null }] }, { secrets: [{ exposed_at: PAST }] }]);
  });

  it('T55 is a note while it lives on as the old one, and nothing once it is over', async () => {
    const old = await shown(secret(), secret({ exposedAt: PAST, expiresAt: FUTURE }));
    expect(old.row).toMatch(/active$/);
    expect(old.show.text).toContain('old secret was sent in a query string');
    const over = await shown(secret(), secret({ exposedAt: PAST, expiresAt: PAST }));
    expect(over.show.text).not.toMatch(/query string|Old secret/);
    expect(over.show.json).toMatchObject({ secrets: [{ exposed_at: null }] });
  });
});

describe('accounts disable, enable', () => {
  it.each(['disable', 'enable'] as const)('%s asks the service, and says what is so now', async (verb) => {
    const account = { username: 'ming', sex: 0, createdAt: new Date(0), updatedAt: new Date(0) };
    const answer = { ...account, disabled: verb === 'disable' };
    const { asked, json, text } = await run(accountCommands[verb], ['ming'], { [verb]: answer });
    expect(asked).toEqual([[verb, 'command line', 'ming']]);
    expect(json).toMatchObject({ username: 'ming', disabled: verb === 'disable' });
    expect(text).toContain(verb === 'disable' ? '"ming" is disabled' : '"ming" is active');
    refuses(accountCommands[verb], [], /<username> is missing/);
  });
});

describe('the keys of a client on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cli-keys-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const given = async (value: string) => {
    const answer = { client: CLIENT, secret: undefined, warnings: [], changed: [] };
    return (await run(clientCommands.update, [CLIENT.id, '--jwks', value], { update: answer })).asked[0]?.[3];
  };

  it('are read from a file or as they are, as a set or as one key', async () => {
    const text = JSON.stringify(KEYS);
    for (const value of [text, `\n ${text}`, file('set.json', text), JSON.stringify(KEYS.keys[0])])
      expect(await given(value)).toEqual({ clientKeys: KEYS });
  });

  it.each<[string, string, RegExp]>([
    ['a file that is not there', join(folder, 'nothing.json'), /--jwks cannot be read/],
    ['a folder', folder, /is not a file/],
    ['a device', '/dev/zero', /is not a file/],
    ['a large file', file('large.json', ' '.repeat(70_000)), /too large/],
    ['a PEM file', file('key.pem', '-----BEGIN PUBLIC KEY-----\nx'), /is PEM; give the public key as a JWK set/],
    ['half a set', '{"keys":[', /is not JSON/],
    ['no set', '{"key":[]}', /is not a JWK set/],
    ['a list', '[]', /is not a JWK set/],
    ['an address', 'https://shop.example/jwks.json', /cannot be read/],
  ])('are not %s', (_what, value, message) => refuses(clientCommands.update, [CLIENT.id, '--jwks', value], message));

  it('T48 are never repeated when they cannot be read', () => {
    for (const value of ['{"d":"topsecret"', file('half.json', '{"d":"topsecret"'), '{"keys":{"d":"topsecret"}}']) {
      const attempt = () =>
        clientCommands.update.prepare(Options.parse([CLIENT.id, '--jwks', value], clientCommands.update));
      expect(attempt).toThrow(UsageError);
      expect(attempt).not.toThrow(/topsecret/);
    }
  });
});

describe('what is said of a client', () => {
  it('calls every setting by its option', () => {
    for (const { field, option } of ALL_SETTINGS) {
      expect(tell(saying(`{setting:${field}}`))).toBe(`--${option}`);
    }
    expect(tell(saying('{setting:applicationType} {setting:newUnionids}'))).toBe('--type --new-unionids');
  });
});

describe('what is shown of a client', () => {
  const show = (more: Partial<Client>) => run(clientCommands.show, [CLIENT.id], { get: { ...CLIENT, ...more } });

  it('has its names in JSON, the standard ones where there are any', async () => {
    const { json } = await show({
      clientKeys: KEYS,
      requirePar: true,
      defaultMaxAge: 60,
      postLogoutRedirectUris: ['https://shop.example/bye'],
      unionName: 'shops',
    });
    expect(json).toEqual({
      client_id: CLIENT.id,
      name: 'Shop',
      dialect: 'oauth',
      application_type: 'web',
      redirect_uris: CLIENT.redirectUris,
      embed_origins: CLIENT.embedOrigins,
      callback_domain: null,
      union: 'shops',
      token_endpoint_auth_method: 'client_secret_basic',
      match_code: 'type',
      scope: null,
      jwks: KEYS,
      require_pushed_authorization_requests: true,
      require_signed_request_object: false,
      pkce_optional: false,
      dpop_bound_access_tokens: false,
      tls_client_certificate_bound_access_tokens: false,
      device_flow: false,
      default_max_age: 60,
      id_token_signed_response_alg: 'RS256',
      post_logout_redirect_uris: ['https://shop.example/bye'],
      backchannel_logout_uri: null,
      refresh_requires_secret: false,
      state_required: false,
      openid_required: false,
      json_answers: false,
      style_sheets: false,
      disabled: false,
      secrets: [{ created_at: PAST, expires_at: null, exposed_at: null }],
      created_at: PAST,
      warnings: [],
      revision: 0,
    });
  });

  it('has a line for what somebody chose, and none for what nobody did', async () => {
    const chosen = await show({ clientKeys: KEYS, dpopRequired: true, defaultMaxAge: 60, idTokenAlg: 'ES256' });
    expect(chosen.text).toMatch(/^Keys +EC P-256 kid key-1$/m);
    expect(chosen.text).toMatch(/^Tokens +are bound to a key/m);
    expect(chosen.text).toMatch(/^Sign-in age +at most 60 seconds$/m);
    expect(chosen.text).toMatch(/^ID tokens +signed with ES256$/m);
    const plain = await show({});
    expect(plain.text).not.toMatch(/^(Keys|Tokens|Sign-in age|Requests|After logout|Logout notice|Device flow)/m);
    expect((await show({ dialect: 'wechat' })).text).not.toMatch(/^(ID tokens|Token endpoint)/m);
  });

  it('says why a new client with a key has no secret', async () => {
    const client = { ...CLIENT, authMethod: 'private_key_jwt', secrets: [], clientKeys: KEYS };
    const words = ['--name', 'Shop', '--redirect-uri', 'https://a.example/', '--auth-method', 'private_key_jwt'];
    const register = { client, secret: undefined, warnings: [] };
    const { json, text } = await run(clientCommands.create, [...words, '--jwks', JSON.stringify(KEYS)], { register });
    expect(json).toMatchObject({ client_secret: null, token_endpoint_auth_method: 'private_key_jwt' });
    expect(text).toMatch(/This client has no secret: it signs with its own key\.$/);
    expect(text).toMatch(/^Script +<script src=.* integrity="sha384-/m);
  });

  it('needs no address for an app that signs in on another device', async () => {
    const { asked } = await run(clientCommands.create, ['--name', 'TV', '--device-flow'], {
      register: { client: CLIENT, secret: 'the-secret', warnings: [] },
    });
    expect(asked[0]?.[2]).toMatchObject({ name: 'TV', redirectUris: [], deviceFlow: true });
    refuses(clientCommands.create, ['--name', 'TV', '--no-device-flow'], /--redirect-uri is missing/);
  });
});
