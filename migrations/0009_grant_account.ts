import type { Knex } from 'knex';

/** Finds what a person has allowed: ended together when the password is changed (T20). */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`CREATE INDEX engine_record_account ON engine_record ((payload->>'accountId')) WHERE kind = 'Grant'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX engine_record_account');
}
