import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createRecordStore, type NewRecord, type RecordStore } from '../../src/engine/record-store.js';
import { newSecret } from '../../src/secret.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the record store', () => {
  let test: TestDatabase;
  let nodes: Database[];
  let store: RecordStore;
  /** The same rows through another node's pool. */
  let other: RecordStore;
  beforeAll(async () => {
    test = await createTestDatabase();
    nodes = [openDatabase(test.url), openDatabase(test.url)];
    [store, other] = nodes.map((node) => createRecordStore(node)) as [RecordStore, RecordStore];
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await test?.drop();
  });

  const record = (more: Partial<NewRecord> = {}): NewRecord => ({
    kind: 'AuthorizationCode',
    key: newSecret(),
    payload: { a: 1, nested: { list: ['x', null] } },
    seconds: 60,
    ...more,
  });
  const put = async (more: Partial<NewRecord> = {}) => {
    const made = record(more);
    await store.put(made);
    return made;
  };

  it('gives back what was put, from any node, by kind and key together', async () => {
    const { key, payload } = await put();
    expect(await other.find('AuthorizationCode', key)).toEqual({ payload, consumedAt: undefined, expired: false });
    expect(await store.find('AccessToken', key)).toBeUndefined();
    expect(await store.find('AuthorizationCode', 'unknown')).toBeUndefined();
  });

  it('finds by uid and by user code, of the kind asked for only', async () => {
    const { key, uid, userCode } = await put({ kind: 'DeviceCode', uid: newSecret(), userCode: newSecret(8) });
    expect(await store.findByUid('DeviceCode', String(uid))).toMatchObject({ key });
    expect(await store.findByUserCode('DeviceCode', String(userCode))).toMatchObject({ key });
    expect(await store.findByUid('Session', String(uid))).toBeUndefined();
    expect(await store.findByUserCode('Session', String(userCode))).toBeUndefined();
  });

  it('replaces the payload at a second put, and never unmakes a consumption', async () => {
    const made = await put();
    expect(await store.consume(made.kind, made.key)).toBe(true);
    await store.put({ ...made, payload: { b: 2 }, seconds: 120 });
    expect(await store.find(made.kind, made.key)).toMatchObject({ payload: { b: 2 }, consumedAt: expect.any(Number) });
    expect(await store.consume(made.kind, made.key)).toBe(false);
  });

  it('lets exactly one of forty consumers at two nodes win, twenty times', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { kind, key } = await put();
      const won = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? store : other).consume(kind, key)));
      expect(won.filter(Boolean)).toHaveLength(1);
    }
  });

  it('does not consume what is not there', async () => {
    expect(await store.consume('AuthorizationCode', 'unknown')).toBe(false);
    const { kind, key } = await put();
    await store.remove(kind, key);
    expect(await store.consume(kind, key)).toBe(false);
  });

  it('counts every failure of thirty at once, at two nodes, and of nothing counts none', async () => {
    const { kind, key, payload } = await put();
    const counts = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 ? store : other).countFailure(kind, key)),
    );
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect((await store.find(kind, key))?.payload).toEqual({ ...payload, failures: 30 });
    expect(await store.countFailure(kind, 'unknown')).toBe(0);
  });

  it('T20 ends every grant of one account, and none of another', async () => {
    const [annas, bens] = [newSecret(), newSecret()];
    const keys = [newSecret(), newSecret(), newSecret()] as const;
    for (const [i, accountId] of [annas, annas, bens].entries())
      await put({ kind: 'Grant', key: keys[i], payload: { accountId } });
    await store.removeGrantsOf(annas);
    const found = await Promise.all(keys.map((key) => store.find('Grant', key)));
    expect(found.map((grant) => grant?.payload.accountId)).toEqual([undefined, undefined, bens]);
  });

  it('calls a record expired by the clock of the database', async () => {
    const { kind, key } = await put({ seconds: 3600 });
    await test.sql('UPDATE engine_record SET expires_at = clock_timestamp() WHERE key = $1', [key]);
    expect(await store.find(kind, key)).toMatchObject({ expired: true });
  });

  it('ends a grant with all that came from it, but for used codes, and nothing of another grant', async () => {
    const [grantId, otherGrant] = [newSecret(), newSecret()];
    const kinds = ['AuthorizationCode', 'AccessToken', 'RefreshToken'] as const;
    for (const id of [grantId, otherGrant]) await put({ kind: 'Grant', key: id });
    const own = await Promise.all(kinds.map((kind) => put({ kind, grantId })));
    const used = await put({ grantId });
    await store.consume(used.kind, used.key);
    const others = await Promise.all(kinds.map((kind) => put({ kind, grantId: otherGrant })));
    await store.removeByGrant(grantId);
    for (const { kind, key } of [...own, { kind: 'Grant', key: grantId }]) {
      expect(await store.find(kind, key)).toBeUndefined();
    }
    expect(await store.find(used.kind, used.key)).toMatchObject({ consumedAt: expect.any(Number) });
    for (const { kind, key } of [...others, { kind: 'Grant', key: otherGrant }]) {
      expect(await store.find(kind, key)).toBeDefined();
    }
  });

  it('either consumes a code or ends its grant first, never half of both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const grantId = newSecret();
      const { kind, key } = await put({ grantId });
      const [won] = await Promise.all([store.consume(kind, key), other.removeByGrant(grantId)]);
      const left = await store.find(kind, key);
      // Won before the end: the used code stays. Ended first: there is nothing left, and nobody won.
      if (!won) expect(left).toBeUndefined();
      if (left) expect(left.consumedAt).toBeDefined();
    }
  });

  it('brings grant, client and account along with a token', async () => {
    await test.sql(
      `INSERT INTO client (id, name, dialect, application_type, auth_method, redirect_uris, embed_origins)
       VALUES ('qc1', 'Shop', 'oauth', 'web', 'none', '{https://a.example/}', '{}')`,
    );
    await test.sql("INSERT INTO account (id, username, nickname, picture) VALUES ('p1', 'ann', 'Ann', 'x')");
    const grantId = newSecret();
    await put({ kind: 'Grant', key: grantId, payload: { clientId: 'qc1' } });
    const { kind, key } = await put({ kind: 'AccessToken', grantId, payload: { clientId: 'qc1', accountId: 'p1' } });
    expect(await store.findWithFamily(kind, key)).toMatchObject({
      record: { expired: false },
      grant: { payload: { clientId: 'qc1' }, expired: false },
      client: { id: 'qc1', redirectUris: ['https://a.example/'], disabled: false, createdAt: expect.any(Date) },
      account: { id: 'p1', nickname: 'Ann', disabled: false, createdAt: expect.any(Date) },
    });
    await store.removeByGrant(grantId);
    expect(await store.findWithFamily(kind, key)).toBeUndefined();
    const orphan = await put({ kind: 'AccessToken', grantId: 'gone', payload: { clientId: 'nobody' } });
    expect(await store.findWithFamily(orphan.kind, orphan.key)).toMatchObject({
      grant: undefined,
      client: undefined,
      account: undefined,
    });
  });

  it('sweeps what expired an hour ago, used codes only after a day, and nothing that lives', async () => {
    await store.sweep();
    const token = await put({ kind: 'AccessToken' });
    const code = await put();
    const alive = await put({ kind: 'AccessToken' });
    const age = (key: string, interval: string) =>
      test.sql(`UPDATE engine_record SET expires_at = now() - $2::interval WHERE key = $1`, [key, interval]);
    await age(token.key, '59 minutes');
    await age(code.key, '23 hours');
    expect(await store.sweep()).toBe(0);
    await age(token.key, '61 minutes');
    await age(code.key, '25 hours');
    const swept = await Promise.all([store.sweep(), other.sweep()]);
    expect(swept[0] + swept[1]).toBe(2);
    expect(await store.find(alive.kind, alive.key)).toBeDefined();
  });
});
