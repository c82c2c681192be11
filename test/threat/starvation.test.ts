/** T80: races and slow statements hold no connection for long, and what waits for one is told so. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../src/database/statement.js';
import { type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { matchCodeOf } from '../support/ticket-house.js';
import { eventsOf } from '../support/transports.js';

describe('a database that many want at once', () => {
  let server: TestApp;
  let house: OauthSite;
  let anna: Phone;
  let ben: Phone;
  beforeAll(async () => {
    server = await startApp();
    house = await oauthSite(server.app, server);
    anna = await person(server.app, server);
    ben = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const signIn = async (phone: Phone) => {
    await forgetScans(server.database);
    const { query, verifier } = house.request();
    const { code } = await login(server, phone, query);
    expect((await house.exchange(code, verifier)).json()).toHaveProperty('id_token');
  };
  const isBusy = ({ status, headers }: RawAnswer) => status === 503 && Number(headers['retry-after']) > 0;

  it('T80: bounds every statement, wherever it runs', async () => {
    const settings: Statement = {
      name: 'test-settings',
      text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
               current_setting('idle_in_transaction_session_timeout') AS idle`,
    };
    const { database } = server.app;
    const bounds = [{ statement: '3s', lock: '1s', idle: '5s' }];
    expect(await database.query(settings)).toEqual(bounds);
    expect(await database.transaction((tx) => tx.query(settings))).toEqual(bounds);
  });

  it('T80: five hundred confirms of one ticket at once: one wins, nothing locks up, another person signs in', async () => {
    const page = await openPage(server, house.request().query);
    const scanned = await anna.scan(page.qr);
    const code = await matchCodeOf(page);
    const confirms = Promise.all(Array.from({ length: 500 }, () => anna.confirm(scanned, code)));
    await signIn(ben);
    const statuses = (await confirms).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(499);
    expect((await page.redeem()).status).toBe(200);
    const [row] = await server.database.sql<{ deadlocks: number }>(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(row?.deadlocks).toBe(0);
  });

  it('T80: connections for transactions run out with an error within seconds; all else goes on, and they come back', async () => {
    const { database } = server.app;
    const one: Statement = { name: 'test-one', text: 'SELECT 1 AS one' };
    let finish = () => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const holders = Array.from({ length: 5 }, () => database.transaction(() => held));
    try {
      const refused = expect(database.transaction((tx) => tx.query(one))).rejects.toMatchObject({
        code: 'unavailable',
      });
      await signIn(anna);
      await refused;
    } finally {
      finish();
    }
    await Promise.all(holders);
    expect(await database.transaction((tx) => tx.query(one))).toEqual([{ one: 1 }]);
  });

  it('T80: a table that stays locked is "busy" to everybody who needs it, and works by itself when it is free', async () => {
    const waiting = await openPage(server, house.request().query);
    const held = eventsOf(server, waiting);
    expect(await held.next()).toMatchObject({ status: 'pending' });
    const lock = new pg.Client({ connectionString: server.database.url });
    await lock.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE');
      const answers = await Promise.all([
        ...Array.from({ length: 30 }, () => waiting.status()),
        ...Array.from({ length: 10 }, () =>
          send(`${server.url}/connect/qrconnect?${new URLSearchParams(house.request().query)}`),
        ),
      ]);
      expect(answers.filter(isBusy)).toHaveLength(40);
      expect((await send(`${server.url}/health/live`)).status).toBe(200);
    } finally {
      await lock.end();
    }
    // No restart, no pause: the next one is served, and whoever was held all the time is still told.
    await signIn(ben);
    await forgetScans(server.database);
    expect((await anna.scan(waiting.qr)).answer.status).toBe(200);
    expect(await held.next()).toMatchObject({ status: 'scanned' });
    held.hangUp();
  });
});
