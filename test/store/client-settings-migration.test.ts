import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClientStore } from '../../src/client/client-store.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { migrationSource } from '../../src/database/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const NAME = '0012_client_settings';

describe('clients that were registered when each setting had a column', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase({ empty: true });
    database = openDatabase(test.url);
    const names = (await migrationSource.getMigrations([])).map((one) => migrationSource.getMigrationName(one));
    for (const name of names.slice(0, names.indexOf(NAME))) await database.knex.migrate.up({ migrationSource, name });
    await test.sql(`
      INSERT INTO client (id, name, dialect, application_type, auth_method, redirect_uris, embed_origins, match_code,
        scope, refresh_requires_secret, state_required, openid_required, json_answers, style_sheets, revision)
      VALUES
        ('chosen', 'Shop', 'wechat', 'web', 'client_secret_post', '{https://shop.example/}', '{}', 'off',
         NULL, true, true, true, true, true, 3),
        ('scoped', 'Tea', 'oauth', 'native', 'none', '{https://tea.example/}', '{}', 'type',
         'openid profile', false, true, false, true, false, 0)`);
    await test.sql(`
      INSERT INTO client (id, name, dialect, application_type, auth_method, redirect_uris, embed_origins)
      VALUES ('plain', 'Book', 'oauth', 'web', 'client_secret_basic', '{https://book.example/}', '{}')`);
  });
  afterAll(async () => {
    await database?.close();
    await test?.drop();
  });

  const OLD_COLUMNS = `id, match_code, scope, refresh_requires_secret, state_required, openid_required, json_answers,
    style_sheets, revision`;

  it('keep what was chosen for them, and so they do on the way back', async () => {
    const before = await test.sql(`SELECT ${OLD_COLUMNS} FROM client ORDER BY id`);
    await database.migrate();
    const store = createClientStore(database);
    expect(await store.find('chosen')).toMatchObject({
      matchCode: 'off',
      scope: undefined,
      refreshRequiresSecret: true,
      stateRequired: true,
      openidRequired: true,
      jsonAnswers: true,
      styleSheets: true,
      revision: 3,
      requirePar: false,
      idTokenAlg: 'RS256',
      postLogoutRedirectUris: [],
    });
    expect(await store.find('scoped')).toMatchObject({
      matchCode: 'type',
      scope: 'openid profile',
      refreshRequiresSecret: false,
      stateRequired: true,
      openidRequired: false,
      jsonAnswers: true,
      styleSheets: false,
    });
    expect(await store.find('plain')).toMatchObject({ matchCode: 'type', scope: undefined, stateRequired: false });
    const names = (await migrationSource.getMigrations([])).map((one) => migrationSource.getMigrationName(one));
    for (const name of names.slice(names.indexOf(NAME)).reverse())
      await database.knex.migrate.down({ migrationSource, name });
    expect(await test.sql(`SELECT ${OLD_COLUMNS} FROM client ORDER BY id`)).toEqual(before);
  });
});
