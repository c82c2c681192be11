import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPhoneSessionStore, type PhoneSessionStore } from '../../src/account/phone-session-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const RACERS = 24;

describe('the phone session store', () => {
  let files: TestDatabase;
  let database: Database;
  let store: PhoneSessionStore;
  let accountId: string;

  beforeAll(async () => {
    files = await createTestDatabase();
    database = openDatabase(files.url);
    store = createPhoneSessionStore(database);
  });
  afterAll(async () => {
    await database?.close();
    await files?.drop();
  });
  beforeEach(async () => {
    accountId = randomUUID();
    await files.sql("INSERT INTO account (id, username, nickname, picture) VALUES ($1, $1, 'Anna', 'p')", [accountId]);
    await files.sql("INSERT INTO password (account_id, hash) VALUES ($1, 'verified')", [accountId]);
  });

  /** A new session; its id and the hash of its secret. */
  const signIn = async () => {
    const id = randomUUID();
    await store.insert({
      id,
      secretHash: `hash ${id}`,
      accountId,
      passwordHash: 'verified',
      amr: ['pwd'],
      browser: { name: 'Safari', system: 'iOS' },
    });
    return { id, hash: `hash ${id}` };
  };
  const age = (id: string, column: string, by: string) =>
    files.sql(`UPDATE phone_session SET ${column} = ${column} - $2::interval WHERE id = $1`, [id, by]);

  it('finds who holds a secret, when and how they signed in', async () => {
    const { id, hash } = await signIn();
    expect(await store.findLive(hash)).toEqual({
      session: { id, accountId, authTime: expect.any(Date), amr: ['pwd'] },
      account: expect.objectContaining({ id: accountId, disabled: false, createdAt: expect.any(Date) }),
    });
    expect(await store.findLive('hash of nothing')).toBeUndefined();
    expect(await store.findLive(id)).toBeUndefined();
  });

  it('T20 finds no session that was idle for 14 days or began 30 days ago', async () => {
    const [idle, old, young] = [await signIn(), await signIn(), await signIn()];
    await age(idle.id, 'last_seen_at', '14 days');
    await age(old.id, 'created_at', '30 days');
    await age(young.id, 'last_seen_at', '13 days 23 hours');
    await age(young.id, 'created_at', '29 days 23 hours');
    expect(await store.findLive(idle.hash)).toBeUndefined();
    expect(await store.findLive(old.hash)).toBeUndefined();
    expect(await store.findLive(young.hash)).toBeDefined();
  });

  it('T20 finds no session of a disabled account', async () => {
    const { hash } = await signIn();
    await files.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [accountId]);
    expect(await store.findLive(hash)).toBeUndefined();
  });

  it('notes that a session was seen, once an hour', async () => {
    const { id, hash } = await signIn();
    const seen = async () =>
      (await files.sql<{ at: Date }>('SELECT last_seen_at AS at FROM phone_session WHERE id = $1', [id]))[0]?.at;
    await age(id, 'last_seen_at', '59 minutes');
    const before = await seen();
    await store.findLive(hash);
    expect(await seen()).toEqual(before);
    await age(id, 'last_seen_at', '2 minutes');
    await store.findLive(hash);
    expect((await seen())?.getTime()).toBeGreaterThan(before?.getTime() ?? 0);
  });

  it('ends one session and leaves the others', async () => {
    const [one, other] = [await signIn(), await signIn()];
    await store.end(one.id);
    expect(await store.findLive(one.hash)).toBeUndefined();
    expect(await store.findLive(other.hash)).toBeDefined();
  });

  it('keeps the moment a session ended when it is ended again', async () => {
    const { id } = await signIn();
    await store.end(id);
    const ended = await files.sql('SELECT ended_at FROM phone_session WHERE id = $1', [id]);
    await store.end(id);
    expect(await files.sql('SELECT ended_at FROM phone_session WHERE id = $1', [id])).toEqual(ended);
  });

  it('ends each session of an account exactly once when many ask at the same moment', async () => {
    const sessions = await Promise.all(Array.from({ length: 7 }, signIn));
    const ended = await Promise.all(Array.from({ length: RACERS }, () => store.endAllOf(accountId)));
    expect(ended.reduce((sum, count) => sum + count, 0)).toBe(sessions.length);
    for (const { hash } of sessions) expect(await store.findLive(hash)).toBeUndefined();
  });

  it('never brings an ended session back by looking at it', async () => {
    const { id, hash } = await signIn();
    await age(id, 'last_seen_at', '2 hours');
    await Promise.all([...Array.from({ length: RACERS }, () => store.findLive(hash)), store.end(id)]);
    expect(await store.findLive(hash)).toBeUndefined();
  });

  it('T20 opens none for a password that was replaced while it was checked, or an account disabled meanwhile', async () => {
    const open = (passwordHash: string) =>
      store.insert({
        id: randomUUID(),
        secretHash: randomUUID(),
        accountId,
        passwordHash,
        amr: ['pwd'],
        browser: { name: 'x', system: 'x' },
      });
    expect(await open('another')).toBe(false);
    expect(await open('verified')).toBe(true);
    await files.sql('UPDATE account SET disabled_at = now() WHERE id = $1', [accountId]);
    expect(await open('verified')).toBe(false);
  });

  it('lives until it is ended', async () => {
    const { id } = await signIn();
    expect([await store.lives(id), await store.lives(randomUUID())]).toEqual([true, false]);
    await store.end(id);
    expect(await store.lives(id)).toBe(false);
  });

  it('refuses a second session with the same secret', async () => {
    const { hash } = await signIn();
    const browser = { name: 'x', system: 'x' };
    const again = { id: randomUUID(), secretHash: hash, accountId, passwordHash: 'verified', amr: [], browser };
    await expect(store.insert(again)).rejects.toThrow(/unique/);
  });
});
