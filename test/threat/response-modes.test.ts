/** T38, T42, T44: every answer of the standard door in every response mode; T53: no other way to be answered. */
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signJwt } from '../support/hostile-jwts.js';
import { type RawAnswer, send } from '../support/http.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { postTo, type SigningSite, signingSite } from '../support/signing-site.js';
import { type Arrival, postedForm, StandardBrowser } from '../support/standard-browser.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

const MODES = ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'];
/** What could pass for more than a value, wherever it is written. */
const STATE = `x&code=evil&state=evil;iss=https://evil.example#code=evil"><script>alert(1)</script>'{{7*7}} %0d%0a+é雪`;

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

const tickets = async () => (await server.database.sql('SELECT 1 FROM ticket')).length;

type Answered = Pick<Arrival, 'address' | 'body' | 'headers'>;

/** Key by key, with every value it has; what a JWT holds for it in the modes that have one. */
async function answerOf(arrived: Answered, mode: string): Promise<Record<string, unknown[]>> {
  let pairs: Array<[string, string]>;
  if (mode.startsWith('form_post')) {
    expect(arrived.headers.location).toBeUndefined();
    expect(postedForm(arrived.body).action).toBe(REDIRECT_URI);
    pairs = [...arrived.body.matchAll(/<input type="hidden" name="([^"]*)"/g)].map(([, name = '']) => [
      name,
      String(postedForm(arrived.body).fields[name]),
    ]);
  } else {
    const url = new URL(arrived.address);
    expect(url.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
    expect(url.href).not.toContain('#');
    pairs = [...url.searchParams];
  }
  const outer: Record<string, string[]> = {};
  for (const [name, value] of pairs) outer[name] = [...(outer[name] ?? []), value];
  if (!mode.includes('jwt')) return outer;
  expect(Object.entries(outer).map(([name, values]) => [name, values.length])).toEqual([['response', 1]]);
  const keys = createLocalJWKSet((await send(`${server.url}/oauth/jwks`)).json());
  const { payload } = await jwtVerify(String(outer.response), keys, { issuer: server.url, audience: site.clientId });
  const { aud: _, exp, ...inner } = payload;
  expect(Number(exp) - Date.now() / 1000).toBeLessThan(601);
  return Object.fromEntries(Object.entries(inner).map(([name, value]) => [name, [value]]));
}

const browser = () => new StandardBrowser(server);
const ask = (more: Record<string, string>) => {
  const { query, verifier } = site.request({ state: STATE, ...more });
  return { query, verifier, address: browser().authorizeUrl(query) };
};
const exchange = async (code: string, verifier: string) => {
  const form = { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code, code_verifier: verifier };
  return postTo(server, '/oauth/token', { ...form, ...(await site.proof()) });
};

describe.each(MODES)('an answer by %s', (mode) => {
  it('T38 T42 T44: of success holds code, state and iss once; state is what was sent, and so is the nonce', async () => {
    const { query, verifier, address } = ask({ response_mode: mode });
    const answer = await answerOf(await browser().signInByPhone(address, phone), mode);
    expect(answer).toEqual({ code: [expect.any(String)], state: [STATE], iss: [server.url] });
    const { id_token: token } = (await exchange(String(answer.code), verifier)).json();
    expect(decodeJwt(String(token))).toMatchObject({ nonce: query.nonce, iss: server.url, aud: site.clientId });
  });

  it('T38 T42 T44: of a denial or an error holds error, state and iss once', async () => {
    const told = { error_description: [expect.any(String)], state: [STATE], iss: [server.url] };
    const denied = await browser().signInByPhone(ask({ response_mode: mode }).address, phone, { deny: true });
    expect(await answerOf(denied, mode)).toEqual({ ...told, error: ['access_denied'] });
    for (const [more, error] of [
      [{ prompt: 'none' }, 'login_required'],
      [{ scope: 'openid snsapi_login' }, 'invalid_scope'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ resource: 'https://nobody.example' }, 'invalid_target'],
    ] as Array<[Record<string, string>, string]>) {
      const arrived = await browser().open(ask({ response_mode: mode, ...more }).address);
      const { scope: _, ...answer } = await answerOf(arrived, mode);
      expect([error, answer]).toEqual([error, { ...told, error: [error] }]);
    }
  });

  it('T42 T44: names no state that was not sent, and the issuer whatever host was asked', async () => {
    const { query } = site.request({ response_mode: mode, prompt: 'none' });
    const { state: _, ...stateless } = query;
    const arrived = await browser().open(browser().authorizeUrl(stateless as Record<string, string>));
    expect(Object.keys(await answerOf(arrived, mode)).sort()).toEqual(['error', 'error_description', 'iss']);
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      'x-forwarded-proto': 'https',
    };
    const there = await browser().get(ask({ response_mode: mode, prompt: 'none' }).address, forwarded);
    const address = String(there.headers.location ?? '');
    expect((await answerOf({ ...there, address }, mode)).iss).toEqual([server.url]);
  });
});

