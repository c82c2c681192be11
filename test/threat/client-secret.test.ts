import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from '../../src/secret.js';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

const UNKNOWN_CLIENT = 'qc0000000000000000';
const UNKNOWN_APP = 'wx0000000000000000';
const MEGABYTE = 'a'.repeat(1024 * 1024);
const LIMIT = 20;

type Credentials = { clientId: string; secret: string };
interface Ask {
  from?: string;
  path?: string;
  method?: string;
  authorization?: string;
}

let server: TestApp;
let basic: OauthSite;
let post: OauthSite;
let shop: WechatSite;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  basic = await oauthSite(server.app, server);
  post = await oauthSite(server.app, server, { authMethod: 'client_secret_post' });
  shop = await wechatSite(server.app, server);
});
afterAll(() => server?.stop());

/** Nobody else calls from here: failures are counted by address. */
let addresses = 0;
const newAddress = () => {
  addresses += 1;
  return `198.18.${addresses >> 8}.${addresses & 255}`;
};
const header = (clientId: string, secret: string) => `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
const twice = (clientId: string, ...secrets: string[]) =>
  `client_id=${clientId}${secrets.map((secret) => `&client_secret=${secret}`).join('')}`;
const prefixes = (secret: string) => [secret.slice(0, -1), secret.slice(0, 20), `${secret.slice(0, -1)}!`];

const form = (more: Record<string, string>) =>
  new URLSearchParams({ grant_type: 'authorization_code', code: 'unknown', redirect_uri: REDIRECT_URI, ...more });
const ask = (body: string, { from = newAddress(), path = '/oauth/token', authorization }: Ask = {}) =>
  send(server.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': from,
      ...(authorization ? { authorization } : {}),
    },
    body: `${form({})}&${body}`,
  });
const askBasic = ({ clientId, secret }: Credentials, more: Ask = {}) =>
  ask('', { ...more, authorization: header(clientId, secret) });
const askPost = ({ clientId, secret }: Credentials, more: Ask = {}) =>
  ask(new URLSearchParams({ client_id: clientId, client_secret: secret }).toString(), more);
const askWechat = (query: Record<string, string>, { from = newAddress(), method = 'GET' }: Ask = {}) => {
  const text = new URLSearchParams({ grant_type: 'authorization_code', code: 'unknown', ...query }).toString();
  const address = `${server.url}/sns/oauth2/access_token`;
  const headers = { 'x-forwarded-for': from };
  if (method === 'GET') return send(`${address}?${text}`, { headers });
  return send(address, {
    method,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: text,
  });
};
/** All that an answer tells. */
const told = ({ status, headers: { date: _, ...headers }, body }: RawAnswer) => ({ status, headers, body });
/** The client is who it says; only the code is not good. */
const expectKnown = (answer: RawAnswer) => expect([answer.status, answer.json().error]).toEqual([400, 'invalid_grant']);
const expectRefused = (answer: RawAnswer) =>
  expect([answer.status, answer.json()]).toEqual([
    401,
    { error: 'invalid_client', error_description: 'client authentication failed' },
  ]);
const expectLimited = (answer: RawAnswer) => {
  expect([answer.status, answer.json().error]).toEqual([429, 'too_many_requests']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(60);
  expect(answer.headers['www-authenticate']).toBeUndefined();
};

describe.each(['/oauth/token', '/oauth/par'])('a client secret at %s', (path) => {
  const bySecret = (): Array<[string, (clientId: string) => Promise<RawAnswer>]> => [
    ['wrong, by Basic', (clientId) => askBasic({ clientId, secret: newSecret() }, { path })],
    ['empty, by Basic', (clientId) => askBasic({ clientId, secret: '' }, { path })],
    ['long, by Basic', (clientId) => askBasic({ clientId, secret: 'a'.repeat(8000) }, { path })],
    ...prefixes(basic.secret).map(
      (secret, i) =>
        [`right prefix ${i}, by Basic`, (clientId: string) => askBasic({ clientId, secret }, { path })] as [
          string,
          (clientId: string) => Promise<RawAnswer>,
        ],
    ),
  ];
  const byPost = (): Array<[string, (clientId: string) => Promise<RawAnswer>]> => [
    ['none', (clientId) => ask(`client_id=${clientId}`, { path })],
    ['wrong, by post', (clientId) => askPost({ clientId, secret: newSecret() }, { path })],
    ['empty, by post', (clientId) => askPost({ clientId, secret: '' }, { path })],
    ['the right one twice', (clientId) => ask(twice(clientId, post.secret, post.secret), { path })],
    ['the right one and another', (clientId) => ask(twice(clientId, 'other', post.secret), { path })],
    ['as an array', (clientId) => ask(`client_id=${clientId}&client_secret[]=${post.secret}`, { path })],
    ['50 KB', (clientId) => askPost({ clientId, secret: 'a'.repeat(50_000) }, { path })],
    ['1 MB', (clientId) => askPost({ clientId, secret: MEGABYTE }, { path })],
    ['1 MB after the right one', (clientId) => ask(twice(clientId, post.secret, MEGABYTE), { path })],
    ...prefixes(post.secret).map(
      (secret, i) =>
        [`right prefix ${i}, by post`, (clientId: string) => askPost({ clientId, secret }, { path })] as [
          string,
          (clientId: string) => Promise<RawAnswer>,
        ],
    ),
  ];

  it('T56 is answered alike when it is wrong, empty, given twice, huge or begun rightly, and for a client unknown', async () => {
    for (const [clientId, tries] of [
      [basic.clientId, bySecret()],
      [post.clientId, byPost()],
    ] as const) {
      const alike: string[] = [];
      for (const [what, tryAs] of tries) {
        const [known, unknown] = [await tryAs(clientId), await tryAs(UNKNOWN_CLIENT)];
        expect([what, told(known)]).toEqual([what, told(unknown)]);
        expectRefused(known);
        alike.push(JSON.stringify(told(known)));
      }
      expect([...new Set(alike)]).toEqual([alike[0]]);
    }
  });

  it('T56 is answered in JSON, whatever is accepted', async () => {
    const answer = await send(server.url + path, {
      method: 'POST',
      headers: { accept: 'text/html', 'x-forwarded-for': newAddress(), authorization: header(basic.clientId, 'wrong') },
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expectRefused(answer);
  });

  it('T56 is taken by the one method its client is registered for', async () => {
    expectRefused(await askPost(basic, { path }));
    expectRefused(await askBasic(post, { path }));
    const open = await oauthSite(server.app, server, { authMethod: 'none' });
    expectRefused(await askPost({ clientId: open.clientId, secret: basic.secret }, { path }));
    expectRefused(await askBasic({ clientId: open.clientId, secret: basic.secret }, { path }));
  });

  it('T56 is not taken by two methods at once, right or wrong', async () => {
    for (const inBody of [basic.secret, 'wrong']) {
      const body = new URLSearchParams({ client_id: basic.clientId, client_secret: inBody }).toString();
      const answer = await ask(body, { path, authorization: header(basic.clientId, basic.secret) });
      expect([answer.status, answer.json().error]).toEqual([400, 'invalid_request']);
    }
  });

  it('T56 may be guessed twenty times a minute, and then not even the right one is looked at', async () => {
    const site = await oauthSite(server.app, server);
    const other = await oauthSite(server.app, server);
    const [from, elsewhere] = [newAddress(), newAddress()];
    for (let i = 0; i < LIMIT; i += 1) expectRefused(await askBasic({ ...site, secret: newSecret() }, { path, from }));
    expectLimited(await askBasic({ ...site, secret: newSecret() }, { path, from }));
    expectLimited(await askBasic(site, { path, from }));
    // The other endpoint takes the same secret.
    expectLimited(await askBasic(site, { path: path === '/oauth/par' ? '/oauth/token' : '/oauth/par', from }));
    expectKnown(await askBasic(site, { from: elsewhere }));
    expectKnown(await askBasic(other, { from }));
  });
});

describe('guessing', () => {
  it('T56 is counted for clients that do not exist as for those that do', async () => {
    const from = newAddress();
    for (let i = 0; i < LIMIT; i += 1) {
      expectRefused(await askPost({ clientId: `${UNKNOWN_CLIENT}${i}`, secret: 'wrong' }, { from }));
    }
    expectLimited(await askPost({ clientId: UNKNOWN_CLIENT, secret: 'wrong' }, { from }));
    expectKnown(await askPost(post, { from }));
  });

  it('T56 by many requests at once ends at the same number', async () => {
    const site = await oauthSite(server.app, server);
    const from = newAddress();
    const tries = Array.from({ length: 60 }, () => askBasic({ ...site, secret: newSecret() }, { from }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT);
    expect(statuses.filter((status) => status === 429)).toHaveLength(60 - LIMIT);
  });

  it('T56 is not counted when the secret is right, however often', async () => {
    const from = newAddress();
    for (let i = 0; i < LIMIT + 5; i += 1) expectKnown(await askBasic(basic, { from }));
  });

  it('T56 at both doors is one count', async () => {
    const site = await wechatSite(server.app, server);
    const [from, elsewhere] = [newAddress(), newAddress()];
    for (let i = 0; i < LIMIT / 2; i += 1) {
      const answer = await askWechat({ appid: site.clientId, secret: newSecret() }, { from });
      expect(answer.json().errcode).toBe(40125);
      expectRefused(await askPost({ clientId: site.clientId, secret: newSecret() }, { from }));
    }
    const answer = await askWechat({ appid: site.clientId, secret: site.secret }, { from });
    expect([answer.status, answer.json().errcode]).toEqual([200, 45011]);
    expectLimited(await askPost(site, { from }));
    expect((await askWechat({ appid: site.clientId, secret: site.secret }, { from: elsewhere })).json().errcode).toBe(
      40029,
    );
  });
});

describe.each(['GET', 'POST'])('an app secret at /sns by %s', (method) => {
  it('T56 is answered alike when it is wrong or begun rightly', async () => {
    for (const secret of [newSecret(), 'x', 'a'.repeat(5000), ...prefixes(shop.secret)]) {
      const answer = await askWechat({ appid: shop.clientId, secret }, { method });
      expect([secret, answer.status, answer.json().errcode]).toEqual([secret, 200, 40125]);
      // The table of the wire format has its own word for an unknown appid, before any secret.
      expect((await askWechat({ appid: UNKNOWN_APP, secret }, { method })).json().errcode).toBe(40013);
    }
    expect((await askWechat({ appid: shop.clientId, secret: '' }, { method })).json().errcode).toBe(41004);
  });

  it('T56 is not read when it comes twice or is huge, right or not', async () => {
    const address = `${server.url}/sns/oauth2/access_token`;
    const text = `appid=${shop.clientId}&secret=${shop.secret}&secret=${shop.secret}&grant_type=authorization_code&code=x`;
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': newAddress() },
      body: text,
    };
    const answer = method === 'GET' ? await send(`${address}?${text}`) : await send(address, options);
    expect(answer.json().errcode).toBe(40035);
    const huge = await askWechat({ appid: shop.clientId, secret: MEGABYTE.slice(0, 100_000) }, { method: 'POST' });
    expect(huge.json().errcode).toBe(40035);
  });

  it('T56 may be guessed twenty times a minute, and then not even the right one is looked at', async () => {
    const site = await wechatSite(server.app, server);
    const [from, elsewhere] = [newAddress(), newAddress()];
    const errcode = async (more: Partial<Credentials> = {}, at = from) => {
      const { clientId, secret } = { ...site, ...more };
      const answer = await askWechat({ appid: clientId, secret }, { method, from: at });
      expect(answer.status).toBe(200);
      return answer.json().errcode;
    };
    for (let i = 0; i < LIMIT; i += 1) expect(await errcode({ secret: newSecret() })).toBe(40125);
    expect(await errcode({ secret: newSecret() })).toBe(45011);
    expect(await errcode()).toBe(45011);
    expect(await errcode({}, elsewhere)).toBe(40029);
    expect(await errcode(shop)).toBe(40029);
  });
});

describe('a secret that is replaced', () => {
  const oauthKnows = async (clientId: string, secret: string) =>
    (await askBasic({ clientId, secret })).json().error === 'invalid_grant';
  const wechatKnows = async (clientId: string, secret: string) =>
    (await askWechat({ appid: clientId, secret })).json().errcode === 40029;

  it.each([
    ['oauth', () => oauthSite(server.app, server), oauthKnows],
    ['wechat', () => wechatSite(server.app, server), wechatKnows],
  ] as const)('T56 %s: works until the grace is over and not after, as one of two at most', async (_, make, knows) => {
    const { clientId, secret } = await make();
    const rotate = async (grace: number) =>
      (await server.app.clients.rotateSecret('test', clientId, grace)).secret as string;
    const second = await rotate(3600);
    expect(second).not.toBe(secret);
    for (const known of [secret, second]) expect(await knows(clientId, known)).toBe(true);
    await server.database.sql(
      `UPDATE client SET secrets = jsonb_set(secrets, '{1,expiresAt}', to_jsonb(now() - interval '1 second')) WHERE id = $1`,
      [clientId],
    );
    expect([await knows(clientId, secret), await knows(clientId, second)]).toEqual([false, true]);
    const third = await rotate(3600);
    const fourth = await rotate(3600);
    expect([await knows(clientId, second), await knows(clientId, third), await knows(clientId, fourth)]).toEqual([
      false,
      true,
      true,
    ]);
    const last = await rotate(0);
    expect([await knows(clientId, fourth), await knows(clientId, last)]).toEqual([false, true]);
  });

  it('T52 is worth nothing while its client is disabled, at once', async () => {
    const [site, app] = [await oauthSite(server.app, server), await wechatSite(server.app, server)];
    for (const { clientId } of [site, app]) await server.app.clients.disable('test', clientId);
    expectRefused(await askBasic(site));
    expect(await wechatKnows(app.clientId, app.secret)).toBe(false);
    for (const { clientId } of [site, app]) await server.app.clients.enable('test', clientId);
    expectKnown(await askBasic(site));
    expect(await wechatKnows(app.clientId, app.secret)).toBe(true);
  });
});
