/** The ticket API under attack, as a site with its own QR code uses it: T34 and T59 in browsers; T56, T57, T93 at its door; T36; T9, T11. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askTicket, type HeadlessTicket, holderOf, openHeadless } from '../support/headless.js';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { basic, postTo, type SigningSite, seconds, signingSite } from '../support/signing-site.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, person } from '../support/story.js';

const SPA = 'https://spa.example';
const SHOP = 'https://shop.example';
const OTHER = 'https://other.example';
const GONE = 'https://gone.example';

let server: TestApp;
/** Public, at SPA. */
let spa: OauthSite;
/** With a secret, its pages at SHOP. */
let shop: OauthSite;
let poster: OauthSite;
let other: OauthSite;
let signer: SigningSite;
let wechat: WechatSite;
let anna: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  const { app } = server;
  spa = await oauthSite(app, server, { authMethod: 'none', embedOrigins: [SPA] });
  shop = await oauthSite(app, server, { embedOrigins: [SHOP] });
  poster = await oauthSite(app, server, { authMethod: 'client_secret_post' });
  other = await oauthSite(app, server, { authMethod: 'none', embedOrigins: [OTHER] });
  const gone = await oauthSite(app, server, { embedOrigins: [GONE] });
  await app.clients.disable('test', gone.clientId);
  signer = await signingSite(app, server);
  wechat = await wechatSite(app, server);
  anna = await person(app, server, 'Anna');
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

let callers = 0;
/** An address of its own: failures are counted by address. */
const stranger = () => {
  callers += 1;
  return { 'x-forwarded-for': `198.18.${callers >> 8}.${callers & 255}` };
};
const CORS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
] as const;
const corsOf = ({ headers }: RawAnswer) => CORS.map((name) => headers[name]);
const CLOSED = CORS.map(() => undefined);
const mayRead = (origin: string) => [origin, undefined, undefined, undefined, undefined];
const varies = ({ headers }: RawAnswer) => /\bOrigin\b/i.test(String(headers.vary));
const preflight = (path: string, origin: string | undefined, method = 'GET') =>
  send(server.url + path, {
    method: 'OPTIONS',
    headers: {
      ...(origin === undefined ? {} : { origin }),
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization, content-type',
    },
  });
const call = (path: string, method: string, origin: string | undefined, secret = 'wrong', headers = stranger()) =>
  send(server.url + path, {
    method,
    headers: { ...headers, ...(origin === undefined ? {} : { origin }), authorization: `Bearer ${secret}` },
  });
/** In every spelling that could pass for a registered one. */
const FOREIGN = [
  'https://evil.example',
  'null',
  '*',
  GONE,
  'http://shop.example',
  'https://shop.example:443',
  'https://shop.example:8443',
  'https://SHOP.example',
  'https://shop.example.evil.example',
  'https://sub.shop.example',
  'https://shop.example/',
  `${SHOP}, https://evil.example`,
  `${SHOP} `.padEnd(40, 'x'),
  'https:',
  'file://',
];
const callsOf = (id: string): Array<[method: string, path: string]> => [
  ['GET', `/api/qr/tickets/${id}`],
  ['GET', `/api/qr/tickets/${id}?wait=1&seen=confirmed`],
  ['GET', `/api/qr/tickets/${id}/events`],
  ['POST', `/api/qr/tickets/${id}/redeem`],
  ['POST', `/api/qr/tickets/${id}/continue`],
  ['POST', `/api/qr/tickets/${id}/renew`],
  ['DELETE', `/api/qr/tickets/${id}`],
];

