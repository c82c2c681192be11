import type { Knex } from 'knex';

/** APIs that access tokens are made for (RFC 8707); `revision` counts the changes, `scopes` holds {name, description}. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE resource_server (
      identifier      text        PRIMARY KEY,
      revision        integer     NOT NULL DEFAULT 0,
      name            text        NOT NULL,
      scopes          jsonb       NOT NULL,
      token_format    text        NOT NULL CHECK (token_format IN ('jwt', 'opaque')),
      signing_alg     text        NOT NULL CHECK (signing_alg IN ('RS256', 'PS256', 'ES256', 'EdDSA')),
      token_seconds   integer     NOT NULL CHECK (token_seconds BETWEEN 60 AND 3600),
      introspected_by text[]      NOT NULL,
      created_at      timestamptz NOT NULL DEFAULT now(),
      updated_at      timestamptz NOT NULL DEFAULT now(),
      disabled_at     timestamptz
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE resource_server');
}
