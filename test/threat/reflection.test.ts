/** Group C of the threat model, T32 and T36: nothing a caller sends is ever markup, and no picture is known by ticket. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { REDIRECT_URI } from '../support/relying-party.js';
import { approve, forgetScans } from '../support/story.js';
import { openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const PRINTABLE = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => i + 0x20));

const MARK = 'zq9x';
const POLYGLOTS = [
  `${MARK}"'><svg/onload=alert(1)>{{7*7}}\${7*7}`,
  `${MARK}</script><script>"alert(1)"</script>`,
  `${MARK}"javascript:alert(1)//\\u003c`,
];
const OAUTH_NAMES = [
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
  'request_uri',
  'code_challenge',
  'code_challenge_method',
  'lang',
  'theme',
  'layout',
  'login_type',
  'self_redirect',
];
const WECHAT_NAMES = [
  'appid',
  'redirect_uri',
  'scope',
  'response_type',
  'lang',
  'style',
  'stylelite',
  'color_scheme',
  'self_redirect',
  'login_type',
  'href',
  'fast_login',
  'theme',
  'layout',
  'nonce',
  'client_id',
  'zq9xunknown',
];

describe('what a caller sends', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let anna: TicketHouse['anna'];

  beforeAll(async () => {
    ({ server, shop, house, anna } = await openTicketHouse());
  });
  afterAll(() => server?.stop());
  beforeEach(() => forgetScans(server.database));

  const connect = (query: Record<string, string> | string, headers: Record<string, string> = {}) =>
    send(`${server.url}/connect/qrconnect?${typeof query === 'string' ? query : new URLSearchParams(query)}`, {
      headers,
    });

  it('T32 refuses a polyglot in every OAuth parameter, and repeats none of it', async () => {
    for (const name of OAUTH_NAMES) {
      for (const value of [...POLYGLOTS, `${MARK}\u0000`, `${MARK}\r\nSet-Cookie: a=b`, `${MARK}\u2028"`]) {
        const answer = await connect(house.request({ [name]: value }).query);
        expect([name, value, answer.status]).toEqual([name, value, 400]);
        expect(`${answer.body}${JSON.stringify(answer.headers)}`).not.toContain(MARK);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
  });

  it('T32 falls back to the documented default in WeChat parameters, and repeats nothing', async () => {
    for (const name of WECHAT_NAMES) {
      for (const value of [...POLYGLOTS, `${MARK}\u0000`, `${MARK}\r\nSet-Cookie: a=b`, `${MARK}\u2028`]) {
        const answer = await connect({ ...shop.request(), [name]: value });
        expect([name, value, answer.status]).toEqual([name, value, 200]);
        expect(`${answer.body}${JSON.stringify(answer.headers)}`, name).not.toContain(MARK);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
    for (const bad of ['%00', '%0d%0aSet-Cookie:%20a=b', '%E2%80%A8', '%c3%28']) {
      const answer = await connect(`${new URLSearchParams(shop.request({ state: MARK }))}${bad}`);
      expect([bad, answer.status, answer.headers['set-cookie']]).toEqual([bad, 400, undefined]);
      expect(answer.body).not.toContain(MARK);
    }
  });

  it('T32 shows nothing of what was injected on the phone either', async () => {
    const odd = { scope: `openid ${MARK}<script>`, lang: 'en', ui_locales: MARK, login_hint: MARK, claims: MARK };
    const page = await openPage(server, house.request(odd).query);
    const shown = await anna.open(page.qr);
    expect(shown.status).toBe(200);
    expect(shown.body).not.toContain(`${MARK}<`);
    const scanned = await anna.scan(page.qr);
    expect(scanned.answer.json()).toMatchObject({ request: { scope: 'openid' } });
  });

  it('T32 returns state and nonce byte for byte, every printable character, and renders neither', async () => {
    const text = `${MARK}${PRINTABLE}</script><script>alert(1)</script>"'`;
    const { query, verifier } = house.request({ state: text, nonce: text });
    for (const request of [query, shop.request({ state: text })]) {
      const page = await openPage(server, request);
      expect(page.html).not.toContain(MARK);
      expect((await anna.open(page.qr)).body).not.toContain(MARK);
      await approve(anna, page);
      const { code, redirect_to: to, state } = (await page.redeem()).json<Record<string, string>>();
      expect([state, new URL(to as string).searchParams.get('state')]).toEqual([text, text]);
      expect(new URL(to as string).origin).toBe(new URL(REDIRECT_URI).origin);
      if (request !== query) continue;
      const tokens = (await house.exchange(code as string, verifier)).json<{ id_token: string }>();
      const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] as string, 'base64url').toString());
      expect(claims.nonce).toBe(text);
    }
    const handed = await openPage(server, house.request({ state: text }).query);
    await approve(anna, handed);
    const moved = await send((await handed.continue()).json<{ continue: string }>().continue);
    expect(new URL(String(moved.headers.location)).searchParams.get('state')).toBe(text);
  });

  it('T32 repeats no address it does not know', async () => {
    for (const value of [...POLYGLOTS, `${MARK}\u0000`, `${MARK}\r\nSet-Cookie: a=b`]) {
      const path = encodeURIComponent(value);
      for (const prefix of [
        '/s/',
        '/connect/continue/',
        '/interaction/',
        '/admin/setup?token=',
        '/api/qr/tickets/',
        '/assets/',
        '/picture/x/',
        '/',
        '/oauth/authorize?client_id=',
        '/?x=',
      ]) {
        const answer = await send(server.url, { path: `${prefix}${path}`, headers: { cookie: anna.cookie } });
        expect(`${answer.body}${JSON.stringify(answer.headers)}`, prefix).not.toContain(MARK);
        expect(answer.status, `${prefix}${path}`).toBeLessThan(500);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
  });

  it('T36 draws the QR code in the page, and knows no picture by ticket', async () => {
    const page = await openPage(server, shop.request());
    const scanToken = page.qr.split('/').pop() as string;
    expect(page.html).toMatch(/<div class="plate qrcode[^>]*><svg /);
    expect(page.html).not.toMatch(/<img[^>]+(qr|ticket)/i);
    for (const id of [page.ticketId, scanToken, page.waitSecret]) {
      expect(page.html).not.toMatch(new RegExp(`(alt|title|aria-label)="[^"]*${id}`));
      for (const route of [
        '/connect/qrcode/ID',
        '/connect/l/qrconnect?uuid=ID',
        '/qr/ID',
        '/qr/ID.png',
        '/s/ID.png',
        '/s/ID/qr',
        '/api/qr/ID',
        '/api/qr/tickets/ID.svg',
        '/api/qr/tickets/ID/qr',
        '/api/qr/tickets/ID/image',
        '/picture/ID/132',
        '/assets/ID.svg',
      ]) {
        const answer = await send(server.url, { path: route.replace('ID', id) });
        expect([route, [404, 410].includes(answer.status)]).toEqual([route, true]);
        expect(String(answer.headers['content-type'])).not.toMatch(/image/);
        expect(answer.body).not.toContain(id);
        expect(answer.body).not.toContain('wx_code');
      }
    }
    expect(page.headers['cache-control']).toBe('no-store');
  });
});
