/** Browsers that people signed in on at the standard door; each stands and falls with a phone session. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Made by typing the password on a site's own sign-in page: no phone holds its secret.
  await knex.raw('ALTER TABLE phone_session ADD COLUMN direct boolean NOT NULL DEFAULT false');
  await knex.raw(`
    CREATE TABLE browser_session (
      engine_session text        PRIMARY KEY,
      phone_session  text        NOT NULL REFERENCES phone_session (id) ON DELETE CASCADE,
      remembered     boolean     NOT NULL,
      created_at     timestamptz NOT NULL DEFAULT now()
    )`);
  await knex.raw('CREATE INDEX browser_session_phone ON browser_session (phone_session)');
  // Whose pages may call from a browser is asked with every request that has an Origin.
  await knex.raw(
    `CREATE INDEX client_public ON client (id) WHERE auth_method = 'none' AND dialect = 'oauth' AND disabled_at IS NULL`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX client_public');
  await knex.raw('DROP TABLE browser_session');
  await knex.raw('ALTER TABLE phone_session DROP COLUMN direct');
}
