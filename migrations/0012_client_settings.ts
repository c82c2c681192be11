import type { Knex } from 'knex';

/** What an administrator may choose for a client, in one place; absent: as nobody chose it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`ALTER TABLE client ADD COLUMN settings jsonb NOT NULL DEFAULT '{}'`);
  await knex.raw(`
    UPDATE client SET settings = jsonb_build_object(
      'match_code', match_code, 'scope', scope, 'refresh_requires_secret', refresh_requires_secret,
      'state_required', state_required, 'openid_required', openid_required, 'json_answers', json_answers,
      'style_sheets', style_sheets)`);
  await knex.raw(`
    ALTER TABLE client
      DROP COLUMN match_code, DROP COLUMN scope, DROP COLUMN refresh_requires_secret, DROP COLUMN state_required,
      DROP COLUMN openid_required, DROP COLUMN json_answers, DROP COLUMN style_sheets`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE client
      ADD COLUMN match_code              text    NOT NULL DEFAULT 'type' CHECK (match_code IN ('type', 'off')),
      ADD COLUMN refresh_requires_secret boolean NOT NULL DEFAULT false,
      ADD COLUMN scope                   text,
      ADD COLUMN state_required          boolean NOT NULL DEFAULT false,
      ADD COLUMN openid_required         boolean NOT NULL DEFAULT false,
      ADD COLUMN json_answers            boolean NOT NULL DEFAULT false,
      ADD COLUMN style_sheets            boolean NOT NULL DEFAULT false`);
  await knex.raw(`
    UPDATE client SET
      match_code = coalesce(settings ->> 'match_code', 'type'),
      refresh_requires_secret = coalesce((settings ->> 'refresh_requires_secret')::boolean, false),
      scope = settings ->> 'scope',
      state_required = coalesce((settings ->> 'state_required')::boolean, false),
      openid_required = coalesce((settings ->> 'openid_required')::boolean, false),
      json_answers = coalesce((settings ->> 'json_answers')::boolean, false),
      style_sheets = coalesce((settings ->> 'style_sheets')::boolean, false)`);
  await knex.raw('ALTER TABLE client DROP COLUMN settings');
}