describe('T34 a ticket', () => {
  let ticket: HeadlessTicket;
  beforeEach(async () => {
    ticket = await openHeadless(server, shop.request().query, basic(shop));
  });

  it('T34 is read by pages of its own client’s registered origins, and a preflight says so, without credentials', async () => {
    for (const [method, path] of callsOf(ticket.ticketId)) {
      const asked = await preflight(path, SHOP, method);
      expect([path, asked.status, varies(asked), ...corsOf(asked)]).toEqual([
        path,
        204,
        true,
        SHOP,
        undefined,
        'GET, POST, DELETE',
        'Authorization, Content-Type',
        '600',
      ]);
    }
    const read = await call(`/api/qr/tickets/${ticket.ticketId}`, 'GET', SHOP, ticket.waitSecret);
    expect([read.status, varies(read), ...corsOf(read)]).toEqual([200, true, ...mayRead(SHOP)]);
    const early = await call(`/api/qr/tickets/${ticket.ticketId}/redeem`, 'POST', SHOP, ticket.waitSecret);
    expect([early.status, ...corsOf(early)]).toEqual([409, ...mayRead(SHOP)]);
    const wrong = await call(`/api/qr/tickets/${ticket.ticketId}`, 'GET', SHOP);
    expect([wrong.status, ...corsOf(wrong)]).toEqual([404, ...mayRead(SHOP)]);
    const ended = await call(`/api/qr/tickets/${ticket.ticketId}`, 'DELETE', SHOP, ticket.waitSecret);
    expect([ended.status, ...corsOf(ended)]).toEqual([204, ...mayRead(SHOP)]);
    const over = await call(`/api/qr/tickets/${ticket.ticketId}/events`, 'GET', SHOP, ticket.waitSecret);
    expect([over.status, ...corsOf(over)]).toEqual([410, ...mayRead(SHOP)]);
  });

  it('T34 is not read by pages of anybody else, not even of another client, and no preflight lets them call', async () => {
    const most = [SPA, 'null', undefined, server.url];
    for (const origin of [...most, ...FOREIGN, OTHER]) {
      for (const [method, path] of callsOf(ticket.ticketId).slice(0, most.includes(origin) ? undefined : 1)) {
        const what = `${origin} ${method} ${path}`;
        const asked = await preflight(path, origin, method);
        // Without an Origin it is no preflight; our own pages need none.
        const status = origin === undefined || origin === server.url ? 405 : 403;
        expect([what, asked.status, varies(asked), ...corsOf(asked)]).toEqual([what, status, true, ...CLOSED]);
      }
      const read = await call(`/api/qr/tickets/${ticket.ticketId}`, 'GET', origin, ticket.waitSecret);
      expect([origin, read.status, varies(read), ...corsOf(read)]).toEqual([origin, 200, true, ...CLOSED]);
    }
    const spellings = [
      `/api/qr/tickets/%${ticket.ticketId.charCodeAt(0).toString(16)}${ticket.ticketId.slice(1)}`,
      `/API/QR/TICKETS/${ticket.ticketId}`,
      `/api/qr/Tickets/${ticket.ticketId}/`,
      `/api/qr/tickets/${ticket.ticketId}//`,
    ];
    for (const path of spellings) {
      const answers = [await preflight(path, OTHER), await call(path, 'GET', OTHER, ticket.waitSecret)];
      expect([path, ...answers.map(corsOf)]).toEqual([path, CLOSED, CLOSED]);
    }
  });

  it('T34 that is not there is told to every registered origin alike, and to no other', async () => {
    const path = '/api/qr/tickets/unknown';
    for (const origin of [SPA, SHOP, OTHER]) {
      const answer = await call(path, 'GET', origin);
      expect([answer.status, ...corsOf(answer)]).toEqual([404, ...mayRead(origin)]);
      expect((await preflight(path, origin)).status).toBe(204);
    }
    for (const origin of FOREIGN) {
      expect([origin, ...corsOf(await call(path, 'GET', origin))]).toEqual([origin, ...CLOSED]);
      expect([origin, (await preflight('/api/qr/tickets', origin, 'POST')).status]).toEqual([origin, 403]);
    }
  });

  it('T34 is not read any more when the origin is taken from the client, or the client is disabled', async () => {
    const origin = 'https://moving.example';
    const moving = await oauthSite(server.app, server, { embedOrigins: [origin] });
    const own = await openHeadless(server, moving.request().query, basic(moving));
    const path = `/api/qr/tickets/${own.ticketId}`;
    const read = async () => corsOf(await call(path, 'GET', origin, own.waitSecret))[0];
    expect(await read()).toBe(origin);
    await server.app.clients.disable('test', moving.clientId);
    expect(await read()).toBeUndefined();
    await server.app.clients.enable('test', moving.clientId);
    await server.app.clients.update('test', moving.clientId, { embedOrigins: [OTHER] });
    expect([await read(), (await preflight(path, origin)).status]).toEqual([undefined, 403]);
  });

  it('T34 speaks JSON whatever is asked for, never script, and nothing to a page that may not be framed', async () => {
    for (const query of ['?callback=steal', '?jsonp=steal&wait=0', '?format=js']) {
      const answer = await call(`/api/qr/tickets/${ticket.ticketId}${query}`, 'GET', SHOP, ticket.waitSecret);
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      expect(answer.body).not.toContain('steal');
    }
  });

  it('T59 lets no page read anything else of this server: only the ticket API, and only by that list', async () => {
    for (const path of ['/api/qr', '/api', '/phone/scan', '/connect/qrconnect', '/s/x', '/api/qrx/tickets', '/']) {
      const answers = [await preflight(path, SHOP), await call(path, 'GET', SHOP)];
      expect([path, ...answers.map(corsOf)]).toEqual([path, CLOSED, CLOSED]);
    }
  });

  it('T36 has no picture with an address: the QR code comes in the answer, to be drawn in the page', async () => {
    const { qr_svg: svg, qr_png: png, qr_url: url } = ticket.answer.json<Record<string, string>>();
    expect(svg).toMatch(/^<svg /);
    expect(png).toMatch(/^data:image\/png;base64,/);
    expect(svg).not.toMatch(/<(title|desc|text|script|image|a)\b|https?:\/\/(?!www\.w3\.org\/)/);
    const scanToken = String(url).split('/').pop();
    for (const id of [ticket.ticketId, scanToken]) {
      for (const path of [
        `/api/qr/tickets/${id}/qr`,
        `/api/qr/tickets/${id}.png`,
        `/api/qr/${id}.svg`,
        `/api/qr/tickets/${id}/qr_png`,
      ]) {
        const answer = await call(path, 'GET', SHOP, ticket.waitSecret);
        expect([path, answer.status, String(answer.headers['content-type'])]).toEqual([
          path,
          404,
          expect.stringMatching(/json/),
        ]);
      }
    }
    expect(ticket.answer.headers['cache-control']).toBe('no-store');
  });

  it('T9 ends in the code for the request it was opened with, whatever the page says later', async () => {
    const { query, verifier } = shop.request({ scope: 'openid' });
    const own = await openHeadless(server, query, basic(shop));
    await approve(anna, own);
    const wish = {
      client_id: spa.clientId,
      redirect_uri: 'https://evil.example/',
      scope: 'openid profile',
      state: 'mine',
    };
    const redeemed = (await own.redeem(JSON.stringify(wish))).json<{
      code: string;
      redirect_to: string;
      state: string;
    }>();
    expect(redeemed.state).toBe(query.state);
    expect(redeemed.redirect_to.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect((await other.exchange(redeemed.code, verifier)).status).not.toBe(200);
    const again = await openHeadless(server, query, basic(shop));
    await approve(anna, again);
    const { code } = (await again.redeem()).json<{ code: string }>();
    expect((await shop.exchange(code, verifier)).json()).toMatchObject({ scope: 'openid' });
  });
});

describe('T56 at the door of tickets', () => {
  const bytes = ({ status, headers: { date: _, ...headers }, body }: RawAnswer) => ({ status, headers, body });
  const INVALID = { error: 'invalid_client', error_description: 'client authentication failed' };

  it('T56 a client that does not prove who it is gets what an unknown one gets, to the byte', async () => {
    const secrets = ['wrong', '', shop.secret.slice(0, -1), 'a'.repeat(8000)];
    for (const secret of secrets) {
      const by = [shop.clientId, 'qc0000000000000000'].map((clientId) =>
        askTicket(
          server,
          { ...shop.request().query, client_id: clientId },
          { ...stranger(), ...basic({ clientId, secret }) },
        ),
      );
      const [known, unknown] = await Promise.all(by);
      expect([secret, known?.status, known?.json()]).toEqual([secret, 401, INVALID]);
      expect(bytes(known as RawAnswer)).toEqual(bytes(unknown as RawAnswer));
      expect(known?.headers['www-authenticate']).toMatch(/^Basic realm=/);
    }
    for (const proof of [
      {},
      { client_secret: 'wrong' },
      { client_secret: '' },
      { client_secret: 'a'.repeat(60_000) },
    ]) {
      const by = [poster.clientId, shop.clientId, signer.clientId, 'qc0000000000000000'].map((clientId) =>
        askTicket(server, { ...shop.request().query, client_id: clientId, ...proof }, stranger()),
      );
      const answers = (await Promise.all(by)).map(bytes);
      expect(answers[0]).toMatchObject({ status: 401, body: JSON.stringify(INVALID) });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    }
  });

  it('T56 a client has one way to prove who it is: another, two at once, or another’s, is none', async () => {
    const { query } = shop.request();
    const refused = async (body: object, headers: Record<string, string> = {}) =>
      (await askTicket(server, body, { ...stranger(), ...headers })).status;
    expect(await refused({ ...query, client_secret: shop.secret })).toBe(401);
    expect(await refused({ ...query, client_secret: shop.secret }, basic(shop))).toBe(400);
    expect(await refused({ ...query, client_secret: [shop.secret] })).toBe(400);
    expect(await refused({ ...query, client_id: poster.clientId }, basic(poster))).toBe(401);
    expect(await refused(query, basic(poster))).toBe(400);
    expect(await refused({ ...query, client_id: spa.clientId }, basic(shop))).toBe(403);
    expect(await refused({ ...query, client_id: spa.clientId }, { ...basic(shop), origin: SPA })).toBe(400);
    // What was pushed by a client that proved who it is still opens nothing without that proof.
    const pushed = await postTo(server, '/oauth/par', query, basic(shop));
    const { request_uri: uri } = pushed.json<{ request_uri: string }>();
    const byReference = { client_id: shop.clientId, request_uri: uri };
    for (const headers of [{}, basic({ ...shop, secret: 'wrong' }), basic(poster)] as Array<Record<string, string>>) {
      expect(await refused(byReference, headers)).toBeOneOf([400, 401]);
    }
    expect(await refused(byReference, basic(shop))).toBe(201);
  });

  it('T56 guesses at a secret are counted together with those at the other doors, and end in 429', async () => {
    const from = stranger();
    const guess = () => askTicket(server, shop.request().query, { ...from, ...basic({ ...shop, secret: 'wrong' }) });
    for (let i = 0; i < 10; i += 1) expect((await guess()).status).toBe(401);
    for (let i = 0; i < 10; i += 1) {
      const elsewhere = await postTo(
        server,
        '/oauth/token',
        { grant_type: 'refresh_token', refresh_token: 'x' },
        {
          ...from,
          ...basic({ ...shop, secret: 'wrong' }),
        },
      );
      expect(elsewhere.status).toBe(401);
    }
    const limited = await guess();
    expect([limited.status, limited.json().error]).toEqual([429, 'too_many_requests']);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    const right = await askTicket(server, shop.request().query, { ...from, ...basic(shop) });
    expect(right.status).toBe(429);
    expect((await askTicket(server, shop.request().query, { ...stranger(), ...basic(shop) })).status).toBe(201);
  });

  it('T59 a client with a secret is not to be used from a browser, even with the secret, and no client tells that it exists', async () => {
    for (const origin of [SHOP, SPA, 'null', server.url]) {
      const [known, unknown] = await Promise.all(
        [shop.clientId, 'qc0000000000000000'].map((clientId) =>
          askTicket(
            server,
            { ...shop.request().query, client_id: clientId },
            { ...stranger(), ...basic(shop), origin },
          ),
        ),
      );
      expect([origin, known?.status, known?.json().error]).toEqual([origin, 403, 'forbidden']);
      expect(bytes(known as RawAnswer)).toEqual(bytes(unknown as RawAnswer));
    }
  });

  it('T59 a public client asks from a page of its own, with PKCE; a stranger’s page gets neither ticket nor reason to guess', async () => {
    const ask = (headers: Record<string, string>, more: Record<string, unknown> = {}) =>
      askTicket(server, { ...spa.request().query, ...more }, { ...stranger(), ...headers });
    for (const origin of [...FOREIGN, SHOP, OTHER, server.url]) {
      const answer = await ask({ origin });
      expect([origin, answer.status, answer.json().error]).toEqual([origin, 403, 'forbidden']);
      expect(answer.json().error_description).toMatch(/embed-origin/);
    }
    expect((await ask({})).status).toBe(403);
    const naked = await ask({ origin: SPA }, { code_challenge: undefined, code_challenge_method: undefined });
    expect([naked.status, naked.json().error]).toEqual([400, 'invalid_request']);
    expect((await ask({ origin: SPA }, { client_secret: 'x' })).status).toBe(401);
    const mine = await ask({ origin: SPA });
    expect([mine.status, ...corsOf(mine)]).toEqual([201, ...mayRead(SPA)]);
  });

  it('T93 a client of the WeChat dialect has no part here, whatever it sends', async () => {
    const { query } = shop.request();
    const tries: Array<[object, Record<string, string>]> = [
      [{}, {}],
      [{}, basic(wechat)],
      [{ client_secret: wechat.secret }, {}],
      [{}, { origin: new URL(REDIRECT_URI).origin }],
    ];
    for (const [more, headers] of tries) {
      const answer = await askTicket(
        server,
        { ...query, client_id: wechat.clientId, ...more },
        { ...stranger(), ...headers },
      );
      expect([answer.status, answer.json().error]).toEqual([403, 'forbidden']);
      expect(answer.json().error_description).toMatch(/\/connect\/qrconnect\?appid=/);
    }
  });
});

describe('T57 a client assertion at the door of tickets', () => {
  const ask = async (proof: Record<string, string>) =>
    askTicket(server, { ...signer.request().query, ...proof }, stranger());

  it('T57 opens one ticket, of twenty at the same time, and nothing anywhere else afterwards', async () => {
    const proof = await signer.proof();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(401)]);
    const elsewhere = await postTo(server, '/oauth/par', { ...signer.request().query, ...proof }, stranger());
    expect(elsewhere.status).toBe(401);
    // The way round as well, and for what was pushed before.
    const spent = await signer.proof();
    const pushed = await postTo(server, '/oauth/par', { ...signer.request().query, ...spent }, stranger());
    const { request_uri: uri } = pushed.json<{ request_uri: string }>();
    const byReference = { client_id: signer.clientId, request_uri: uri };
    expect((await askTicket(server, { ...byReference, ...spent }, stranger())).status).toBe(401);
    expect((await askTicket(server, { ...byReference, ...(await signer.proof()) }, stranger())).status).toBe(201);
  });

  it('T57 is for this server alone and short-lived here too', async () => {
    const wrongs: Record<string, unknown>[] = [
      { aud: `${server.url}/api/qr/tickets` },
      { aud: [server.url, 'https://other.example'] },
      { jti: undefined },
      { exp: seconds() + 400 },
      { sub: shop.clientId, iss: shop.clientId },
    ];
    for (const claims of wrongs) {
      const answer = await ask(await signer.proof(await signer.assertion(claims)));
      expect([claims, answer.status]).toEqual([claims, expect.toBeOneOf([400, 401])]);
    }
  });
});

