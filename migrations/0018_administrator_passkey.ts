import type { Knex } from 'knex';

/** Passkeys of administrators, and the challenges that wait for an answer: each is deleted by the answer (T22). */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE administrator_passkey (
      id               text        PRIMARY KEY,
      administrator_id text        NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
      name             text        NOT NULL,
      public_key       bytea       NOT NULL,
      sign_count       bigint      NOT NULL,
      transports       text[]      NOT NULL,
      backed_up        boolean     NOT NULL,
      created_at       timestamptz NOT NULL DEFAULT now(),
      last_used_at     timestamptz
    )`);
  await knex.raw('CREATE INDEX administrator_passkey_administrator ON administrator_passkey (administrator_id)');
  await knex.raw(`
    CREATE TABLE webauthn_challenge (
      hash       text        PRIMARY KEY,
      purpose    text        NOT NULL,
      holder     text,
      expires_at timestamptz NOT NULL
    )`);
  await knex.raw('CREATE INDEX webauthn_challenge_expires ON webauthn_challenge (expires_at)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE webauthn_challenge, administrator_passkey');
}
