/** The headless door: a site draws its own QR code, waits as it likes, and takes the code. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PROBLEM } from '../../src/http/openapi.js';
import { REDEEMED, STATUS, TICKET } from '../../src/http/qr/answers.js';
import { askTicket, type HeadlessTicket, holderOf, openHeadless, readPng } from '../support/headless.js';
import { type RawAnswer, send } from '../support/http.js';
import { waiter } from '../support/page.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { basic, postTo, type SigningSite, signingSite } from '../support/signing-site.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';
import { wrongMatchCode } from '../support/ticket-house.js';

const PAGE = 'https://spa.example';

let server: TestApp;
/** Each by its own way of saying who it is. */
let shop: OauthSite;
let poster: OauthSite;
let signer: SigningSite;
let spa: OauthSite;
let anna: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  const { app } = server;
  shop = await oauthSite(app, server, { name: 'Reading room' });
  poster = await oauthSite(app, server, { authMethod: 'client_secret_post' });
  signer = await signingSite(app, server);
  spa = await oauthSite(app, server, { authMethod: 'none', embedOrigins: [PAGE] });
  anna = await person(app, server, 'Anna');
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

const shopTicket = (more: Record<string, unknown> = {}) =>
  openHeadless(server, { ...shop.request().query, ...more }, basic(shop));
const age = (id: string, by: string) =>
  server.database.sql(
    'UPDATE ticket SET created_at = created_at - $2::interval, expires_at = expires_at - $2::interval WHERE id = $1',
    [id, by],
  );
const told = ({ status, body }: RawAnswer) => [
  status,
  body === '' ? '' : (JSON.parse(body) as { error?: string }).error,
];
const pushed = async (by: Pick<OauthSite, 'request' | 'clientId'>, proof: Record<string, string>, headers = {}) => {
  const { query, verifier } = by.request();
  const answer = await postTo(server, '/oauth/par', { ...query, ...proof }, headers);
  return { uri: answer.json<{ request_uri: string }>().request_uri, query, verifier };
};