describe('T11 what the phone is told', () => {
  it('T11 is what the server saw, not what the site says, and a browser never passes for a site’s server', async () => {
    const claims = { 'user-agent': 'Safari on your own iPhone', 'x-real-ip': '1.2.3.4', forwarded: 'for=1.2.3.4' };
    const asked = await askTicket(server, shop.request().query, {
      ...basic(shop),
      ...claims,
      'x-forwarded-for': '198.51.100.9',
    });
    const scanned = await anna.scan(holderOf(server, asked).qr);
    expect(scanned.answer.json().place).toMatchObject({ address: '198.51.100.9', of: 'site' });
    expect(scanned.answer.body).not.toMatch(/1\.2\.3\.4|own iPhone/);
    // The holder of a page's ticket leaves the Origin out, to be taken for a server.
    const page = await openHeadless(server, spa.request().query, { origin: SPA, 'x-forwarded-for': '203.0.113.77' });
    const renewed = await call(`/api/qr/tickets/${page.ticketId}/renew`, 'POST', undefined, page.waitSecret, {
      'x-forwarded-for': '203.0.113.77',
    });
    const { place } = (await anna.scan(holderOf(server, renewed).qr)).answer.json<{ place: object }>();
    expect(place).toMatchObject({ address: '203.0.113.77' });
    expect(place).not.toHaveProperty('of');
  });
});

describe('T86 the log', () => {
  it('T86 holds no secret of a ticket or a client, and tells a refusal by the id of the request that it belongs to', async () => {
    const ticket = await openHeadless(server, { ...poster.request().query, client_secret: poster.secret });
    await askTicket(server, shop.request().query, { ...stranger(), ...basic({ ...shop, secret: 'wrong' }) });
    const log = server.log();
    for (const secret of [ticket.waitSecret, ticket.qr.split('/').pop(), shop.secret, poster.secret]) {
      expect(log).not.toContain(secret);
    }
    const lines = log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
    const refused = lines
      .filter(({ msg, client }) => msg === 'a client was refused' && client === shop.clientId)
      .at(-1);
    const request = lines.find(({ msg, rid }) => msg === 'request' && rid === refused?.rid);
    expect(request).toMatchObject({ route: '/api/qr/tickets', status: 401 });
  });
});
