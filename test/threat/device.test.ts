/** Attacks on the device grant: guessing what devices show, two answers to one device, and what a phone page must not do. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ageDevice, type Device, deviceOf, openDevice, type Shown, scanDevice } from '../support/device.js';
import { pageData, type RawAnswer, send } from '../support/http.js';
import type { Phone, Scanned } from '../support/phone.js';
import { type OauthSite, oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

type Person = Phone & { accountId: string; username: string };

let server: TestApp;
let site: OauthSite;
let device: Device;
let anna: Person;
let ben: Person;

beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  site = await oauthSite(server.app, server, { name: 'Television', deviceFlow: true });
  device = deviceOf(server, site);
  anna = await person(server.app, server, 'Anna');
  ben = await person(server.app, server, 'Ben');
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

const from = (address: string) => ({ 'x-forwarded-for': address });
const ask = async (): Promise<Shown> => (await device.ask()).shown;
const errorOf = async (shown: Shown) => (await device.poll(shown)).json().error;
const letters = (shown: Shown) => shown.user_code.replace('-', '');
const ticketsOf = async (shown: Shown) =>
  server.database.sql<{ status: string }>(
    `SELECT t.status FROM ticket t JOIN engine_record r ON r.key = t.request_uid WHERE r.user_code = $1`,
    [letters(shown)],
  );

/** Without what differs from one answer to the next: times, nonces, the code itself. */
const sameBytes = ({ status, body }: RawAnswer, userCode: string) => [
  status,
  body.replaceAll(/nonce="[^"]+"/g, '').replaceAll(userCode, 'CODE'),
];

describe('the code on a device', () => {
  it('T3 cannot be guessed: ten wrong ones in ten minutes are the end, for an address and for an account', async () => {
    const [carol, dora] = [await person(server.app, server), await person(server.app, server)];
    const shown = await ask();
    const wrong = letters(shown) === 'BBBBBBBB' ? 'CCCC-CCCC' : 'BBBB-BBBB';
    for (let i = 0; i < 10; i += 1) {
      expect((await openDevice(server, carol, wrong, from('198.51.100.1'))).status).toBe(404);
    }
    // The address is spent, for everybody there; and even the right code is not looked at.
    const there = await openDevice(server, dora, shown.user_code, from('198.51.100.1'));
    expect([there.status, Number(there.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await openDevice(server, dora, shown.user_code, from('198.51.100.2'))).status).toBe(200);
    // So is the account, wherever it goes, by either way in.
    expect((await openDevice(server, carol, shown.user_code, from('198.51.100.3'))).status).toBe(429);
    const posted = await carol.post('/phone/scan', { user_code: wrong, csrf: 'x' }, from('198.51.100.4'));
    expect([posted.status, posted.json().error]).toEqual([429, 'too_many_requests']);
  });

  it('T3 wrong codes that are posted count as well', async () => {
    const eve = await person(server.app, server);
    const guess = () => eve.post('/phone/scan', { user_code: 'BBBB-BBBB', csrf: 'x' }, from('198.51.100.9'));
    for (let i = 0; i < 10; i += 1) expect((await guess()).status).toBe(404);
    expect((await guess()).status).toBe(429);
  });

  it('T2 tells nobody whether it is unknown, over, answered or of a client that may no longer', async () => {
    const [over, allowed, denied, lost] = [await ask(), await ask(), await ask(), await other()];
    await ageDevice(server.database.sql, over);
    expect((await anna.confirm(await scanDevice(server, anna, allowed.user_code))).status).toBe(200);
    expect((await anna.deny(await scanDevice(server, anna, denied.user_code))).status).toBe(200);
    const look = (code: string) => openDevice(server, ben, code, from('198.51.100.20'));
    const unknown = await look('BBBB-BBBB');
    expect(unknown.status).toBe(404);
    for (const { user_code: code } of [over, allowed, denied, lost]) {
      expect(sameBytes(await look(code), code)).toEqual(sameBytes(unknown, 'BBBB-BBBB'));
    }
  });

  it('T2 is not looked up for somebody who has not signed in', async () => {
    const shown = await ask();
    const [known, unknown] = [
      await send(shown.verification_uri_complete),
      await send(`${server.url}/device?user_code=BBBB-BBBB`),
    ];
    expect(sameBytes(known, shown.user_code)).toEqual(sameBytes(unknown, 'BBBB-BBBB'));
  });
});

/** A device of a client whose administrator takes the device flow away again. */
async function other(): Promise<Shown> {
  const lost = await oauthSite(server.app, server, { deviceFlow: true });
  const { shown } = await deviceOf(server, lost).ask();
  await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [lost.clientId]);
  return shown;
}

