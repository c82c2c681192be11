/** T79: wrong guesses are counted in windows that begin with the first and end by the database's clock. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createGuessStore, type GuessStore } from '../../src/account/guess-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let pool: Database;
let guesses: GuessStore;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openDatabase(database.url);
  guesses = createGuessStore(pool);
});
afterAll(async () => {
  await pool?.close();
  await database?.drop();
});
beforeEach(() => database.sql('DELETE FROM wrong_guess'));

const end = async () => (await database.sql<{ ends_at: Date }>('SELECT ends_at FROM wrong_guess'))[0]?.ends_at;
const pass = () => database.sql("UPDATE wrong_guess SET ends_at = now() - interval '1 second'");

it('T79: further guesses count in the window of the first, and do not draw it out', async () => {
  expect(await guesses.add('anna', 600)).toEqual({ points: 1, seconds: 600 });
  const before = await end();
  expect(await guesses.add('anna', 6000)).toMatchObject({ points: 2 });
  expect(await end()).toEqual(before);
  expect(await guesses.add('ben', 600)).toMatchObject({ points: 1 });
});

it('T79: after the window another one begins', async () => {
  for (let turn = 0; turn < 5; turn += 1) await guesses.add('anna', 600);
  await pass();
  expect(await guesses.add('anna', 60)).toEqual({ points: 1, seconds: 60 });
});

it('takes one back, or all, and never goes below none', async () => {
  await guesses.add('anna', 600);
  await guesses.add('anna', 600);
  await guesses.takeBack('anna');
  expect(await guesses.add('anna', 600)).toMatchObject({ points: 2 });
  await guesses.forget('anna');
  await guesses.takeBack('anna');
  expect(await guesses.add('anna', 600)).toMatchObject({ points: 1 });
});

it('keeps no word of what was typed, and sweeps what is over', async () => {
  await guesses.add('over', 600);
  await pass();
  await guesses.add('anna', 600);
  expect(await guesses.sweep()).toBe(1);
  const rows = await database.sql<{ key: string }>('SELECT key FROM wrong_guess');
  expect(rows).toHaveLength(1);
  expect(rows[0]?.key).not.toContain('anna');
});
