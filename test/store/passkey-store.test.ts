/** T22, T23: a challenge is answered once, a count only grows, and an administrator's passkeys have an end. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ChallengePurpose,
  createPasskeyStore,
  MAX_PASSKEYS,
  type PasskeyStore,
} from '../../src/administrator/passkey-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const [RACERS, ROUNDS] = [20, 5];

describe('the passkey store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let store: PasskeyStore;
  let other: PasskeyStore;
  let administratorId: string;
  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    [store, other] = nodes.map((node) => createPasskeyStore(node)) as [PasskeyStore, PasskeyStore];
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });
  beforeEach(async () => {
    await test.sql('TRUNCATE administrator, webauthn_challenge CASCADE');
    administratorId = await newAdministrator();
  });

  const newAdministrator = async () => {
    const id = randomUUID();
    await test.sql("INSERT INTO administrator (id, username, password_hash) VALUES ($1, $1, 'hash')", [id]);
    // Known by the administrator's name: one is enough here.
    await test.sql(
      "INSERT INTO administrator_session (id, secret_hash, administrator_id, method) VALUES ($1, $1, $1, 'passkey')",
      [id],
    );
    return id;
  };
  const passkey = (id: string, of = administratorId, signCount = 1) => ({
    id,
    administratorId: of,
    sessionId: of,
    name: 'laptop',
    publicKey: Uint8Array.of(1, 2, 3),
    signCount,
    transports: ['internal', 'hybrid'],
    backedUp: false,
  });
  const race = <T>(work: (node: PasskeyStore, i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: RACERS }, (_, i) => work(i % 2 ? store : other, i)));
  const count = async (table: 'administrator_passkey' | 'webauthn_challenge') =>
    (await test.sql(`SELECT 1 FROM ${table}`)).length;

  it('gives a challenge to one of many at two nodes', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const holder of ['session', undefined]) {
        await store.saveChallenge(`hash ${round}`, 'proof', holder);
        const won = await race((node) => node.consume(`hash ${round}`, 'proof', holder));
        expect(won.filter(Boolean)).toHaveLength(1);
      }
    }
    expect(await count('webauthn_challenge')).toBe(0);
  });

  it('gives a challenge to its purpose and holder only, and leaves it to them', async () => {
    const wrong: [string, ChallengePurpose, string?][] = [
      ['another', 'proof', 'session'],
      ['hash', 'registration', 'session'],
      ['hash', 'sign-in', 'session'],
      ['hash', 'proof', 'other session'],
      ['hash', 'proof'],
    ];
    await store.saveChallenge('hash', 'proof', 'session');
    for (const [hash, purpose, holder] of wrong) expect(await store.consume(hash, purpose, holder)).toBe(false);
    expect(await store.consume('hash', 'proof', 'session')).toBe(true);
    await store.saveChallenge('hash', 'sign-in');
    expect(await store.consume('hash', 'sign-in', 'session')).toBe(false);
    expect(await store.consume('hash', 'sign-in')).toBe(true);
  });

  it('gives no challenge that is over, and sweeps those alone', async () => {
    await store.saveChallenge('over', 'sign-in');
    await test.sql("UPDATE webauthn_challenge SET expires_at = now() - interval '1 second'");
    await store.saveChallenge('live', 'sign-in');
    expect(await store.consume('over', 'sign-in')).toBe(false);
    expect(await store.sweep()).toBe(1);
    expect(await store.sweep()).toBe(0);
    expect(await store.consume('live', 'sign-in')).toBe(true);
  });

  it('keeps a passkey as it is, and lists the oldest first', async () => {
    const added = await store.add(passkey('a'));
    const { sessionId: _, ...given } = passkey('a');
    const kept = { ...given, publicKey: Buffer.of(1, 2, 3), createdAt: expect.any(Date), lastUsedAt: undefined };
    expect(added).toEqual(kept);
    expect(await other.find('a')).toEqual(kept);
    await store.add(passkey('b'));
    await test.sql("UPDATE administrator_passkey SET created_at = now() - interval '1 day' WHERE id = 'b'");
    expect((await store.listOf(administratorId)).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(await store.listOf(await newAdministrator())).toEqual([]);
    expect(await store.find('c')).toBeUndefined();
  });

  it('adds no credential twice, whoever brings it, and none to nobody', async () => {
    await store.add(passkey('a'));
    expect(await store.add(passkey('a'))).toBe('known');
    expect(await store.add(passkey('a', await newAdministrator()))).toBe('known');
    expect(await store.add(passkey('b', 'nobody'))).toBe('gone');
    expect(await count('administrator_passkey')).toBe(1);
  });

  it(`stops at ${MAX_PASSKEYS}, also when many come at once`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const of = await newAdministrator();
      const results = await race((node, i) => node.add(passkey(`${round} ${i}`, of)));
      expect(results.filter((result) => result === 'full')).toHaveLength(RACERS - MAX_PASSKEYS);
      expect(await store.listOf(of)).toHaveLength(MAX_PASSKEYS);
    }
    expect(await store.add(passkey('a'))).toMatchObject({ id: 'a' });
  });

  it('notes a use whose count has grown, and its backup state', async () => {
    await store.add(passkey('a', administratorId, 5));
    const use = (signCount: number) => store.use('a', { signCount, backedUp: true });
    for (const signCount of [0, 4, 5]) expect(await use(signCount)).toBe(false);
    expect(await store.find('a')).toMatchObject({ signCount: 5, backedUp: false, lastUsedAt: undefined });
    expect(await use(4_294_967_295)).toBe(true);
    expect(await store.find('a')).toMatchObject({
      signCount: 4_294_967_295,
      backedUp: true,
      lastUsedAt: expect.any(Date),
    });
    expect(await store.use('b', { signCount: 9, backedUp: true })).toBe(false);
  });

  it('lets a count of zero stay zero, until it has grown once', async () => {
    await store.add(passkey('a', administratorId, 0));
    const use = (signCount: number) => store.use('a', { signCount, backedUp: false });
    expect([await use(0), await use(0), await use(1), await use(0)]).toEqual([true, true, true, false]);
  });

  it('lets one of many at two nodes use one count', async () => {
    await store.add(passkey('a'));
    for (let round = 0; round < ROUNDS; round += 1) {
      const won = await race((node) => node.use('a', { signCount: round + 2, backedUp: false }));
      expect(won.filter(Boolean)).toHaveLength(1);
    }
  });

  it('removes a passkey for its administrator only, once', async () => {
    const anyway = { keepLast: false, sessionId: administratorId };
    await store.add(passkey('a'));
    expect(await store.remove(await newAdministrator(), 'a', anyway)).toBe('unknown');
    const done = await race((node) => node.remove(administratorId, 'a', anyway));
    expect(done.filter((one) => one === 'removed')).toHaveLength(1);
    expect(await store.find('a')).toBeUndefined();
  });

  it('T23 adds nothing for a session that has ended, or is somebody else’s', async () => {
    const stranger = await newAdministrator();
    expect(await store.add({ ...passkey('a'), sessionId: stranger })).toBe('gone');
    await test.sql('UPDATE administrator_session SET ended_at = now() WHERE id = $1', [administratorId]);
    expect(await store.add(passkey('a'))).toBe('gone');
    expect(await count('administrator_passkey')).toBe(0);
  });

  it('T23 adds one for sessions that a password began, not two, however many ask at once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const of = await newAdministrator();
      await test.sql("UPDATE administrator_session SET method = 'password' WHERE administrator_id = $1", [of]);
      const results = await race((node, i) => node.add(passkey(`${round} ${i}`, of)));
      expect(results.filter((result) => result === 'gone')).toHaveLength(RACERS - 1);
      expect(await store.listOf(of)).toHaveLength(1);
    }
  });

  it('T23 ends every other session of the administrator whose passkey is removed, and of nobody else', async () => {
    const stranger = await newAdministrator();
    const other = randomUUID();
    await test.sql(
      "INSERT INTO administrator_session (id, secret_hash, administrator_id, method) VALUES ($1, $1, $2, 'passkey')",
      [other, administratorId],
    );
    await store.add(passkey('a'));
    const lives = async () =>
      (await test.sql('SELECT id FROM administrator_session WHERE ended_at IS NULL ORDER BY created_at')).map(
        ({ id }) => id,
      );
    const but = { keepLast: true, sessionId: administratorId };
    expect(await store.remove(administratorId, 'a', but)).toBe('last');
    expect(await lives()).toEqual([administratorId, stranger, other]);
    await store.remove(administratorId, 'a', { ...but, keepLast: false });
    expect(await lives()).toEqual([administratorId, stranger]);
  });

  it('keeps the last one where it is to stay, however many are taken away at once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await test.sql('DELETE FROM administrator_passkey');
      for (const id of ['a', 'b', 'c']) await store.add(passkey(id));
      const but = { keepLast: true, sessionId: administratorId };
      const done = await race((node, i) => node.remove(administratorId, ['a', 'b', 'c'][i % 3] as string, but));
      expect(done.filter((one) => one === 'removed')).toHaveLength(2);
      expect(await count('administrator_passkey')).toBe(1);
    }
  });

  it('forgets the passkeys of an administrator who is deleted', async () => {
    await store.add(passkey('a'));
    await test.sql('DELETE FROM administrator WHERE id = $1', [administratorId]);
    expect(await store.find('a')).toBeUndefined();
  });
});
