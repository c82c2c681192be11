/** The migrations in order. A new one is imported and added here; see CONTRIBUTING.md. */
import type { Knex } from 'knex';
import * as engineRecord from '../../migrations/0001_engine_record.js';
import * as account from '../../migrations/0002_account.js';
import * as client from '../../migrations/0003_client.js';
import * as ticket from '../../migrations/0004_ticket.js';
import * as serverKey from '../../migrations/0005_server_key.js';
import * as audit from '../../migrations/0006_audit.js';
import * as clientSettings from '../../migrations/0007_client_settings.js';
import * as accountPicture from '../../migrations/0008_account_picture.js';
import * as grantAccount from '../../migrations/0009_grant_account.js';
import * as keyLife from '../../migrations/0010_key_life.js';
import * as resourceServer from '../../migrations/0011_resource_server.js';
import * as settingsInOne from '../../migrations/0012_client_settings.js';
import * as browserSession from '../../migrations/0013_browser_session.js';
import * as ticketAddress from '../../migrations/0014_ticket_address.js';
import * as wrongGuess from '../../migrations/0015_wrong_guess.js';
import * as widgetBuild from '../../migrations/0016_widget_build.js';
import * as administratorSession from '../../migrations/0017_administrator_session.js';
import * as administratorPasskey from '../../migrations/0018_administrator_passkey.js';
import * as auditAppendOnly from '../../migrations/0019_audit_append_only.js';

const MIGRATIONS: ReadonlyArray<readonly [name: string, migration: Knex.Migration]> = [
  ['0001_engine_record', engineRecord],
  ['0002_account', account],
  ['0003_client', client],
  ['0004_ticket', ticket],
  ['0005_server_key', serverKey],
  ['0006_audit', audit],
  ['0007_client_settings', clientSettings],
  ['0008_account_picture', accountPicture],
  ['0009_grant_account', grantAccount],
  ['0010_key_life', keyLife],
  ['0011_resource_server', resourceServer],
  ['0012_client_settings', settingsInOne],
  ['0013_browser_session', browserSession],
  ['0014_ticket_address', ticketAddress],
  ['0015_wrong_guess', wrongGuess],
  ['0016_widget_build', widgetBuild],
  ['0017_administrator_session', administratorSession],
  ['0018_administrator_passkey', administratorPasskey],
  ['0019_audit_append_only', auditAppendOnly],
];

/** Imports instead of a folder scan: the same code runs from TypeScript and from dist/. */
export const migrationSource: Knex.MigrationSource<(typeof MIGRATIONS)[number]> = {
  getMigrations: async () => [...MIGRATIONS],
  getMigrationName: ([name]) => name,
  getMigration: async ([, migration]) => migration,
};
