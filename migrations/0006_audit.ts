import type { Knex } from 'knex';

/** Who changed what; rows are only ever added. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE audit_event (
      id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at      timestamptz NOT NULL DEFAULT now(),
      actor   text        NOT NULL,
      action  text        NOT NULL,
      target  text        NOT NULL,
      detail  jsonb       NOT NULL DEFAULT '{}'
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE audit_event');
}
