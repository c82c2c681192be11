/** T78: requests that are slow, endless or deep are ended early, with little read of them, while others are served. */
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp, until } from '../support/start-app.js';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** One of each kind: our JSON, our forms, the engine's forms, an address that reads no body. */
const DOORS = [
  ['POST', '/phone/sign-in', JSON_TYPE],
  ['POST', '/api/qr/tickets', JSON_TYPE],
  ['POST', '/sns/oauth2/access_token', FORM_TYPE],
  ['POST', '/oauth/authorize', FORM_TYPE],
  ['POST', '/oauth/token', FORM_TYPE],
  ['POST', '/oauth/par', FORM_TYPE],
  ['POST', '/oauth/userinfo', FORM_TYPE],
  ['POST', '/api/qr/tickets/x/renew', JSON_TYPE],
  ['GET', '/health/live', JSON_TYPE],
] as const;

/** To a body that is too large; where nobody reads one, what it is without. */
function answersOf(path: string): number[] {
  if (path === '/health/live') return [200];
  if (path.endsWith('/renew')) return [404];
  // WeChat's wire format has one status, and the engine says "malformed", or that such a client is not who it says.
  if (path.startsWith('/sns')) return [200];
  return path.startsWith('/oauth/') && path !== '/oauth/authorize' ? [400, 401] : [413];
}

/** Where only pages of ours may post. */
const isOurs = (path: string) => path.startsWith('/phone');

