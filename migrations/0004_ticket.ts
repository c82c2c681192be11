import type { Knex } from 'knex';

/** One QR sign-in each. Only hashes of the three secrets are kept; a row is swept a day after its end. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE ticket (
      id               text        PRIMARY KEY,
      revision         integer     NOT NULL DEFAULT 0,
      door             text        NOT NULL CHECK (door IN ('embed', 'authorize', 'headless', 'device')),
      request_uid      text        NOT NULL,
      client_id        text        NOT NULL,
      match_required   boolean     NOT NULL,
      status           text        NOT NULL,
      scan_token_hash  text        NOT NULL UNIQUE,
      wait_secret_hash text        NOT NULL,
      scan_grant_hash  text,
      continue_hash    text,
      match_code       text,
      opened_from      jsonb       NOT NULL,
      scanned_account  text,
      scanned_session  text,
      denied_because   text        CHECK (denied_because IN ('person', 'match_code')),
      subject          jsonb,
      created_at       timestamptz NOT NULL,
      scanned_at       timestamptz,
      ended_at         timestamptz,
      renewed_at       timestamptz,
      expires_at       timestamptz NOT NULL,
      request_ends_at  timestamptz NOT NULL
    )`);
  await knex.raw('CREATE INDEX ticket_scanned_account ON ticket (scanned_account, scanned_at)');
  await knex.raw('CREATE INDEX ticket_request ON ticket (request_uid)');
  await knex.raw('CREATE INDEX ticket_expires ON ticket (expires_at)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE ticket');
}
