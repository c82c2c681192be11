import type { Knex } from 'knex';

/** Where a change came from; and what was written down stays, for the role of the server too (T67). */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE audit_event ADD COLUMN address text');
  await knex.raw(`
    CREATE FUNCTION audit_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'insufficient_privilege';
    END $$`);
  await knex.raw(`
    CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_stays()`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TRIGGER audit_event_stays ON audit_event');
  await knex.raw('DROP FUNCTION audit_event_stays');
  await knex.raw('ALTER TABLE audit_event DROP COLUMN address');
}
