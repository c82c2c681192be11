import type { Knex } from 'knex';

/**
 * The engine's state: requests, grants, codes, tokens. Token rows are keyed by the hash of the token.
 * The room left on each page lets a consumed row stay where it is, without touching the indexes.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE engine_record (
      kind        text        NOT NULL,
      key         text        NOT NULL,
      payload     jsonb       NOT NULL,
      grant_id    text,
      uid         text,
      user_code   text,
      expires_at  timestamptz NOT NULL,
      consumed_at timestamptz,
      PRIMARY KEY (kind, key)
    ) WITH (fillfactor = 80)`);
  await knex.raw('CREATE INDEX engine_record_grant ON engine_record (grant_id) WHERE grant_id IS NOT NULL');
  await knex.raw('CREATE INDEX engine_record_uid ON engine_record (kind, uid) WHERE uid IS NOT NULL');
  await knex.raw('CREATE INDEX engine_record_user_code ON engine_record (kind, user_code) WHERE user_code IS NOT NULL');
  await knex.raw('CREATE INDEX engine_record_expires ON engine_record (expires_at)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE engine_record');
}
