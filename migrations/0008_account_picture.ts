import type { Knex } from 'knex';

/** Uploaded pictures, encoded anew at each served size. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE account_picture (
      name       text        NOT NULL,
      size       smallint    NOT NULL CHECK (size IN (46, 64, 96, 132, 640)),
      account_id text        NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      body       bytea       NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (name, size)
    )`);
  await knex.raw('CREATE INDEX account_picture_account ON account_picture (account_id)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE account_picture');
}