/** Both phones look at it: the first one's ticket is given back what the second scan took. */
async function bothScan(shown: Shown): Promise<[Scanned, Scanned]> {
  await forgetScans(server.database);
  const [one, two] = [await scanDevice(server, anna, shown.user_code), await scanDevice(server, ben, shown.user_code)];
  await server.database.sql(
    `UPDATE ticket t SET status = 'scanned', ended_at = NULL FROM engine_record r
     WHERE r.key = t.request_uid AND r.user_code = $1 AND t.status = 'cancelled'`,
    [letters(shown)],
  );
  return [one, two];
}

describe('T9 one device', () => {
  it('gets one answer, whichever of two phones allows it first', async () => {
    for (let round = 0; round < 8; round += 1) {
      const shown = await ask();
      const scans = await bothScan(shown);
      const before = await countGrants();
      const answers = await Promise.all([anna.confirm(scans[0]), ben.confirm(scans[1])]);
      expect(answers.map(({ status }) => status).sort(), answers.map(({ body }) => body).join()).toEqual([200, 410]);
      const { access_token: token } = (await device.poll(shown)).json();
      const winner = answers[0].status === 200 ? 'Anna' : 'Ben';
      expect((await site.userinfo(String(token))).json().nickname).toBe(winner);
      // Nothing is left of what the other one allowed.
      expect(await countGrants()).toBe(before + 1);
    }
  });

  it('is allowed or denied, never both', async () => {
    for (let round = 0; round < 8; round += 1) {
      const shown = await ask();
      const scans = await bothScan(shown);
      const [yes, no] = await Promise.all([anna.confirm(scans[0]), ben.deny(scans[1])]);
      expect([yes.status, no.status].sort()).toEqual([200, 410]);
      const answer = await device.poll(shown);
      const outcome = answer.status === 200 ? 'tokens' : answer.json().error;
      expect(outcome).toBe(yes.status === 200 ? 'tokens' : 'access_denied');
    }
  });

  it('is not answered with a ticket from before its code ended', async () => {
    const shown = await ask();
    const scanned = await scanDevice(server, anna, shown.user_code);
    await ageDevice(server.database.sql, shown);
    expect((await anna.confirm(scanned)).status).toBe(410);
    expect((await anna.deny(scanned)).status).toBe(410);
    expect(await errorOf(shown)).toBe('expired_token');
  });

  it('is told once: a second "allow" hears that it has been answered', async () => {
    const shown = await ask();
    const scanned = await scanDevice(server, anna, shown.user_code);
    expect((await anna.confirm(scanned)).status).toBe(200);
    expect((await anna.confirm(scanned)).status).toBe(409);
    expect(await ticketsOf(shown)).toEqual([{ status: 'redeemed' }]);
  });
});

async function countGrants(): Promise<number> {
  const rows = await server.database.sql(
    `SELECT 1 FROM engine_record WHERE kind = 'Grant' AND payload->>'clientId' = $1`,
    [site.clientId],
  );
  return rows.length;
}