describe('a site that draws its own QR code', () => {
  it('is told all it needs, sees the phone come and go, takes the code once, and signs nobody on here', async () => {
    const answers: RawAnswer[] = [];
    const heard = <T extends RawAnswer>(answer: T): T => {
      answers.push(answer);
      return answer;
    };
    const { query, verifier } = shop.request();
    const ticket = holderOf(server, heard(await askTicket(server, query, basic(shop))));
    const given = TICKET.parse(ticket.answer.json());
    expect(given).toMatchObject({ qr_url: ticket.qr, expires_in: 120, interval: 3 });
    expect(ticket.qr).toMatch(new RegExp(`^${server.url}/s/[\\w-]{27}$`));
    expect(readPng(given.qr_png)).toBe(ticket.qr);
    expect(STATUS.parse(heard(await ticket.status()).json()).status).toBe('pending');

    const next = ticket.status('?wait=25&seen=pending');
    const scanned = await anna.scan(ticket.qr);
    const { status, match_code: code } = STATUS.parse(heard(await next).json());
    expect(status).toBe('scanned');
    expect(code).toMatch(/^\d\d$/);
    expect((await anna.confirm(scanned, code)).status).toBe(200);
    expect(STATUS.parse(heard(await ticket.status()).json())).toEqual({
      status: 'confirmed',
      expires_in: expect.any(Number),
    });

    const redeemed = heard(await ticket.redeem());
    const answer = REDEEMED.parse(redeemed.json()) as { code: string; redirect_to: string };
    expect(answer).toMatchObject({ state: query.state, iss: server.url });
    const to = new URL(answer.redirect_to);
    expect(`${to.origin}${to.pathname}`).toBe(query.redirect_uri);
    expect(Object.fromEntries(to.searchParams)).toEqual({ code: answer.code, state: query.state, iss: server.url });
    expect(STATUS.parse(heard(await ticket.status()).json())).toEqual({ status: 'redeemed', expires_in: 0 });
    expect(told(await ticket.redeem())).toEqual([410, 'gone']);

    const tokens = (await shop.exchange(answer.code, verifier)).json<{ access_token: string; id_token: string }>();
    const claims = JSON.parse(Buffer.from(String(tokens.id_token.split('.')[1]), 'base64url').toString());
    expect(claims).toMatchObject({ nonce: query.nonce, amr: expect.arrayContaining(['qr']) });
    expect((await shop.userinfo(tokens.access_token)).json()).toMatchObject({ sub: claims.sub, nickname: 'Anna' });
    expect(answers.map(({ headers }) => headers['set-cookie'])).toEqual(answers.map(() => undefined));
    const sessions = await server.database.sql(
      "SELECT 1 FROM browser_session UNION ALL SELECT 1 FROM engine_record WHERE kind = 'Session' AND payload ? 'accountId'",
    );
    expect(sessions).toEqual([]);
  });

  it.each<[string, () => Promise<[body: Record<string, unknown>, headers: Record<string, string>]>]>([
    ['its secret in the body', async () => [{ ...poster.request().query, client_secret: poster.secret }, {}]],
    ['a signed assertion', async () => [{ ...signer.request().query, ...(await signer.proof()) }, {}]],
    [
      'a signed request object',
      async () => {
        const request = await signer.requestObject();
        return [{ client_id: signer.clientId, request, ...(await signer.proof()) }, {}];
      },
    ],
    [
      'a request it pushed before, and its secret once more',
      async () => {
        const { uri } = await pushed(shop, {}, basic(shop));
        return [{ client_id: shop.clientId, request_uri: uri }, basic(shop)];
      },
    ],
    ['nothing but the page it is on', async () => [spa.request().query, { origin: PAGE }]],
    [
      'nothing but its page, with a request pushed before',
      async () => {
        const { uri } = await pushed(spa, {});
        return [{ client_id: spa.clientId, request_uri: uri }, { origin: PAGE }];
      },
    ],
  ])('may prove who it is by %s', async (_, asked) => {
    const [body, headers] = await asked();
    const ticket = await openHeadless(server, body, headers);
    await approve(anna, ticket);
    expect(told(await ticket.redeem())).toEqual([200, undefined]);
  });

  it('is told that the person said no, and why nothing came of it otherwise', async () => {
    const { query } = shop.request();
    const ticket = await openHeadless(server, query, basic(shop));
    expect((await anna.deny(await anna.scan(ticket.qr))).status).toBe(200);
    expect((await ticket.status()).json()).toEqual({ status: 'denied', expires_in: 0 });
    const answer = REDEEMED.parse((await ticket.redeem()).json());
    expect(answer).toMatchObject({ error: 'access_denied', state: query.state, iss: server.url });
    expect(new URL(answer.redirect_to).searchParams.get('error')).toBe('access_denied');
    expect(told(await ticket.redeem())).toEqual([410, 'gone']);
  });

  it('hears the engine’s own refusals, as they are', async () => {
    const { query } = shop.request();
    const ask = async (more: Record<string, unknown>) => {
      const answer = await askTicket(server, { ...query, ...more }, basic(shop));
      return [answer.status, PROBLEM.parse(answer.json()).error];
    };
    expect(await ask({ redirect_uri: 'https://elsewhere.example/' })).toEqual([400, 'invalid_request']);
    expect(await ask({ scope: 'openid snsapi_login' })).toEqual([400, 'invalid_scope']);
    expect(await ask({ code_challenge: undefined, code_challenge_method: undefined })).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await ask({ prompt: 'none' })).toEqual([400, 'login_required']);
    expect(await ask({ resource: 'https://nobody.example/' })).toEqual([400, 'invalid_target']);
    expect(await ask({ request_uri: 'urn:ietf:params:oauth:request_uri:x' })).toEqual([400, 'invalid_request']);
    const foreign = await pushed(poster, { client_secret: poster.secret });
    for (const uri of ['urn:ietf:params:oauth:request_uri:unknown', foreign.uri, 'https://elsewhere.example/object']) {
      const answer = await askTicket(server, { client_id: shop.clientId, request_uri: uri }, basic(shop));
      expect([uri, answer.status]).toEqual([uri, 400]);
    }
  });

  it('asks for lasting access, several APIs and a fresh sign-in in the words of the standards', async () => {
    const apis = ['https://orders.example/', 'https://parcels.example/'];
    for (const identifier of apis) {
      const scopes = [{ name: `${new URL(identifier).hostname}:read`, description: 'Read' }];
      await server.app.resources.register('test', { identifier, name: 'API', scopes });
    }
    const scope = 'openid offline_access orders.example:read parcels.example:read';
    const asker = await oauthSite(server.app, server, { scope });
    await server.database.sql("UPDATE phone_session SET auth_time = now() - interval '1 minute'");
    const { query } = asker.request({ scope });
    const ticket = await openHeadless(
      server,
      { ...query, resource: apis, max_age: 3600, prompt: 'login consent' },
      basic(asker),
    );
    expect((await anna.scan(ticket.qr)).answer.json()).toMatchObject({ fresh_sign_in: 'required' });

    const { query: plain, verifier } = asker.request({ scope });
    const other = await openHeadless(server, { ...plain, resource: apis }, basic(asker));
    await approve(anna, other);
    const { code } = (await other.redeem()).json<{ code: string }>();
    const tokens = (await asker.exchange(code, verifier, { resource: apis[1] as string })).json();
    expect(tokens).toMatchObject({ refresh_token: expect.any(String), scope: expect.stringContaining('parcels') });
  });
});

