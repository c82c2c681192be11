/** Wrong passwords and user codes, counted for all nodes together (T21). Keys are hashes; a row is swept after its end. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE wrong_guess (
      key     text        PRIMARY KEY,
      points  integer     NOT NULL,
      ends_at timestamptz NOT NULL
    ) WITH (fillfactor = 80)`);
  await knex.raw('CREATE INDEX wrong_guess_ends ON wrong_guess (ends_at)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE wrong_guess');
}
