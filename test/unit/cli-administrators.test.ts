import { describe, expect, it } from 'vitest';
import { administratorCommands } from '../../src/cli/administrators.js';
import { clientCommands } from '../../src/cli/clients.js';
import type { Command } from '../../src/cli/command.js';
import { tokenCommands } from '../../src/cli/tokens.js';
import { saying } from '../../src/saying.js';
import { refuses, run } from '../support/cli.js';

const SINCE = '2026-01-01T00:00:00.000Z';
const ROOT = { id: 'the-id', username: 'root', createdAt: new Date(SINCE) };
const PASSWORD = 'a long enough pass phrase';
const TOKEN = {
  id: '0123456789ab',
  name: 'deploy',
  readOnly: false,
  createdAt: new Date(SINCE),
  expiresAt: new Date('2026-04-01T00:00:00.000Z'),
  lastUsedAt: undefined,
};

describe('administrators', () => {
  const { list, create, reset, remove } = administratorCommands;

  it('create says where to sign in and what a passkey changes, and repeats no password', async () => {
    const outcome = await run(create, ['--username', 'root', '--password', PASSWORD], { create: ROOT });
    expect(outcome.asked).toEqual([['create', 'command line', 'root', PASSWORD]]);
    expect(outcome.json).toEqual({ id: 'the-id', username: 'root', created_at: SINCE, passkeys: 0 });
    expect(outcome.text).toMatch(/Console +https:\/\/login\.example\/admin\n/);
    expect(outcome.text).toContain('adds a passkey. From then on the password opens nothing.');
    expect(JSON.stringify(outcome.json) + outcome.text).not.toContain(PASSWORD);
  });

  it('list shows who has a passkey, or says how to have an administrator', async () => {
    const all = [
      { administrator: ROOT, passkeys: 2 },
      { administrator: { ...ROOT, id: 'other', username: 'mei' }, passkeys: 0 },
    ];
    const { json, text } = await run(list, [], { list: all });
    expect(json).toEqual([
      { id: 'the-id', username: 'root', created_at: SINCE, passkeys: 2 },
      { id: 'other', username: 'mei', created_at: SINCE, passkeys: 0 },
    ]);
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^USER NAME +SINCE +PASSKEYS$/),
      expect.stringMatching(/^root +2026-01-01 +2$/),
      expect.stringMatching(/^mei +2026-01-01 +none$/),
    ]);
    expect((await run(list, [], { list: [] })).text).toContain('administrators create');
  });

  it.each([
    [0, 'There was no passkey, and'],
    [1, 'The passkey is deleted, and'],
    [3, 'All 3 passkeys are deleted, and'],
  ])('reset says what follows when there were %i passkeys', async (passkeys, said) => {
    const answer = { reset: { administrator: ROOT, passkeys } };
    const outcome = await run(reset, ['root', '--password', PASSWORD], answer);
    expect(outcome.asked).toEqual([['reset', 'command line', 'root', PASSWORD]]);
    expect(outcome.json).toMatchObject({ username: 'root', passkeys: 0, passkeys_deleted: passkeys });
    expect(outcome.text).toContain(`${said} every session of theirs is over.`);
    expect(outcome.text).toContain('sign in at https://login.example/admin with the password once and add a passkey');
    expect(outcome.text).toContain('tokens list');
    expect(outcome.text).not.toContain(PASSWORD);
  });

  it('remove says that sessions are over, and that tokens are not', async () => {
    const outcome = await run(remove, ['root'], { remove: ROOT });
    expect(outcome.asked).toEqual([['remove', 'command line', 'root']]);
    expect(outcome.json).toMatchObject({ id: 'the-id', username: 'root', removed: true });
    expect(outcome.text).toMatch(/sessions are gone\.\nAPI tokens .* go on/);
  });

  it.each<[string, Command, string[], RegExp]>([
    ['create without a name', create, ['--password', 'p'], /--username is missing/],
    ['create without a password', create, ['--username', 'u'], /--password P or --password-file F/],
    ['create with a stray word', create, ['--username', 'u', '--password', 'p', 'q'], /"q" was not expected/],
    ['reset without a name', reset, ['--password', 'p'], /<username> is missing/],
    ['reset without a password', reset, ['u'], /--password P or --password-file F/],
    ['remove without a name', remove, [], /<username> is missing/],
  ])('refuses %s before anything is opened', (_what, command, args, message) => refuses(command, args, message));
});

