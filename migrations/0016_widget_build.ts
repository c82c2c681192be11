import type { Knex } from 'knex';

/** The widget files of every build that was ever served, byte for byte: sites pin them by address and hash (T35). */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE widget_build (
      build           text        NOT NULL,
      file            text        NOT NULL,
      body            bytea       NOT NULL,
      first_served_at timestamptz NOT NULL DEFAULT now(),
      withdrawn_at    timestamptz,
      PRIMARY KEY (build, file)
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE widget_build');
}