describe('a request that is slow, endless or deep', () => {
  let server: TestApp;
  let shop: WechatSite;
  let house: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    shop = await wechatSite(server.app, server);
    house = await oauthSite(server.app, server);
  });
  afterAll(() => server?.stop());
  afterEach(async () => expect((await send(`${server.url}/health/ready`)).status).toBe(200));

  /** A client that writes as it likes, and the server's end of its connection. */
  const dial = async (start: string) => {
    const accepted = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk));
    // Cut off while it writes.
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(start);
    return { socket, accepted: await accepted, closed, heard: () => heard };
  };
  const head = (method: string, path: string, ...fields: string[]) => {
    const own = [`Host: ${new URL(server.url).host}`, ...(isOurs(path) ? [`Origin: ${server.url}`] : [])];
    return `${[`${method} ${path} HTTP/1.1`, ...own, ...fields].join('\r\n')}\r\n\r\n`;
  };
  const post = (path: string, type: string, body: string | Buffer, headers = {}): Promise<RawAnswer> =>
    send(server.url + path, {
      method: 'POST',
      headers: { 'content-type': type, ...(isOurs(path) ? { origin: server.url } : {}), ...headers },
      body,
    });

  it('T78: has ten seconds for its headers and fifteen in all, and is cut off then, however busily it drips', async () => {
    const { server: http } = server.app;
    const limits = { headersTimeout: http.headersTimeout, requestTimeout: http.requestTimeout };
    expect(limits).toEqual({ headersTimeout: 10_000, requestTimeout: 15_000 });
    expect(http.keepAliveTimeout).toBe(5_000);
    // The same cut, sooner: Node looks at these again every second.
    Object.assign(http, { headersTimeout: 300, requestTimeout: 600 });
    try {
      const body = head('POST', '/phone/sign-in', `Content-Type: ${JSON_TYPE}`, 'Content-Length: 60000');
      const slow = [
        await dial(''),
        await dial('GET / HTTP/1.1\r\n'),
        await dial(body),
        await dial(`${body}{"username":"`),
      ];
      const dripping = setInterval(() => {
        for (const { socket } of slow.slice(1)) if (socket.writable) socket.write('a');
      }, 50);
      await Promise.all(slow.map(({ closed }) => closed)).finally(() => clearInterval(dripping));
      for (const { heard } of slow) expect(heard()).toMatch(/^(|HTTP\/1\.1 408 .*)/);
    } finally {
      Object.assign(http, limits);
    }
  });

  it.each(DOORS)(
    'T78: %s %s: of a body without end, chunked or announced, less than 1 MiB is read',
    async (method, path, type) => {
      const chunk = Buffer.alloc(65_536, 'a');
      for (const announced of ['Transfer-Encoding: chunked', 'Content-Length: 1000000000']) {
        const chunked = announced.startsWith('T');
        const { socket, accepted, closed, heard } = await dial(head(method, path, `Content-Type: ${type}`, announced));
        const write = () => {
          while (socket.writable && !socket.destroyed) {
            if (chunked) socket.write('10000\r\n');
            const more = socket.write(chunk);
            if (chunked) socket.write('\r\n');
            if (!more) return void socket.once('drain', write);
          }
        };
        write();
        await closed;
        expect(accepted.bytesRead, announced).toBeLessThan(1024 * 1024);
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(heard())?.[1]);
        expect([announced, status]).toEqual([announced, expect.toBeOneOf(answersOf(path))]);
      }
    },
  );

  it('T78: leaves the connection to whoever has a little left to send', async () => {
    const { socket, closed, heard } = await dial(
      head('POST', '/phone/sign-in', `Content-Type: ${JSON_TYPE}`, 'Content-Length: 200000'),
    );
    socket.write(Buffer.alloc(200_000, 'a'));
    await until(() => heard().includes('413'), 'it hears no answer');
    socket.write(head('GET', '/health/live', 'Connection: close'));
    await closed;
    expect(heard()).toMatch(/413[\s\S]*HTTP\/1\.1 200/);
  });

  it('T78: nested ten thousand deep it is malformed, at every door that reads JSON', async () => {
    const deep = {
      arrays: `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
      objects: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      'a field': `{"username":${'['.repeat(10_000)}${']'.repeat(10_000)},"password":"x"}`,
      unfinished: '['.repeat(60_000),
    };
    for (const [, path] of DOORS.filter(([, , type]) => type === JSON_TYPE).slice(0, 2)) {
      for (const [what, body] of Object.entries(deep)) {
        const answer = await post(path, JSON_TYPE, body);
        expect([path, what, answer.status, answer.json().error]).toEqual([path, what, 400, 'invalid_request']);
      }
    }
  });

  it('T78: of ten thousand headers it is refused, and of ten thousand fields', async () => {
    const names = Array.from({ length: 10_000 }, (_, turn) => `a${turn}`);
    const { closed, heard } = await dial(head('GET', '/', ...names.map((name) => `${name}: 1`)));
    await closed;
    expect(heard()).toMatch(/^HTTP\/1\.1 431 /);
    const few = names.slice(0, 101);
    const form = (fields: readonly string[]) => fields.map((name) => `${name}=`).join('&');
    expect((await send(`${server.url}/connect/qrconnect?${form(few)}`)).status).toBe(400);
    expect((await send(`${server.url}/connect/qrconnect?${form(names)}`, {})).status).toBe(431);
    // WeChat's wire format tells every refusal so.
    const refused = { errcode: expect.any(Number) };
    for (const fields of [few, names]) {
      expect((await post('/sns/oauth2/access_token', FORM_TYPE, form(fields))).json()).toMatchObject(refused);
    }
    for (const path of ['/oauth/token', '/oauth/par', '/oauth/authorize']) {
      expect([400, 401, 413]).toContain((await post(path, FORM_TYPE, form(names.slice(0, 9000)))).status);
    }
    const fields = JSON.stringify(Object.fromEntries(names.slice(0, 5000).map((name) => [name, 1])));
    expect((await post('/phone/sign-in', JSON_TYPE, fields)).status).toBe(400);
  });

  it('T78: is never unpacked: not gzip, not deflate, not br, whatever the door', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(56 * 1024);
    const body = gzipSync(`client_id=${house.clientId}&client_secret=${house.secret}&grant_type=client_credentials`);
    const appid = gzipSync(new URLSearchParams({ appid: shop.clientId, secret: shop.secret, code: 'x' }).toString());
    for (const encoding of ['gzip', 'deflate', 'br', 'GZIP', 'identity, gzip', 'x-gzip']) {
      const packed = { 'content-encoding': encoding };
      for (const [, path, type] of DOORS.filter(([method, path]) => method === 'POST' && !path.endsWith('renew'))) {
        for (const sent of [bomb, path.startsWith('/sns') ? appid : body]) {
          const { status, body: told } = await post(path, type, sent, packed);
          const what = [encoding, path, status, told.slice(0, 80)];
          if (path.startsWith('/sns')) expect(JSON.parse(told), String(what)).toMatchObject({ errcode: 40035 });
          else expect(path.startsWith('/oauth') ? [400, 401, 413, 415] : [415], String(what)).toContain(status);
        }
      }
    }
  });
});
