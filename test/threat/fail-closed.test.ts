/** T83: every part that a sign-in leans on is broken in turn, for real. Nobody gets in with one check less. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import type { Phone, Scanned } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { matchCodeOf } from '../support/ticket-house.js';

/** What holds a secret, a session or an answer; none may be in an error. */
const GIVEN = /"(code|access_token|id_token|scan_grant|redirect_to|openid|sub)":|waitSecret/;

describe('a sign-in whose parts break', () => {
  let server: TestApp;
  let house: OauthSite;
  let anna: Phone & { username: string };
  beforeAll(async () => {
    server = await startApp({ TRUSTED_PROXIES: 'loopback', COUNTRY_HEADER: 'x-country' });
    house = await oauthSite(server.app, server);
    anna = await person(server.app, server);
  });
  beforeEach(() => forgetScans(server.database));
  afterAll(() => server?.stop());

  /** On a phone without a session. */
  const tryPassword = (password: string) =>
    send(`${server.url}/phone/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.url },
      body: JSON.stringify({ username: anna.username, password }),
    });
  /** Everything from the page to the profile, one call at a time. */
  class Attempt {
    readonly asked = house.request();
    page = {} as WaitingPage;
    scanned = {} as Scanned;
    code = '';
    token = '';

    readonly steps: Record<string, () => Promise<RawAnswer>> = {
      'sign in': () => tryPassword('a long enough one'),
      page: () => send(`${server.url}/connect/qrconnect?${new URLSearchParams(this.asked.query)}`),
      look: () => anna.open(this.page.qr),
      scan: async () => {
        // Drawn while all was well.
        const { scanToken, csrf } = this.drawn;
        const answer = await anna.post('/phone/scan', { scan_token: scanToken, csrf });
        this.scanned = { answer, csrf, scanGrant: String(answer.json().scan_grant) };
        return answer;
      },
      confirm: () => anna.confirm(this.scanned, this.matchCode),
      redeem: async () => {
        const answer = await this.page.redeem();
        this.code = String(answer.json().code);
        return answer;
      },
      exchange: async () => {
        const answer = await house.exchange(this.code, this.asked.verifier);
        this.token = String(answer.json().access_token);
        return answer;
      },
      profile: () => house.userinfo(this.token),
    };
    drawn = { scanToken: '', csrf: '' };
    matchCode = '';

    /** Up to this step, with everything whole. */
    async upTo(last: string): Promise<void> {
      for (const name of Object.keys(this.steps)) {
        if (name === last) return;
        if (name === 'sign in') continue;
        if (name === 'page') this.page = await openPage(server, this.asked.query);
        else if (name === 'look') this.drawn = pageData((await anna.open(this.page.qr)).body);
        else expect((await this.steps[name]?.())?.status, name).toBe(200);
        if (name === 'scan') this.matchCode = await matchCodeOf(this.page);
      }
    }
  }

  /** What each step must not do without. */
  const NEEDS: Record<string, readonly string[]> = {
    'sign in': ['account', 'password', 'phone_session', 'wrong_guess'],
    page: ['client', 'engine_record', 'ticket'],
    look: ['account', 'client', 'engine_record', 'phone_session', 'ticket'],
    scan: ['account', 'client', 'engine_record', 'phone_session', 'ticket'],
    confirm: ['account', 'engine_record', 'phone_session', 'ticket'],
    redeem: ['account', 'client', 'engine_record', 'phone_session', 'ticket'],
    exchange: ['account', 'client', 'engine_record'],
    profile: ['account', 'client', 'engine_record'],
  };
  const TABLES = [...new Set(Object.values(NEEDS).flat())].sort();

  const without = async <T>(table: string, work: () => Promise<T>): Promise<T> => {
    await server.database.sql(`ALTER TABLE ${table} RENAME TO ${table}_gone`);
    try {
      return await work();
    } finally {
      await server.database.sql(`ALTER TABLE ${table}_gone RENAME TO ${table}`);
    }
  };

  it.each(Object.keys(NEEDS))('T83: "%s" gives nothing while a table that it must look into is gone', async (step) => {
    const failed: string[] = [];
    for (const table of TABLES) {
      await forgetScans(server.database);
      const attempt = new Attempt();
      await attempt.upTo(step);
      const answer = await without(table, attempt.steps[step] as () => Promise<RawAnswer>);
      if (answer.status < 300) continue;
      failed.push(table);
      expect(answer.status, table).toBeGreaterThanOrEqual(500);
      expect(answer.body, table).not.toMatch(GIVEN);
      expect(answer.headers, table).not.toHaveProperty('set-cookie');
    }
    expect(failed).toEqual(NEEDS[step]);
  });

  it.each(['wrong_guess', 'phone_session'])(
    'T83: while %s cannot be read, the right password is "busy", like a wrong one',
    async (table) => {
      const lock = new pg.Client({ connectionString: server.database.url });
      await lock.connect();
      const answers = [];
      try {
        await lock.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        for (const password of ['a long enough one', 'not this one']) answers.push(await tryPassword(password));
      } finally {
        await lock.end();
      }
      const [right, wrong] = answers;
      expect([right?.status, right?.json().error]).toEqual([503, 'unavailable']);
      expect(Number(right?.headers['retry-after'])).toBeGreaterThan(0);
      expect(right?.headers).not.toHaveProperty('set-cookie');
      // A wrong one is refused before a session would be made.
      expect(wrong?.status).toBe(table === 'wrong_guess' ? 503 : 401);
      expect((await tryPassword('a long enough one')).status).toBe(200);
    },
  );

  it('T83: without the keys’ table the node goes on with the keys it has, and takes no others', async () => {
    const before = server.app.ring.current().signing.map(({ kid }) => kid);
    await without('server_key', async () => {
      await expect(server.app.ring.refresh()).rejects.toThrow();
      expect(server.app.ring.current().signing.map(({ kid }) => kid)).toEqual(before);
      const { query, verifier } = house.request();
      const { code } = await login(server, anna, query);
      expect((await house.exchange(code, verifier)).json()).toHaveProperty('id_token');
    });
    await server.app.ring.refresh();
  });

  it('T83: what cannot be written down is not handed out: no client’s secret without its line in the audit log', async () => {
    await without('audit_event', async () => {
      await expect(oauthSite(server.app, server)).rejects.toThrow();
      await expect(server.app.clients.rotateSecret('test', house.clientId, 3600)).rejects.toThrow();
    });
    const { query, verifier } = house.request();
    const { code } = await login(server, anna, query);
    expect((await house.exchange(code, verifier)).status).toBe(200);
  });

  it.each(['', 'XX', 'de', 'DEU', '<b>', '%00', 'DE, FR'])(
    'T83: a country that the proxy does not know (%j) is no country, and nothing is asked less for it',
    async (country) => {
      const page = await openPage(server, house.request().query, { 'x-country': country });
      const [row] = await server.database.sql<{ opened_from: object }>('SELECT opened_from FROM ticket WHERE id = $1', [
        page.ticketId,
      ]);
      expect(row?.opened_from).not.toHaveProperty('country');
      const scanned = await anna.scan(page.qr);
      expect(scanned.answer.json()).toMatchObject({ match_code: 'required' });
      expect((await anna.confirm(scanned)).status).toBe(403);
    },
  );
});
