/** Group C and J of the threat model, what HTTP can show of T31 and T94: whose style sheet a page may load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageData, type RawAnswer, send } from '../support/http.js';
import { openPage } from '../support/page.js';
import { startPlainSite } from '../support/plain-site.js';
import { type WechatSite, wechatSite } from '../support/relying-party.js';
import { openTicketHouse, type TicketHouse } from '../support/ticket-house.js';

const SHEET = 'https://cdn.example/zq9x/login.css';
const INLINE = `data:text/css;base64,${Buffer.from('.zq9x{}').toString('base64')}`;
const FRAMED = { 'sec-fetch-dest': 'iframe', referer: 'http://127.0.0.1:9/' };

/** What tries to be a style sheet, or to break out of a value that is none. */
const TRIES: Array<Record<string, string>> = [
  { href: SHEET },
  { href: `${SHEET};script-src *` },
  { href: INLINE },
  { href: 'data:text/css,.zq9x{}' },
  { href: 'javascript:zq9x' },
  { href: '"><link rel=stylesheet href=//zq9x>' },
  { style: 'zq9x;}' },
  { style: `white"><link rel=stylesheet href=${SHEET}>` },
  { bgcolor: 'red;background:url(//zq9x)' },
  { stylelite: '1"><style>.zq9x{}</style>' },
  { color_scheme: 'dark;zq9x:url(//zq9x)' },
  { styletype: SHEET, sizetype: SHEET, rst: SHEET },
  { css: SHEET, styleSheet: SHEET, style_sheet: SHEET },
];

