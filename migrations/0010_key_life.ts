import type { Knex } from 'knex';

/** When a key of the server begins to sign and when it is forgotten; and a purpose more, the nonces of DPoP. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE server_key
      DROP CONSTRAINT server_key_purpose_check,
      ADD CONSTRAINT server_key_purpose_check CHECK (purpose IN ('sign', 'cookie', 'subject', 'csrf', 'dpop')),
      ADD COLUMN series   text,
      ADD COLUMN signs_at timestamptz NOT NULL DEFAULT now(),
      ADD COLUMN ends_at  timestamptz`);
  await knex.raw(`
    UPDATE server_key SET
      signs_at = created_at,
      series = CASE purpose WHEN 'sign' THEN material ->> 'alg' WHEN 'cookie' THEN 'cookie' END`);
  // The newest key of a series is the one whose end is not known yet. There is one.
  await knex.raw('CREATE UNIQUE INDEX server_key_newest ON server_key (series) WHERE ends_at IS NULL');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX server_key_newest');
  await knex.raw(`DELETE FROM server_key WHERE purpose = 'dpop'`);
  await knex.raw(`
    ALTER TABLE server_key
      DROP COLUMN series,
      DROP COLUMN signs_at,
      DROP COLUMN ends_at,
      DROP CONSTRAINT server_key_purpose_check,
      ADD CONSTRAINT server_key_purpose_check CHECK (purpose IN ('sign', 'cookie', 'subject', 'csrf'))`);
}