describe('a device code', () => {
  it('T5 is worth tokens once, however many polls come at the same time', async () => {
    for (let round = 0; round < 8; round += 1) {
      await forgetScans(server.database);
      const shown = await ask();
      await anna.confirm(await scanDevice(server, anna, shown.user_code));
      const polls = await Promise.all(Array.from({ length: 5 }, () => device.poll(shown)));
      expect(polls.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(new Set(polls.map((poll) => poll.json().error))).toEqual(new Set([undefined, 'invalid_grant']));
      // As with an authorization code, what was traded for twice is worth nothing (T40).
      const { access_token: token } = polls.find(({ status }) => status === 200)?.json() ?? {};
      expect((await site.userinfo(String(token))).status).toBe(401);
    }
  });

  it('T40 that comes again ends what it was traded for', async () => {
    const keeper = await oauthSite(server.app, server, { deviceFlow: true, scope: 'openid offline_access' });
    const box = deviceOf(server, keeper);
    const { shown } = await box.ask({ scope: 'openid offline_access' });
    await anna.confirm(await scanDevice(server, anna, shown.user_code));
    const tokens = (await box.poll(shown)).json<Record<string, string>>();
    expect((await keeper.userinfo(tokens.access_token as string)).status).toBe(200);
    expect((await box.poll(shown)).json().error).toBe('invalid_grant');
    expect((await keeper.userinfo(tokens.access_token as string)).status).toBe(401);
    expect((await keeper.refresh(tokens.refresh_token as string)).json().error).toBe('invalid_grant');
  });

  it('T41 is worth nothing to another client', async () => {
    const shown = await ask();
    await anna.confirm(await scanDevice(server, anna, shown.user_code));
    const thief = await oauthSite(server.app, server, { deviceFlow: true });
    expect((await deviceOf(server, thief).poll(shown)).json().error).toBe('invalid_grant');
    expect((await device.poll(shown)).status).toBe(200);
  });

  it('T69 is in the database by its hash alone', async () => {
    const shown = await ask();
    await anna.confirm(await scanDevice(server, anna, shown.user_code));
    const rows = await server.database.sql(
      `SELECT r::text AS row FROM engine_record r UNION ALL SELECT t::text FROM ticket t`,
    );
    expect(JSON.stringify(rows)).not.toContain(shown.device_code);
  });
});

describe('who may have devices', () => {
  it('T93 is no client of the WeChat dialect: neither at registration nor at the door', async () => {
    await expect(wechatSite(server.app, server, { deviceFlow: true })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    const shop = await wechatSite(server.app, server);
    const { answer } = await deviceOf(server, shop).ask({ scope: 'snsapi_login' });
    expect([400, 401]).toContain(answer.status);
    expect(answer.json()).not.toHaveProperty('device_code');
  });

  it('T93 is not even one that the database says may', async () => {
    const shop = await wechatSite(server.app, server);
    const shown = await ask();
    await server.database.sql(
      `UPDATE engine_record SET payload = jsonb_set(payload, '{clientId}', to_jsonb($2::text))
      WHERE user_code = $1`,
      [letters(shown), shop.clientId],
    );
    expect((await openDevice(server, anna, shown.user_code, from('198.51.100.30'))).status).toBe(404);
  });

  it('T44 is no client that is not registered for it', async () => {
    const plain = await oauthSite(server.app, server);
    const { answer } = await deviceOf(server, plain).ask();
    expect(answer.status).toBe(400);
    expect(answer.json()).not.toHaveProperty('device_code');
    const shown = await ask();
    expect((await deviceOf(server, plain).poll(shown)).status).toBe(400);
  });

  it('T56 is nobody with a wrong secret', async () => {
    const { answer } = await deviceOf(server, { clientId: site.clientId, secret: 'wrong' }).ask();
    expect([answer.status, answer.json().error]).toEqual([401, 'invalid_client']);
  });

  it('T20 is no account that was cut off, before the answer or after', async () => {
    const [early, late] = [await ask(), await ask()];
    const carol = await person(server.app, server, 'Carol');
    const scanned = await scanDevice(server, carol, early.user_code);
    await carol.confirm(await scanDevice(server, carol, late.user_code));
    await server.app.accounts.disable('test', carol.username);
    expect((await carol.confirm(scanned)).status).toBe(401);
    expect(await errorOf(early)).toBe('authorization_pending');
    expect(await errorOf(late)).toBe('invalid_grant');
  });
});

describe('the device page', () => {
  it('T14 moves nothing, however often it is looked at, and by whom', async () => {
    const shown = await ask();
    for (const headers of [{}, { cookie: anna.cookie }] as Record<string, string>[]) {
      for (const method of ['GET', 'HEAD']) {
        for (let i = 0; i < 5; i += 1) {
          expect((await send(shown.verification_uri_complete, { method, headers })).status).toBe(200);
        }
      }
      const prefetched = await send(shown.verification_uri_complete, {
        headers: { ...headers, 'sec-purpose': 'prefetch' },
      });
      expect([prefetched.status, prefetched.body]).toEqual([204, '']);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect((await send(shown.verification_uri_complete, { method, headers: { cookie: anna.cookie } })).status).toBe(
        405,
      );
    }
    expect(await ticketsOf(shown)).toEqual([]);
    expect(await errorOf(shown)).toBe('authorization_pending');
  });

  it('T16 is the only page that can scan, confirm or deny', async () => {
    const shown = await ask();
    const { csrf } = pageData<{ csrf: string }>((await openDevice(server, anna, shown.user_code)).body);
    const another = await ask();
    const { csrf: otherCsrf } = pageData<{ csrf: string }>((await openDevice(server, anna, another.user_code)).body);
    const { csrf: hisCsrf } = pageData<{ csrf: string }>((await openDevice(server, ben, shown.user_code)).body);
    const body = { user_code: shown.user_code, csrf };
    for (const wrong of [otherCsrf, hisCsrf, '', 'x']) {
      expect((await anna.post('/phone/scan', { ...body, csrf: wrong })).status).toBe(403);
    }
    expect((await anna.post('/phone/scan', { user_code: shown.user_code })).status).toBe(403);
    for (const headers of [
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await anna.post('/phone/scan', body, headers as never)).status).toBe(403);
    }
    expect((await anna.post('/phone/scan', body, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(await ticketsOf(shown)).toEqual([]);

    const scanned = await scanDevice(server, anna, shown.user_code);
    // The page's token is not the ticket's, and nobody else's phone has the grant.
    for (const path of ['/phone/confirm', '/phone/deny']) {
      expect((await anna.post(path, { scan_grant: scanned.scanGrant, csrf })).status).toBe(403);
      expect((await ben.post(path, { scan_grant: scanned.scanGrant, csrf: scanned.csrf })).status).toBe(403);
    }
    expect(await errorOf(shown)).toBe('authorization_pending');
  });

  it.each(['user_id', 'sub', 'account', 'client_id', 'scope'])(
    'T18 takes nobody from the request: %s',
    async (name) => {
      const shown = await ask();
      const { csrf } = pageData<{ csrf: string }>((await openDevice(server, anna, shown.user_code)).body);
      const answer = await anna.post('/phone/scan', { user_code: shown.user_code, csrf, [name]: ben.accountId });
      expect(answer.status).toBe(400);
    },
  );

  it('T18 takes a scan token or a user code, not both and not neither', async () => {
    const shown = await ask();
    for (const body of [{}, { user_code: shown.user_code, scan_token: 'x' }]) {
      expect((await anna.post('/phone/scan', { ...body, csrf: 'x' })).status).toBe(400);
    }
  });

  it.each(['<script>alert(1)</script>', '"><img src=x>', 'A'.repeat(65), '%00', 'BBBB BBBÅ', ''])(
    'T71 says nothing back of what is no code: %s',
    async (typed) => {
      const { status, body } = await openDevice(server, anna, typed, from('198.51.100.40'));
      expect(status).toBe(typed === '' ? 200 : 404);
      expect(body).toMatch(/name="user_code" type="text" value=""/);
      if (typed !== '') expect(body).not.toContain(typed);
    },
  );

  it('T54 shows what the client may have, and the tokens have no more', async () => {
    const { answer } = await device.ask({ scope: 'openid email made_up' });
    expect(answer.status, answer.body).toBe(200);
    const shown = answer.json<Shown>();
    const scanned = await scanDevice(server, anna, shown.user_code);
    expect(scanned.answer.json().request).toEqual({ scope: 'openid' });
    await anna.confirm(scanned);
    expect((await device.poll(shown)).json().scope).toBe('openid');
  });
});
