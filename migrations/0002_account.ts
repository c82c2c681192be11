import type { Knex } from 'knex';

/** People, what proves who they are, and where they are signed in. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE account (
      id          text        PRIMARY KEY,
      username    text        NOT NULL UNIQUE,
      nickname    text        NOT NULL,
      sex         smallint    NOT NULL DEFAULT 0 CHECK (sex IN (0, 1, 2)),
      city        text        NOT NULL DEFAULT '',
      province    text        NOT NULL DEFAULT '',
      country     text        NOT NULL DEFAULT '',
      locale      text,
      picture     text        NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT now(),
      updated_at  timestamptz NOT NULL DEFAULT now(),
      disabled_at timestamptz
    )`);
  await knex.raw(`
    CREATE TABLE password (
      account_id text        PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
      hash       text        NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now()
    )`);
  await knex.raw(`
    CREATE TABLE phone_session (
      id           text        PRIMARY KEY,
      secret_hash  text        NOT NULL UNIQUE,
      account_id   text        NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      auth_time    timestamptz NOT NULL DEFAULT now(),
      amr          text[]      NOT NULL,
      browser      jsonb       NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      last_seen_at timestamptz NOT NULL DEFAULT now(),
      ended_at     timestamptz
    )`);
  await knex.raw('CREATE INDEX phone_session_account ON phone_session (account_id)');
  await knex.raw(`
    CREATE TABLE administrator (
      id            text        PRIMARY KEY,
      username      text        NOT NULL UNIQUE,
      password_hash text        NOT NULL,
      created_at    timestamptz NOT NULL DEFAULT now()
    )`);
  await knex.raw(`
    CREATE TABLE setup_token (
      token_hash text        PRIMARY KEY,
      expires_at timestamptz NOT NULL,
      used_at    timestamptz
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE setup_token, administrator, phone_session, password, account');
}
