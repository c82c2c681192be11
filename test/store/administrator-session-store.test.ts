import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AdministratorSessionStore,
  createAdministratorSessionStore,
} from '../../src/administrator/administrator-session-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the administrator session store', () => {
  let test: TestDatabase;
  let database: Database;
  let store: AdministratorSessionStore;
  let root: string;
  beforeAll(async () => {
    test = await createTestDatabase();
    database = openDatabase(test.url);
    store = createAdministratorSessionStore(database);
  });
  afterAll(async () => {
    await database?.close();
    await test?.drop();
  });
  beforeEach(async () => {
    root = await administrator();
  });

  const administrator = async () => {
    const id = randomUUID();
    await test.sql("INSERT INTO administrator (id, username, password_hash) VALUES ($1, $1, 'verified')", [id]);
    return id;
  };
  const insert = (id: string, administratorId = root, passwordHash = 'verified') =>
    store.insertByPassword({ id, secretHash: `hash ${id}`, administratorId, passwordHash });
  /** A new session by password; its id and the hash of its secret. */
  const signIn = async (administratorId = root) => {
    const id = randomUUID();
    expect(await insert(id, administratorId)).toBe(true);
    return { id, hash: `hash ${id}` };
  };
  /** Its id. */
  const addPasskey = async (administratorId = root) => {
    const id = randomUUID();
    await test.sql(
      `INSERT INTO administrator_passkey (id, administrator_id, name, public_key, sign_count, transports, backed_up)
       VALUES ($1, $2, 'key', '', 0, '{}', false)`,
      [id, administratorId],
    );
    return id;
  };
  const insertByPasskey = (id: string, passkeyId: string) =>
    store.insertByPasskey({ id, secretHash: `hash ${id}`, administratorId: root, passkeyId });
  const changePassword = () => test.sql("UPDATE administrator SET password_hash = 'other' WHERE id = $1", [root]);
  const age = (id: string, column: string, by: string) =>
    test.sql(`UPDATE administrator_session SET ${column} = ${column} - $2::interval WHERE id = $1`, [id, by]);

  it('finds who holds a secret, how they signed in and how long ago', async () => {
    const { id, hash } = await signIn();
    await age(id, 'auth_time', '10 minutes');
    const found = await store.findLive(hash);
    expect(found).toEqual({
      id,
      method: 'password',
      hasPasskey: false,
      age: expect.any(Number),
      administrator: { id: root, username: root, createdAt: expect.any(Date) },
    });
    expect(found?.age).toBeGreaterThanOrEqual(600);
    expect(found?.age).toBeLessThan(660);
    expect(await store.findLive('hash of nothing')).toBeUndefined();
    expect(await store.findLive(id)).toBeUndefined();
  });

  it('T20 finds no session that was idle for 30 minutes or began 12 hours ago', async () => {
    const [idle, old, young] = [await signIn(), await signIn(), await signIn()];
    await age(idle.id, 'last_seen_at', '30 minutes');
    await age(old.id, 'created_at', '12 hours');
    await age(young.id, 'last_seen_at', '29 minutes');
    await age(young.id, 'created_at', '11 hours 59 minutes');
    expect(await store.findLive(idle.hash)).toBeUndefined();
    expect(await store.findLive(old.hash)).toBeUndefined();
    expect(await store.findLive(young.hash)).toBeDefined();
  });

  it('notes that a session was seen, once a minute', async () => {
    const { id, hash } = await signIn();
    const seen = async () => {
      const [row] = await test.sql<{ at: Date }>('SELECT last_seen_at AS at FROM administrator_session WHERE id = $1', [
        id,
      ]);
      return row?.at.getTime() as number;
    };
    await age(id, 'last_seen_at', '50 seconds');
    const before = await seen();
    await store.findLive(hash);
    expect(await seen()).toBe(before);
    await age(id, 'last_seen_at', '20 seconds');
    await store.findLive(hash);
    expect(await seen()).toBeGreaterThan(before);
  });

  it('T20 begins no session by a password that was changed while it was checked', async () => {
    await changePassword();
    const id = randomUUID();
    expect(await insert(id)).toBe(false);
    expect(await store.findLive(`hash ${id}`)).toBeUndefined();
    expect(await insert(randomUUID(), root, 'other')).toBe(true);
  });

  it('T65 begins no session by the password of somebody who has a passkey, but by the passkey', async () => {
    const passkey = await addPasskey();
    expect(await insert(randomUUID())).toBe(false);
    const id = randomUUID();
    expect(await insertByPasskey(id, passkey)).toBe(true);
    expect(await store.findLive(`hash ${id}`)).toMatchObject({ method: 'passkey', hasPasskey: true });
  });

  it('T22 begins and renews no session by a passkey that is gone, or somebody else’s', async () => {
    const { id } = await signIn();
    const passkey = await addPasskey();
    const another = await addPasskey(await administrator());
    await test.sql('DELETE FROM administrator_passkey WHERE id = $1', [passkey]);
    for (const one of [passkey, another, 'none']) {
      expect(await insertByPasskey(randomUUID(), one)).toBe(false);
      expect(await store.renewByPasskey(id, one, 'renewed')).toBe(false);
    }
  });

  it('begins no session of somebody who is gone, and ends those there are', async () => {
    const { hash } = await signIn();
    const passkey = await addPasskey();
    await test.sql('DELETE FROM administrator WHERE id = $1', [root]);
    expect(await store.findLive(hash)).toBeUndefined();
    expect(await insert(randomUUID())).toBe(false);
    expect(await insertByPasskey(randomUUID(), passkey)).toBe(false);
  });

  it('says of a session by password that there is a passkey by now', async () => {
    const { hash } = await signIn();
    await addPasskey();
    expect(await store.findLive(hash)).toMatchObject({ method: 'password', hasPasskey: true });
  });

  it('T19 renews a proof by password under another secret, unless the password changed, a passkey came, or the session is over', async () => {
    const { id, hash } = await signIn();
    await age(id, 'auth_time', '1 hour');
    expect(await store.renewByPassword(id, 'another', 'renewed')).toBe(false);
    expect((await store.findLive(hash))?.age).toBeGreaterThanOrEqual(3600);
    expect(await store.renewByPassword(id, 'verified', `${id} renewed`)).toBe(true);
    expect(await store.findLive(hash)).toBeUndefined();
    expect((await store.findLive(`${id} renewed`))?.age).toBeLessThan(60);

    const idle = await signIn();
    await age(idle.id, 'last_seen_at', '30 minutes');
    expect(await store.renewByPassword(idle.id, 'verified', 'renewed')).toBe(false);
    expect(await store.findLive(idle.hash)).toBeUndefined();

    await addPasskey();
    expect(await store.renewByPassword(id, 'verified', 'renewed')).toBe(false);
  });

  it('T19 renews a proof by passkey under another secret, whatever began the session, unless that is over', async () => {
    const { id, hash } = await signIn();
    const passkey = await addPasskey();
    await age(id, 'auth_time', '1 hour');
    expect(await store.renewByPasskey(id, passkey, `${id} renewed`)).toBe(true);
    expect(await store.findLive(hash)).toBeUndefined();
    expect(await store.findLive(`${id} renewed`)).toMatchObject({ method: 'passkey' });
    expect((await store.findLive(`${id} renewed`))?.age).toBeLessThan(60);
    expect(await store.renewByPassword(id, 'verified', 'renewed')).toBe(false);
    await age(id, 'created_at', '12 hours');
    expect(await store.renewByPasskey(id, passkey, 'renewed')).toBe(false);
  });

  it('ends one session and leaves the others', async () => {
    const [one, other] = [await signIn(), await signIn()];
    await store.end(one.id);
    expect(await store.findLive(one.hash)).toBeUndefined();
    expect(await store.findLive(other.hash)).toBeDefined();
    expect(await store.renewByPassword(one.id, 'verified', 'renewed')).toBe(false);
    expect(await store.renewByPasskey(one.id, await addPasskey(), 'renewed')).toBe(false);
  });

  it('sweeps a session a month after it ended or could last no longer', async () => {
    await test.sql('TRUNCATE administrator_session');
    const [lives, ended, longEnded, old, ancient] = [
      await signIn(),
      await signIn(),
      await signIn(),
      await signIn(),
      await signIn(),
    ];
    await store.end(ended.id);
    await store.end(longEnded.id);
    await age(ended.id, 'ended_at', '29 days');
    await age(longEnded.id, 'ended_at', '31 days');
    await age(old.id, 'created_at', '30 days');
    await age(ancient.id, 'created_at', '30 days 13 hours');
    expect(await store.sweep()).toBe(2);
    const left = await test.sql<{ id: string }>('SELECT id FROM administrator_session');
    expect(left.map(({ id }) => id).sort()).toEqual([lives.id, ended.id, old.id].sort());
    expect(await store.sweep()).toBe(0);
  });
});