describe('every other way to be answered', () => {
  const OTHERS: Array<Record<string, string>> = [
    ...[
      'token',
      'id_token',
      'code token',
      'code id_token',
      'id_token token',
      'code id_token token',
      'none',
      'Code',
    ].map((type) => ({ response_type: type })),
    ...[
      'fragment',
      'web_message',
      'fragment.jwt',
      'web_message.jwt',
      'Query',
      'query.',
      'form_post ',
      'okta_post_message',
    ].map((mode) => ({ response_mode: mode })),
    { response_type: 'id_token', response_mode: 'jwt' },
    { response_type: 'token', response_mode: 'form_post' },
  ];
  const byRequestObject = async (other: Record<string, string>, key = site.key) =>
    signJwt(site.requestClaims(other).claims, site.header, key);
  const get = (query: Record<string, string>) =>
    send(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`, { headers: { accept: 'text/html' } });
  const post = async (query: Record<string, string>) => {
    const moved = await postTo(server, '/oauth/authorize', query);
    expect(moved.status).toBe(303);
    return send(new URL(String(moved.headers.location), server.url).href, { headers: { accept: 'text/html' } });
  };
  const push = async (form: Record<string, string>) =>
    postTo(server, '/oauth/par', { ...form, ...(await site.proof()) });
  type Channel = (other: Record<string, string>) => Promise<RawAnswer>;
  const CHANNELS: Record<string, Channel> = {
    'in the query': (other) => get(site.request(other).query),
    'in a form': (other) => post(site.request(other).query),
    'in a pushed request': (other) => push(site.request(other).query),
    'in a request object': async (other) =>
      get({ client_id: site.clientId, redirect_uri: REDIRECT_URI, request: await byRequestObject(other) }),
    'in a request object beside a right query': async (other) =>
      get({ ...site.request().query, request: await byRequestObject(other) }),
    'in a forged request object': async (other) => {
      const object = await byRequestObject(other);
      return get({ ...site.request().query, request: `${object.slice(0, -20)}${'A'.repeat(20)}` });
    },
    'in a request object behind a mark of its encoding': async (other) => {
      const body = `\uFEFF${JSON.stringify(site.requestClaims(other).claims)}`;
      return get({ ...site.request().query, request: await signJwt(body, site.header, site.key) });
    },
    'in a pushed request object': async (other) => push({ request: await byRequestObject(other) }),
    'beside a pushed request': async (other) => {
      const { query } = site.request();
      const { request_uri: uri } = (await push(query)).json<{ request_uri: string }>();
      return get({ client_id: site.clientId, request_uri: uri, ...other });
    },
  };

  it.each(Object.keys(CHANNELS))('T53 is refused %s, and not answered by it', async (channel) => {
    const before = await tickets();
    for (const other of OTHERS) {
      const { status, headers, body } = await (CHANNELS[channel] as Channel)(other);
      const what = JSON.stringify(other);
      expect([what, status], body.slice(0, 300)).toEqual([what, 400]);
      expect(headers.location, what).toBeUndefined();
      expect(body, what).not.toMatch(/postMessage|window\.opener|waitSecret|"request_uri"|<form/);
    }
    expect(await tickets()).toBe(before);
  });

  it('T53 is not in the metadata', async () => {
    const metadata = (await send(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({ response_types_supported: ['code'], response_modes_supported: MODES });
    expect(metadata.grant_types_supported).not.toContain('implicit');
  });
});

describe('a parameter given twice', () => {
  it('T38 is refused at /oauth/authorize by POST, in the form or once there and once in the query', async () => {
    const before = await tickets();
    const { query } = site.request();
    const others = {
      prompt: 'login',
      max_age: '1',
      login_hint: 'a',
      response_mode: 'query',
      request_uri: 'urn:x',
      request: 'x',
    };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const address = `${server.url}/oauth/authorize`;
    for (const [name, value] of Object.entries({ ...query, ...others })) {
      const once = new URLSearchParams({ ...query, [name]: value }).toString();
      const again = new URLSearchParams([[name, `${value}x`]]).toString();
      let answer = await send(address, { method: 'POST', headers: form, body: `${once}&${again}` });
      if (answer.status === 303) answer = await send(new URL(String(answer.headers.location), server.url).href);
      expect([name, answer.status, answer.headers.location]).toEqual([name, 400, undefined]);
      const apart = await send(`${address}?${again}`, { method: 'POST', headers: form, body: once });
      expect([name, apart.status, apart.headers.location]).toEqual([name, 400, undefined]);
    }
    expect(await tickets()).toBe(before);
  });

  it('T38 by POST makes no answer that holds a key twice', async () => {
    const { query } = site.request({ state: STATE, prompt: 'none' });
    const moved = await postTo(server, '/oauth/authorize', query);
    const answer = await send(new URL(String(moved.headers.location), server.url).href);
    const { searchParams } = new URL(String(answer.headers.location));
    expect([...searchParams.keys()].sort()).toEqual(['error', 'error_description', 'iss', 'state']);
    expect(searchParams.get('state')).toBe(STATE);
  });
});
