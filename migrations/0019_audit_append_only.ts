import type { Knex } from 'knex';

/**
 * Where a change came from; and what was written down stays, for the role of the server too (T67): but for the address,
 * which may be forgotten after 30 days, and the whole row after a year (T74).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE audit_event ADD COLUMN address text');
  await knex.raw('CREATE INDEX audit_event_at ON audit_event (at)');
  await knex.raw('CREATE INDEX audit_event_address ON audit_event (at) WHERE address IS NOT NULL');
  await knex.raw(`
    CREATE FUNCTION audit_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND OLD.at < now() - interval '1 year' THEN
        RETURN OLD;
      END IF;
      IF TG_OP = 'UPDATE' AND OLD.at < now() - interval '30 days' AND NEW.address IS NULL
         AND to_jsonb(NEW) - 'address' = to_jsonb(OLD) - 'address' THEN
        RETURN NEW;
      END IF;
      RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'insufficient_privilege';
    END $$`);
  await knex.raw(`
    CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_stays()`);
  await knex.raw(`
    CREATE TRIGGER audit_event_stays_whole BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_stays()`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TRIGGER audit_event_stays ON audit_event');
  await knex.raw('DROP TRIGGER audit_event_stays_whole ON audit_event');
  await knex.raw('DROP FUNCTION audit_event_stays');
  await knex.raw('DROP INDEX audit_event_at, audit_event_address');
  await knex.raw('ALTER TABLE audit_event DROP COLUMN address');
}
