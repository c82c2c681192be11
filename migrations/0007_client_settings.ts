import type { Knex } from 'knex';

/**
 * What an administrator may switch for one client; `scope` null means every scope of its dialect. `revision` counts the
 * changes.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE client
      ADD COLUMN revision        integer NOT NULL DEFAULT 0,
      ADD COLUMN scope           text,
      ADD COLUMN state_required  boolean NOT NULL DEFAULT false,
      ADD COLUMN openid_required boolean NOT NULL DEFAULT false,
      ADD COLUMN json_answers    boolean NOT NULL DEFAULT false,
      ADD COLUMN style_sheets    boolean NOT NULL DEFAULT false`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE client
      DROP COLUMN revision, DROP COLUMN scope, DROP COLUMN state_required, DROP COLUMN openid_required,
      DROP COLUMN json_answers, DROP COLUMN style_sheets`);
}
