/** T50: pushed and signed requests are used once, by the client that made them, as it made them; T43: and with PKCE. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { type LoopbackGuard, onlyLoopback } from '../support/only-loopback.js';
import { oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { basic, postTo, type SigningSite, seconds, signingSite } from '../support/signing-site.js';
import { type Sink, startSink } from '../support/sink.js';
import { StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const URN = 'urn:ietf:params:oauth:request_uri:';

let server: TestApp;
let site: SigningSite;
let phone: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  server = await startApp();
  site = await signingSite(server.app, server);
  phone = await person(server.app, server);
});
afterAll(() => server?.stop());
beforeEach(() => forgetScans(server.database));

const push = async (form: Record<string, string>, by = site) =>
  postTo(server, '/oauth/par', { ...form, ...(await by.proof()) });
const pushed = async (by = site) => {
  const { query, verifier } = by.request();
  const answer = await push(query, by);
  expect(answer.status, answer.body).toBe(201);
  const { request_uri: uri, expires_in: life } = answer.json<{ request_uri: string; expires_in: number }>();
  expect([uri.startsWith(URN), life <= 60]).toEqual([true, true]);
  return { query, verifier, uri, byReference: { client_id: by.clientId, request_uri: uri } };
};
const ask = (query: Record<string, string>) =>
  send(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`, { headers: { accept: 'text/html' } });
const isAsked = ({ headers }: RawAnswer) => String(headers.location ?? '').startsWith('/interaction/');
/** A page of ours that says so; nobody is sent anywhere. */
const expectRefused = (what: string, { status, headers, body }: RawAnswer) => {
  expect([what, status, headers.location], body.slice(0, 300)).toEqual([what, 400, undefined]);
  expect(body, what).not.toContain('waitSecret');
};
/** The client whose own request this was is told; by its own redirect URI. */
const toldTo = ({ headers }: RawAnswer) => {
  expect(String(headers.location)).toContain(`${REDIRECT_URI}?error=`);
  return new URL(String(headers.location));
};
const browser = () => new StandardBrowser(server);
const signIn = (query: Record<string, string>, by = browser()) => by.signInByPhone(by.authorizeUrl(query), phone);
const exchange = async (code: string, verifier: string) => {
  const form = { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code, code_verifier: verifier };
  return postTo(server, '/oauth/token', { ...form, ...(await site.proof()) });
};

