/** Wrong guesses of what people type, counted for all nodes together. Keys are hashes; the database's clock decides. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';
import { hashSecret } from '../secret.js';

/** What was guessed under one key since its window began. */
export interface Guesses {
  readonly points: number;
  /** Until the window ends. */
  readonly seconds: number;
}

export interface GuessStore {
  /** One more; the first begins a window of so many seconds. */
  add(key: string, seconds: number): Promise<Guesses>;
  /** One less. */
  takeBack(key: string): Promise<void>;
  forget(key: string): Promise<void>;
  /** Deletes what is over; returns how many. */
  sweep(): Promise<number>;
}

const ADD: Statement = {
  name: 'guess-add',
  text: `INSERT INTO wrong_guess AS g (key, points, ends_at) VALUES ($1, 1, clock_timestamp() + make_interval(secs => $2))
         ON CONFLICT (key) DO UPDATE SET
           points = CASE WHEN g.ends_at > clock_timestamp() THEN g.points + 1 ELSE 1 END,
           ends_at = CASE WHEN g.ends_at > clock_timestamp() THEN g.ends_at ELSE excluded.ends_at END
         RETURNING points, ceil(extract(epoch FROM ends_at - clock_timestamp()))::int AS seconds`,
};
const TAKE_BACK: Statement = {
  name: 'guess-take-back',
  text: 'UPDATE wrong_guess SET points = points - 1 WHERE key = $1 AND points > 0',
};
const FORGET: Statement = { name: 'guess-forget', text: 'DELETE FROM wrong_guess WHERE key = $1' };
const SWEEP: Statement = {
  name: 'guess-sweep',
  text: `DELETE FROM wrong_guess WHERE key IN (SELECT key FROM wrong_guess WHERE ends_at < now() LIMIT 1000)
         RETURNING 1 AS swept`,
};

export function createGuessStore(database: Database): GuessStore {
  return {
    async add(key, seconds) {
      const [row] = await database.query<{ points: number; seconds: number }>(ADD, [hashSecret(key), seconds]);
      return row as Guesses;
    },
    async takeBack(key) {
      await database.query(TAKE_BACK, [hashSecret(key)]);
    },
    async forget(key) {
      await database.query(FORGET, [hashSecret(key)]);
    },
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}