describe('a caller’s style', () => {
  let server: TicketHouse['server'];
  let shop: TicketHouse['shop'];
  let house: TicketHouse['house'];
  let dressed: WechatSite;

  beforeAll(async () => {
    ({ server, shop, house } = await openTicketHouse());
    dressed = await wechatSite(server.app, server, { styleSheets: true });
  });
  afterAll(() => server?.stop());

  const connect = (query: Record<string, string>, headers: Record<string, string> = {}) =>
    send(`${server.url}/connect/qrconnect?${new URLSearchParams(query)}`, { headers });
  const nonceOf = (answer: RawAnswer) => /nonce="([\w-]+)"/.exec(answer.body)?.[1] as string;
  const policyOf = (answer: RawAnswer) =>
    String(answer.headers['content-security-policy']).replaceAll(nonceOf(answer), 'NONCE');
  /** The page without what differs from ticket to ticket. */
  const bodyOf = (answer: RawAnswer) =>
    answer.body
      .replaceAll(nonceOf(answer), 'NONCE')
      .replace(/<svg[^>]*crispEdges.*?<\/svg>/s, '')
      .replace(/"ticketId":"[^"]*","waitSecret":"[^"]*"/, '')
      .replace(/\/s\/[\w-]+/, '');

  const expectAsPlain = (answer: RawAnswer, plain: RawAnswer, name: string) => {
    expect([name, answer.status]).toEqual([name, 200]);
    expect(policyOf(answer), name).toBe(policyOf(plain));
    expect(bodyOf(answer), name).toBe(bodyOf(plain));
    expect(`${answer.body}${JSON.stringify(answer.headers)}`, name).not.toMatch(/zq9x|data:text/);
  };

  it('T31 changes nothing of any page, and is repeated nowhere', async () => {
    for (const headers of [{}, FRAMED]) {
      const plain = await connect(shop.request(), headers);
      expect(policyOf(plain)).toContain("; style-src 'nonce-NONCE'; img-src 'self' data:; connect-src 'self' ");
      for (const wish of TRIES) {
        const name = JSON.stringify([wish, headers]);
        expectAsPlain(await connect(shop.request(wish), headers), plain, name);
      }
    }
  });

  it('T31 changes nothing of an OAuth page', async () => {
    for (const headers of [{}, FRAMED]) {
      const plain = await connect(house.request().query, headers);
      for (const wish of TRIES) {
        // Names this dialect has are read strictly; the others are nobody's.
        const { query } = house.request(wish);
        expectAsPlain(await connect(query, headers), plain, JSON.stringify([wish, headers]));
      }
    }
  });

  it('T94 is loaded for a client that may, in a frame, and is the only thing the policy adds', async () => {
    const plain = policyOf(await connect(dressed.request(), FRAMED));
    const expected = (source: string) =>
      plain.replace(
        "style-src 'nonce-NONCE'; img-src 'self' data:;",
        `style-src 'nonce-NONCE' ${source}; img-src data:; font-src 'none';`,
      );
    for (const [href, source] of [
      [`${SHEET}?v=1`, SHEET],
      ['https://cdn.example/zq9x;script-src *,x.css', 'https://cdn.example/zq9x%3Bscript-src%20*%2Cx.css'],
      [INLINE, 'data:'],
      ['http://127.0.0.1:9/login.css', 'http://127.0.0.1:9/login.css'],
    ] as const) {
      const answer = await connect(dressed.request({ href }), FRAMED);
      expect(policyOf(answer), href).toBe(expected(source));
      expect(answer.headers['x-frame-options']).toBeUndefined();
      expect(pageData(answer.body).styleSheet, href).toBeTypeOf('string');
      // Nothing but our own files is loaded by markup: the script brings the sheet in, where it belongs.
      const links = [...answer.body.matchAll(/<link rel="stylesheet" href="([^"]*)"/g)].map((found) => found[1]);
      expect(links.filter((link) => !link?.startsWith('/assets/'))).toEqual([]);
      expect(answer.body).not.toMatch(/<style|\sstyle=/);
    }
  });

  it('T94 is ignored in a full page, a compact one, without the switch, and when it is no sheet', async () => {
    const cases: Array<[WechatSite, Record<string, string>, Record<string, string>]> = [
      [dressed, {}, {}],
      [dressed, {}, { 'sec-fetch-dest': 'document' }],
      [dressed, {}, { 'sec-fetch-dest': 'empty' }],
      [dressed, { stylelite: '1' }, FRAMED],
      [shop, {}, FRAMED],
    ];
    for (const [site, more, headers] of cases) {
      const plain = await connect(site.request(more), headers);
      for (const href of [SHEET, INLINE]) {
        const name = JSON.stringify([more, headers, href]);
        expectAsPlain(await connect(site.request({ ...more, href }), headers), plain, name);
      }
    }
    const plain = await connect(dressed.request(), FRAMED);
    for (const wish of TRIES.filter(({ href }) => !href || !/^(https|data:text\/css)/.test(href))) {
      expectAsPlain(await connect(dressed.request(wish), FRAMED), plain, JSON.stringify(wish));
    }
  });

  it('T94 is not fetched by the server, and stands in no log', async () => {
    const site = await startPlainSite();
    const answer = await connect(dressed.request({ href: site.put('/zq9x.css', '') }), FRAMED);
    expect(pageData(answer.body).styleSheet).toBe(`${site.url}/zq9x.css`);
    expect(site.asked).toEqual([]);
    await site.stop();
    expect(server.log()).not.toContain('zq9x');
  });

  it('T94 stands beside no ticket id, wait secret or scan token in any attribute', async () => {
    const page = await openPage(server, dressed.request({ href: SHEET }), FRAMED);
    const attributes = [...page.html.matchAll(/\s[\w-]+="([^"]*)"/g)].map((found) => found[1] as string);
    expect(attributes.length).toBeGreaterThan(50);
    const scanToken = page.qr.split('/').pop() as string;
    for (const secret of [page.ticketId, page.waitSecret, scanToken]) {
      expect(attributes.filter((value) => value.includes(secret))).toEqual([]);
    }
    // In markup outside the data block the token is nowhere at all.
    expect(page.html).not.toContain(scanToken);
  });
});