describe('T50 a pushed request', () => {
  it('ends in one code, and shows nothing after it', async () => {
    const { byReference, verifier, query } = await pushed();
    const arrived = await signIn(byReference);
    expect(arrived.answer).toMatchObject({ code: expect.any(String), state: query.state });
    expectRefused('again', await ask(byReference));
    expectRefused('again, changed', await ask({ ...byReference, state: 'another' }));
    expect((await exchange(String(arrived.answer.code), verifier)).status).toBe(200);
  });

  it('ends in one code, however many browsers were opened with it, and come back at the same time', async () => {
    const who = { username: phone.username, password: 'a long enough one' };
    // Allowed before, so that a password alone ends in an answer.
    await browser().signInByPassword(browser().authorizeUrl(site.request().query), who);
    for (let round = 0; round < 4; round += 1) {
      const { byReference, verifier } = await pushed();
      const browsers = Array.from({ length: 5 }, browser);
      const ready = await Promise.all(
        browsers.map(async (one) => {
          const page = await one.open(one.authorizeUrl(byReference));
          const signedIn = await one.postJson(`${new URL(page.address).pathname}/sign-in`, who);
          expect(signedIn.status, signedIn.body).toBe(200);
          return () => one.open(String(signedIn.json().redirect_to));
        }),
      );
      const codes = (await Promise.all(ready.map((resume) => resume()))).flatMap(({ answer }) => answer.code ?? []);
      expect(codes).toHaveLength(1);
      expect((await exchange(String(codes[0]), verifier)).status).toBe(200);
    }
  });

  it('is nobody else’s, not even with the right client beside it', async () => {
    const other = await signingSite(server.app, server);
    const open = await oauthSite(server.app, server, { authMethod: 'none' });
    const { byReference, uri } = await pushed();
    for (const clientId of [other.clientId, open.clientId, 'nobody', '']) {
      expectRefused(clientId, await ask({ client_id: clientId, request_uri: uri }));
    }
    const { searchParams } = toldTo(await ask({ ...other.request().query, request_uri: uri }));
    expect([searchParams.get('error'), searchParams.get('code')]).toEqual(['invalid_request_object', null]);
    expect(isAsked(await ask(byReference))).toBe(true);
  });

  it('is over after its time, and was never if nobody pushed it', async () => {
    const { byReference } = await pushed();
    await server.database.sql("UPDATE engine_record SET expires_at = now() WHERE kind = 'PushedAuthorizationRequest'");
    expectRefused('expired', await ask(byReference));
    for (const id of ['', 'x', 'x'.repeat(43), '../x', '%00', `${'x'.repeat(43)}#`]) {
      expectRefused(id, await ask({ client_id: site.clientId, request_uri: URN + id }));
    }
  });

  it('is as it was pushed, whatever stands beside it', async () => {
    const { byReference, query, verifier } = await pushed();
    const beside = {
      state: 'another',
      nonce: 'another',
      scope: 'openid profile unionid offline_access',
      redirect_uri: 'https://evil.example/',
      code_challenge: 'x'.repeat(43),
      prompt: 'none',
      response_mode: 'form_post',
    };
    const arrived = await signIn({ ...byReference, ...beside });
    expect(arrived.address.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(arrived.answer.state).toBe(query.state);
    const tokens = (await exchange(String(arrived.answer.code), verifier)).json();
    expect(tokens.scope).toBe(query.scope);
  });

  it('holds no other request, and is not changed by two at once', async () => {
    const { uri, byReference } = await pushed();
    const { query } = site.request();
    const nested: Record<string, Record<string, string>> = {
      'its own': { ...query, request_uri: uri },
      'an address': { ...query, request_uri: 'https://evil.example/request' },
      'that alone': byReference,
      'in a request object': { request: await site.requestObject({ request_uri: uri }) },
      'a request object in a request object': {
        request: await site.requestObject({ request: await site.requestObject() }),
      },
    };
    for (const [what, form] of Object.entries(nested)) {
      const answer = await push(form);
      expect([what, answer.status], answer.body).toEqual([what, 400]);
      expect(answer.json()).not.toHaveProperty('request_uri');
    }
    expectRefused('both', await ask({ ...byReference, request: await site.requestObject() }));
  });
});

describe('T50 a request behind an address', () => {
  let sink: Sink;
  let guard: LoopbackGuard;
  beforeAll(async () => {
    sink = await startSink();
    guard = onlyLoopback(['postgres']);
  });
  afterAll(async () => {
    guard?.stop();
    await sink?.stop();
  });

  it('is refused, and nothing is fetched', async () => {
    const object = '/request.jwt';
    guard.strangers();
    for (const address of [
      `http://127.0.0.1:${sink.port}${object}`,
      `http://localhost:${sink.port}${object}#hash`,
      `HTTP://127.0.0.1:${sink.port}${object}`,
      `https://127.0.0.1:${sink.port}${object}`,
      'https://evil.example/request.jwt',
      `//127.0.0.1:${sink.port}${object}`,
      `file:///etc/passwd`,
      `data:application/jwt,${await site.requestObject()}`,
      `urn:ietf:params:oauth:request_uri:http://127.0.0.1:${sink.port}${object}`,
    ]) {
      const { searchParams } = toldTo(await ask({ ...site.request().query, request_uri: address }));
      expect([address, searchParams.get('error')]).toEqual([
        address,
        expect.toBeOneOf(['request_uri_not_supported', 'invalid_request_uri']),
      ]);
      expectRefused(address, await ask({ client_id: site.clientId, request_uri: address }));
      const answer = await push({ ...site.request().query, request_uri: address });
      expect([address, answer.status]).toEqual([address, 400]);
    }
    const ports = guard.ports();
    expect([sink.connections(), ports.includes(String(sink.port)), guard.strangers()]).toEqual([0, false, []]);
  });
});

describe('T50 a signed request object', () => {
  it('is all there is: parameters outside of it are ignored', async () => {
    const { claims } = site.requestClaims();
    const { scope: _, nonce: __, state: ___, ...less } = claims as Record<string, string>;
    const outside = { ...site.request().query, scope: 'openid profile unionid', prompt: 'none', max_age: '0' };
    const object = await site.requestObject({ ...less, scope: 'openid', state: undefined, nonce: undefined });
    const one = browser();
    const page = await one.open(one.authorizeUrl({ ...outside, client_id: site.clientId, request: object }));
    expect(pageData(page.body)).toHaveProperty('waitSecret');
    const arrived = await one.answerByPhone(page, phone);
    expect(Object.keys(arrived.answer).sort()).toEqual(['code', 'iss']);
  });

  it('is not taken from another client, nor for one', async () => {
    const other = await signingSite(server.app, server);
    const theirs = await other.requestObject();
    for (const query of [
      { client_id: site.clientId, request: theirs },
      { client_id: other.clientId, request: await site.requestObject() },
      {
        client_id: site.clientId,
        request: await other.requestObject({ iss: site.clientId, client_id: site.clientId }),
      },
    ])
      expectRefused(JSON.stringify(query).slice(0, 60), await ask(query));
    expect((await push({ request: theirs })).status).toBe(400);
  });

  it('is required of the clients that promised one, in the front channel and pushed', async () => {
    const strict = await signingSite(server.app, server, { requireSignedRequest: true });
    const { query } = strict.request();
    expect(isAsked(await ask(query))).toBe(false);
    expect((await push(query, strict)).status).toBe(400);
    const signed = () => strict.requestObject({ nbf: seconds() });
    expect(isAsked(await ask({ client_id: strict.clientId, request: await signed() }))).toBe(true);
    const answer = await push({ request: await signed() }, strict);
    expect(answer.status, answer.body).toBe(201);
    // What is signed once and for all could be kept for later.
    expect((await push({ request: await strict.requestObject() }, strict)).status).toBe(400);
    const times = { nbf: seconds(), exp: seconds() + 60 };
    const none = [{ alg: 'none' }, { ...query, iss: strict.clientId, aud: server.url, ...times }];
    const unsigned = `${none.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
    expect(isAsked(await ask({ client_id: strict.clientId, request: unsigned }))).toBe(false);
    expect((await push({ request: unsigned }, strict)).status).toBe(400);
  });

  it('is required to be pushed where the client promised that', async () => {
    const strict = await signingSite(server.app, server, { requirePar: true });
    expect(isAsked(await ask(strict.request().query))).toBe(false);
    expect(isAsked(await ask({ client_id: strict.clientId, request: await strict.requestObject() }))).toBe(false);
    expect(isAsked(await ask((await pushed(strict)).byReference))).toBe(true);
  });
});

describe('T43 PKCE', () => {
  const WEAKER: Array<Record<string, string | undefined>> = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge_method: undefined },
    ...['plain', 's256', 'S512', 'none'].map((method) => ({ code_challenge_method: method })),
    { code_challenge: 'short' },
    { code_challenge: 'x'.repeat(129) },
    { code_challenge: `${'x'.repeat(42)}=` },
  ];
  const only = (form: Record<string, string | undefined>) =>
    Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined)) as Record<string, string>;

  it('is not to be had weaker in a pushed request or a request object, from any kind of client', async () => {
    const secretive = await oauthSite(server.app, server);
    const open = await oauthSite(server.app, server, { authMethod: 'none' });
    for (const weaker of WEAKER) {
      const answers = {
        pushed: await push(only({ ...site.request().query, ...weaker })),
        'pushed with a secret': await postTo(
          server,
          '/oauth/par',
          only({ ...secretive.request().query, ...weaker }),
          basic(secretive),
        ),
        'pushed by a public client': await postTo(server, '/oauth/par', only({ ...open.request().query, ...weaker })),
        'pushed and signed': await push({ request: await site.requestObject(weaker) }),
      };
      for (const [how, answer] of Object.entries(answers)) {
        const what = `${how} ${JSON.stringify(weaker)}`;
        expect([what, answer.status, answer.json().error]).toEqual([what, 400, 'invalid_request']);
      }
      const front = { ...site.request().query, request: await site.requestObject(weaker) };
      expect([JSON.stringify(weaker), isAsked(await ask(front))]).toEqual([JSON.stringify(weaker), false]);
    }
  });

  it('is left out only by a client an administrator exempted, with state or nonce instead, and never made weaker', async () => {
    const old = await signingSite(server.app, server, { pkceOptional: true });
    const none = { code_challenge: undefined, code_challenge_method: undefined };
    const bare = { ...none, nonce: undefined };
    for (const weaker of [{ ...bare, state: 'x'.repeat(15) }, { ...bare, state: undefined }, ...WEAKER.slice(1)]) {
      const what = JSON.stringify(weaker);
      expect([what, (await push(only({ ...old.request().query, ...weaker }), old)).status]).toEqual([what, 400]);
      expect([what, isAsked(await ask(only({ ...old.request().query, ...weaker })))]).toEqual([what, false]);
      const object = { client_id: old.clientId, request: await old.requestObject(weaker) };
      expect([what, isAsked(await ask(object))]).toEqual([what, false]);
      // What stands outside of a signed request does not make up for it.
      expect([what, isAsked(await ask({ ...old.request().query, ...object }))]).toEqual([what, false]);
    }
    const { query, verifier } = old.request();
    const { answer } = await signIn(only({ ...query, ...none }));
    const form = { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code: String(answer.code) };
    const withVerifier = { ...form, code_verifier: verifier, ...(await old.proof()) };
    expect((await postTo(server, '/oauth/token', withVerifier)).json().error).toBe('invalid_grant');
    expect((await postTo(server, '/oauth/token', { ...form, ...(await old.proof()) })).status).toBe(200);
  });
});
