import type { Knex } from 'knex';

/** Where administrators are signed in, and the tokens that programs of theirs call the administration API with. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE administrator_session (
      id               text        PRIMARY KEY,
      secret_hash      text        NOT NULL UNIQUE,
      administrator_id text        NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
      method           text        NOT NULL CHECK (method IN ('password', 'passkey')),
      auth_time        timestamptz NOT NULL DEFAULT now(),
      created_at       timestamptz NOT NULL DEFAULT now(),
      last_seen_at     timestamptz NOT NULL DEFAULT now(),
      ended_at         timestamptz
    )`);
  await knex.raw('CREATE INDEX administrator_session_of ON administrator_session (administrator_id)');
  await knex.raw(`
    CREATE TABLE api_token (
      id           text        PRIMARY KEY,
      secret_hash  text        NOT NULL UNIQUE,
      name         text        NOT NULL,
      read_only    boolean     NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      expires_at   timestamptz NOT NULL,
      last_used_at timestamptz,
      revoked_at   timestamptz
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE api_token, administrator_session');
}