describe('the answers by their status', () => {
  async function confirmed(): Promise<HeadlessTicket> {
    const ticket = await shopTicket();
    await approve(anna, ticket);
    return ticket;
  }
  const states = {
    pending: () => shopTicket(),
    async scanned() {
      const ticket = await shopTicket();
      await anna.scan(ticket.qr);
      return ticket;
    },
    confirmed,
    async redeemed() {
      const ticket = await confirmed();
      await ticket.redeem();
      return ticket;
    },
    async denied() {
      const ticket = await shopTicket();
      await anna.deny(await anna.scan(ticket.qr));
      return ticket;
    },
    async 'denied by a wrong match code'() {
      const ticket = await shopTicket();
      const scanned = await anna.scan(ticket.qr);
      const { match_code: right } = (await ticket.status()).json<{ match_code: string }>();
      await anna.confirm(scanned, wrongMatchCode(right));
      return ticket;
    },
    async cancelled() {
      const ticket = await shopTicket();
      await ticket.cancel();
      return ticket;
    },
    async expired() {
      const ticket = await shopTicket();
      await age(ticket.ticketId, '121 seconds');
      return ticket;
    },
  };

  // state, then the status of: read, long-poll, events, redeem, continue, cancel, renew
  it.each([
    ['pending', 200, 200, 200, 409, 409, 204, 201],
    ['scanned', 200, 200, 200, 409, 409, 204, 201],
    ['confirmed', 200, 200, 200, 200, 200, 204, 409],
    ['redeemed', 200, 200, 200, 410, 410, 409, 410],
    ['denied', 200, 200, 200, 200, 200, 409, 201],
    ['denied by a wrong match code', 200, 200, 200, 409, 409, 409, 201],
    ['cancelled', 410, 410, 410, 410, 410, 410, 201],
    ['expired', 410, 410, 410, 410, 410, 410, 201],
  ] as const)('are these for a ticket that is %s', async (state, ...expected) => {
    await forgetScans(server.database);
    const made = states[state];
    const ticket = await made();
    const seen = [
      (await ticket.status()).status,
      (await ticket.status('?wait=20&seen=unseen')).status,
      await statusOfStream(ticket),
      (await ticket.redeem()).status,
      (await (await again(state, ticket)).continue()).status,
      (await (await again(state, ticket)).cancel()).status,
      (await (await again(state, ticket)).renew()).status,
    ];
    expect(seen).toEqual([...expected]);

    async function again(name: string, before: HeadlessTicket): Promise<HeadlessTicket> {
      // What moved it before needs one that has not moved.
      const moves = ['pending', 'scanned', 'confirmed', 'denied'].includes(name);
      if (!moves) return before;
      await forgetScans(server.database);
      return made();
    }
  });

  it('are one and the same 404 for a ticket that is not there, a wrong wait secret, and none', async () => {
    const ticket = await shopTicket();
    const strangers = [
      waiter(server, ticket.ticketId, 'wrong'),
      waiter(server, ticket.ticketId, ''),
      waiter(server, 'unknown', ticket.waitSecret),
    ];
    const calls = ['status', 'redeem', 'continue', 'cancel', 'renew'] as const;
    for (const call of calls) {
      const answers = await Promise.all(strangers.map((stranger) => stranger[call]()));
      for (const { status, body } of answers) {
        expect([call, status, body]).toEqual([call, 404, answers[0]?.body]);
        expect(PROBLEM.parse(JSON.parse(body)).error).toBe('not_found');
      }
    }
  });

  it('are 400, 413 and 415 for a body that cannot be read, and name the field at most', async () => {
    const { query } = shop.request();
    const ask = async (body: unknown, headers = {}) =>
      told(await askTicket(server, body, { ...basic(shop), ...headers }));
    expect(await ask('{')).toEqual([400, 'invalid_request']);
    expect(await ask([])).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, client_id: undefined })).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, ticket_id: 'mine' })).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, end_user_ip: '203.0.113.9' })).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, code_challenge_method: 'plain' })).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, max_age: '60' })).toEqual([400, 'invalid_request']);
    expect(await ask({ ...query, state: 'x'.repeat(70_000) })).toEqual([413, 'too_large']);
    expect(await ask(query, { 'content-type': 'application/x-www-form-urlencoded' })).toEqual([
      415,
      'unsupported_media_type',
    ]);
    const both = await askTicket(server, { ...query, request_uri: 'urn:x' }, basic(shop));
    expect(both.json().error_description).toMatch(/^redirect_uri: a pushed request is whole/);
  });

  it('are a fresh ticket of the same request for a renewal, once, and 410 when the request itself is over', async () => {
    const ticket = await shopTicket();
    await age(ticket.ticketId, '121 seconds');
    const renewed = await ticket.renew();
    expect(renewed.status).toBe(201);
    expect(TICKET.parse(renewed.json()).ticket_id).not.toBe(ticket.ticketId);
    expect(told(await ticket.renew())).toEqual([409, 'conflict']);
    const next = holderOf(server, renewed);
    await server.database.sql("DELETE FROM engine_record WHERE kind = 'Interaction'");
    expect(told(await next.renew())).toEqual([410, 'gone']);
  });

  async function statusOfStream(ticket: HeadlessTicket): Promise<number> {
    const stop = new AbortController();
    const answer = await fetch(`${server.url}/api/qr/tickets/${ticket.ticketId}/events`, {
      headers: { authorization: `Bearer ${ticket.waitSecret}` },
      signal: stop.signal,
    });
    stop.abort();
    return answer.status;
  }
});

