import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageData } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { type Phone, signIn } from '../support/phone.js';
import { beginSlowly } from '../support/raw-http.js';
import { wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

const PASSWORD = 'a long enough one';

describe('the phone’s session', () => {
  let server: TestApp;
  let phone: Phone & { username: string };
  let page: WaitingPage;
  beforeAll(async () => {
    server = await startApp();
    phone = await person(server.app, server);
    const site = await wechatSite(server.app, server);
    page = await openPage(server, site.request());
  });
  afterAll(() => server?.stop());

  const isSignedIn = (html: string) => html.includes('"scanToken"');
  /** Bytes as they are: what an HTTP client library would refuse to send. */
  const openWithCookie = (cookie: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const { host, port } = new URL(server.url);
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(`GET ${new URL(page.qr).pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nCookie: `);
        socket.write(cookie);
        socket.write('\r\n\r\n');
      });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });

  it('T19 is believed under its own name only, whatever blank a planted name begins with', async () => {
    expect(isSignedIn(await openWithCookie(Buffer.from(`other=1; ${phone.cookie}`)))).toBe(true);
    for (const prefix of [[0xa0], [0xc2, 0xa0], [0xe2, 0x80, 0x80], [0x85], [0x0b], [0xef, 0xbb, 0xbf]]) {
      const planted = Buffer.concat([Buffer.from('other=1; '), Buffer.from(prefix), Buffer.from(phone.cookie)]);
      expect(isSignedIn(await openWithCookie(planted)), prefix.join(' ')).toBe(false);
    }
  });

  it('T19 is not believed when there are two of them', async () => {
    const other = await person(server.app, server);
    const both = Buffer.from(`${phone.cookie}; ${other.cookie}`);
    expect(isSignedIn(await openWithCookie(both))).toBe(false);
  });

  it('T19 is a new one at every sign-in, and the one before it ends', async () => {
    const first = await signIn(server, phone.username, PASSWORD);
    const again = await first.post('/phone/sign-in', { username: phone.username, password: PASSWORD });
    const cookie = String(again.headers['set-cookie']).split(';')[0] as string;
    expect(cookie).not.toBe(first.cookie);
    expect(isSignedIn((await first.open(page.qr)).body)).toBe(false);
    expect(isSignedIn(await openWithCookie(Buffer.from(cookie)))).toBe(true);
  });

  it('T20 is judged when all of a request is there: what is half sent at the sign-out scans nothing', async () => {
    const slow = await person(server.app, server);
    const scanToken = new URL(page.qr).pathname.split('/').at(-1);
    const { csrf } = pageData<{ csrf: string }>((await slow.open(page.qr)).body);
    const begun = await beginSlowly(
      server.url,
      ['POST /phone/scan', `Origin: ${server.url}`, `Cookie: ${slow.cookie}`],
      JSON.stringify({ scan_token: scanToken, csrf }),
    );
    // Asks the same of the database, later.
    await slow.open(page.qr);
    expect((await slow.post('/phone/sign-out', {})).status).toBe(200);
    expect((await begun.finish()).status).toBe(401);
  });

  it('T19 ends at sign-out', async () => {
    const leaving = await signIn(server, phone.username, PASSWORD);
    expect((await leaving.post('/phone/sign-out', {})).status).toBe(200);
    expect(isSignedIn((await leaving.open(page.qr)).body)).toBe(false);
  });
});
