import type { Knex } from 'knex';

/** Relying parties and the unions they share a union id in. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE client (
      id                      text        PRIMARY KEY,
      name                    text        NOT NULL,
      dialect                 text        NOT NULL CHECK (dialect IN ('oauth', 'wechat')),
      application_type        text        NOT NULL CHECK (application_type IN ('web', 'native')),
      auth_method             text        NOT NULL,
      secrets                 jsonb       NOT NULL DEFAULT '[]',
      redirect_uris           text[]      NOT NULL,
      callback_domain         text,
      embed_origins           text[]      NOT NULL,
      union_name              text,
      match_code              text        NOT NULL DEFAULT 'type' CHECK (match_code IN ('type', 'off')),
      refresh_requires_secret boolean     NOT NULL DEFAULT false,
      created_at              timestamptz NOT NULL DEFAULT now(),
      updated_at              timestamptz NOT NULL DEFAULT now(),
      disabled_at             timestamptz
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE client');
}