describe('the phone that scans it', () => {
  const words = async (ticket: HeadlessTicket, lang: string) => {
    const { body } = await send(ticket.qr, { headers: { cookie: anna.cookie, 'accept-language': lang } });
    return body.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<[^>]*>/g, ' ');
  };

  it('says that the site’s own server asked, and that nobody knows where the code is shown', async () => {
    const ticket = await openHeadless(server, shop.request().query, {
      ...basic(shop),
      'x-forwarded-for': '198.51.100.7',
    });
    expect(await words(ticket, 'en')).toMatch(/the site&#39;s own server \(198\.51\.100\.7\)/);
    expect(await words(ticket, 'en')).toMatch(/Nobody can see where this code is shown/);
    expect(await words(ticket, 'zh-CN')).toMatch(/无法得知这个二维码显示在哪里/);
    expect(await words(ticket, 'en')).not.toMatch(/Browser says it is|different network/);
    expect((await anna.scan(ticket.qr)).answer.json().place).toMatchObject({ address: '198.51.100.7', of: 'site' });
  });

  it('is shown the browser as ever when a page asked, or when a page renewed it', async () => {
    const mine = await openHeadless(server, spa.request().query, { origin: PAGE, 'x-forwarded-for': '203.0.113.5' });
    const renewed = await send(`${server.url}/api/qr/tickets/${(await shopTicket()).ticketId}/renew`, {
      method: 'POST',
    });
    expect(renewed.status).toBe(404);
    const old = await shopTicket();
    const byPage = await send(`${server.url}/api/qr/tickets/${old.ticketId}/renew`, {
      method: 'POST',
      headers: { authorization: `Bearer ${old.waitSecret}`, origin: PAGE, 'x-forwarded-for': '203.0.113.6' },
    });
    for (const [ticket, address] of [
      [mine, '203.0.113.5'],
      [holderOf(server, byPage), '203.0.113.6'],
    ] as const) {
      expect(await words(ticket, 'en')).toMatch(/Browser says it is/);
      expect(await words(ticket, 'en')).toContain(address);
      expect(await words(ticket, 'en')).not.toMatch(/own server/);
    }
  });
});