describe('tokens', () => {
  const { create, list, revoke } = tokenCommands;
  const JSON_OF_TOKEN = {
    id: TOKEN.id,
    name: 'deploy',
    read_only: false,
    created_at: SINCE,
    expires_at: '2026-04-01T00:00:00.000Z',
    last_used_at: null,
  };

  it('create shows the token once, and says how to send and how to end it', async () => {
    const answer = { create: { token: TOKEN, secret: 'the-secret' } };
    const { asked, json, text } = await run(create, ['--name', 'deploy'], answer);
    expect(asked).toEqual([['create', 'command line', { name: 'deploy', days: 90, readOnly: false }]]);
    expect(json).toEqual({ ...JSON_OF_TOKEN, token: 'the-secret' });
    expect(text).toMatch(/Token +the-secret\nMay +read and change\n/);
    expect(text).toContain('shown this once');
    expect(text).toContain('curl -H "Authorization: Bearer $TOKEN" https://login.example/admin/api/clients');
    expect(text).toContain(`tokens revoke ${TOKEN.id}`);
  });

  it('create reads how long it lives and whether it may only look', async () => {
    const answer = { create: { token: { ...TOKEN, readOnly: true }, secret: 'the-secret' } };
    const { asked, text } = await run(create, ['--name', 'n', '--days', '366', '--read-only'], answer);
    expect(asked[0]?.[2]).toEqual({ name: 'n', days: 366, readOnly: true });
    expect(text).toMatch(/May +read\n/);
  });

  it('list shows what each may and when it was used, or says how to have one', async () => {
    const used = { ...TOKEN, id: 'other', readOnly: true, lastUsedAt: new Date(SINCE) };
    const { json, text } = await run(list, [], { list: [TOKEN, used] });
    expect(json).toEqual([JSON_OF_TOKEN, { ...JSON_OF_TOKEN, id: 'other', read_only: true, last_used_at: SINCE }]);
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^ID +NAME +MAY +SINCE +EXPIRES +LAST USED$/),
      expect.stringMatching(/^0123456789ab +deploy +read and change +2026-01-01 +2026-04-01 +never$/),
      expect.stringMatching(/^other +deploy +read +2026-01-01 +2026-04-01 +2026-01-01T00:00:00\.000Z$/),
    ]);
    expect((await run(list, [], { list: [] })).text).toContain('tokens create');
  });

  it('revoke names what is over', async () => {
    const { asked, json, text } = await run(revoke, [TOKEN.id], { revoke: TOKEN });
    expect(asked).toEqual([['revoke', 'command line', TOKEN.id]]);
    expect(json).toEqual(JSON_OF_TOKEN);
    expect(text).toMatch(/^"deploy" \(0123456789ab\) is revoked: .*401/);
  });

  it.each<[string, Command, string[], RegExp]>([
    ['create without a name', create, [], /--name is missing/],
    ['create for no day', create, ['--name', 'n', '--days', '0'], /--days must be a number from 1 to 366; it is "0"/],
    ['create for ever', create, ['--name', 'n', '--days', '367'], /--days must be a number from 1 to 366/],
    ['create for days in words', create, ['--name', 'n', '--days', '90d'], /--days must be a number/],
    ['revoke without an id', revoke, [], /<id> is missing/],
  ])('refuses %s before anything is opened', (_what, command, args, message) => refuses(command, args, message));
});

describe('clients delete, check-redirect-uri', () => {
  const { delete: remove, 'check-redirect-uri': check } = clientCommands;
  const U = 'https://shop.example/callback';

  it('delete says that it is for ever', async () => {
    const { asked, json, text } = await run(remove, ['qc1'], { delete: undefined });
    expect(asked).toEqual([['delete', 'command line', 'qc1']]);
    expect(json).toEqual({ client_id: 'qc1', deleted: true });
    expect(text).toMatch(/^"qc1" is gone for ever\. Its id is never given again/);
  });

  it.each([
    [true, 'Accepted'],
    [false, 'Refused'],
  ])('check-redirect-uri says whether (%s) and why', async (allowed, word) => {
    const reason = saying('{part} is another one than in {known}', { part: saying('the path'), known: 'K' });
    const answer = { checkRedirectUri: { allowed, reason } };
    const { asked, json, text } = await run(check, ['qc1', '--redirect-uri', U], answer);
    expect(asked).toEqual([['checkRedirectUri', 'qc1', U]]);
    expect(json).toEqual({ allowed, reason: 'the path is another one than in K' });
    expect(text).toBe(`${word}: the path is another one than in K.`);
  });

  it('refuse a missing id, a missing URI, and a URI without its flag', () => {
    refuses(remove, [], /<id> is missing/);
    refuses(check, ['--redirect-uri', U], /<id> is missing/);
    refuses(check, ['qc1'], /--redirect-uri is missing/);
    refuses(check, ['qc1', U], /was not expected here/);
  });
});
