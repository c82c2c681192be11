import type { Knex } from 'knex';

/** Keys every node must share: token signing, cookies, pairwise subjects. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE server_key (
      id         text        PRIMARY KEY,
      purpose    text        NOT NULL CHECK (purpose IN ('sign', 'cookie', 'subject', 'csrf')),
      material   jsonb       NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE server_key');
}
