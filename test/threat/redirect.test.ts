/** T37: a browser is sent to an address that is registered, byte for byte, and to no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

const REGISTERED = 'https://shop.example/cb/in';

/** Everything that has ever passed a redirect check it should not have passed. */
const VARIANTS = [
  'https://shop.example/cb/in/',
  'https://shop.example/cb/in?',
  'https://shop.example/cb/in?a=1',
  'https://shop.example/cb/in#',
  'https://shop.example/cb/in#a',
  'https://shop.example/cb/in/deeper',
  'https://shop.example/cb/inside',
  'https://shop.example/cb/i',
  'https://shop.example/cb',
  'https://shop.example/',
  'https://shop.example',
  'https://shop.example/CB/in',
  'https://shop.example//cb/in',
  'https://shop.example/cb//in',
  'https://shop.example/./cb/in',
  'https://shop.example/x/../cb/in',
  'https://shop.example/cb/in/..',
  'https://shop.example/cb/in/../../evil',
  'https://shop.example/cb/in/..;/evil',
  'https://shop.example/cb/in;x',
  'https://shop.example/cb/%69n',
  'https://shop.example/cb%2fin',
  'https://shop.example/cb/in%00',
  'https://shop.example/cb/in%2e%2e',
  'https://shop.example/cb/in%0d%0aX:y',
  'https://shop.example/cb\\in',
  'https://shop.example\\@evil.example/cb/in',
  'https://SHOP.example/cb/in',
  'HTTPS://shop.example/cb/in',
  'http://shop.example/cb/in',
  'https:shop.example/cb/in',
  'https:/shop.example/cb/in',
  'https:///shop.example/cb/in',
  '//shop.example/cb/in',
  '/cb/in',
  'shop.example/cb/in',
  'https://shop.example:443/cb/in',
  'https://shop.example:/cb/in',
  'https://shop.example:8443/cb/in',
  'https://shop.example./cb/in',
  'https://www.shop.example/cb/in',
  'https://shop.example.evil.example/cb/in',
  'https://evilshop.example/cb/in',
  'https://evil.example/https://shop.example/cb/in',
  'https://evil.example/?https://shop.example/cb/in',
  'https://evil.example#https://shop.example/cb/in',
  'https://u@shop.example/cb/in',
  'https://shop.example@evil.example/cb/in',
  'https://evil.example@shop.example/cb/in',
  'https://shop.example:x@evil.example/cb/in',
  'https://a@b@shop.example/cb/in',
  'https://shop.example&@evil.example/cb/in',
  'https://shop。example/cb/in',
  'https://shoр.example/cb/in',
  'https://shop.example/cb/in ',
  ' https://shop.example/cb/in',
  'https://shop.example/cb/in\t',
  'https://shop.example/cb/in\r\n',
  'https://shop.example/cb/in\u0000',
  'https://shop.example/cb/in https://evil.example/',
  'https://*.example/cb/in',
  'https://shop.example/*',
  'http://127.0.0.1/cb/in',
  'http://localhost/cb/in',
  'http://localhost.evil.example/cb/in',
  'javascript:alert(1)//https://shop.example/cb/in',
  'data:text/html,https://shop.example/cb/in',
  'com.example.app:/cb/in',
  'null',
  '*',
  '',
];

describe('where a browser is sent', () => {
  let server: TestApp;
  let shop: WechatSite;
  let house: OauthSite;
  let native: OauthSite;

  beforeAll(async () => {
    server = await startApp();
    shop = await wechatSite(server.app, server, { redirectUris: [REGISTERED] });
    house = await oauthSite(server.app, server, { redirectUris: [REGISTERED] });
    native = await oauthSite(server.app, server, {
      redirectUris: ['http://127.0.0.1/cb/in'],
      applicationType: 'native',
      authMethod: 'none',
    });
  });
  afterAll(() => server?.stop());

  const counts = async () => {
    const [row] = await server.database.sql(
      "SELECT (SELECT count(*) FROM ticket)::int AS tickets, (SELECT count(*) FROM engine_record WHERE kind = 'Interaction')::int AS requests",
    );
    return row;
  };
  const at = (path: string, query: Record<string, string>) =>
    send(`${server.url}${path}?${new URLSearchParams(query)}`);
  const without = ({ redirect_uri: _, ...rest }: Record<string, string>) => rest as Record<string, string>;

  it('T37 accepts the registered address itself at each door', async () => {
    expect((await at('/connect/qrconnect', shop.request({ redirect_uri: REGISTERED }))).body).toContain(
      'id="page-data"',
    );
    expect((await at('/connect/qrconnect', house.request({ redirect_uri: REGISTERED }).query)).status).toBe(200);
    expect((await at('/oauth/authorize', house.request({ redirect_uri: REGISTERED }).query)).headers.location).toMatch(
      /^\/interaction\//,
    );
  });

  it(`T37 refuses ${VARIANTS.length} variants of it at every door: a page, no Location, nothing begun`, async () => {
    const before = await counts();
    for (const uri of VARIANTS) {
      const doors = [
        [
          '/connect/qrconnect',
          shop.request({ redirect_uri: uri }),
          200,
          /"qrconnect-error" content="wechat_redirect_uri"/,
        ],
        [
          '/connect/qrconnect',
          house.request({ redirect_uri: uri }).query,
          400,
          /"qrconnect-error" content="invalid_\w+"/,
        ],
        [
          '/oauth/authorize',
          house.request({ redirect_uri: uri }).query,
          400,
          /"qrconnect-error" content="invalid_\w+"/,
        ],
      ] as const;
      for (const [path, query, status, reason] of doors) {
        const answer = await at(path, query as Record<string, string>);
        expect([uri, path, answer.status, answer.headers.location]).toEqual([uri, path, status, undefined]);
        expect(answer.body, uri).toMatch(reason);
        expect(answer.body).not.toContain('page-data');
      }
    }
    expect(await counts()).toEqual(before);
  });

  it('T37 asks for a redirect_uri even where only one is registered, and for one only', async () => {
    const before = await counts();
    const twice = `&${new URLSearchParams({ redirect_uri: REGISTERED })}&${new URLSearchParams({ redirect_uri: 'https://evil.example/' })}`;
    for (const [path, query] of [
      ['/connect/qrconnect', without(shop.request())],
      ['/connect/qrconnect', without(house.request().query)],
      ['/oauth/authorize', without(house.request().query)],
    ] as const) {
      const missing = await at(path, query);
      expect([path, missing.headers.location]).toEqual([path, undefined]);
      expect(missing.body).toContain('"qrconnect-error"');
      const doubled = await send(`${server.url}${path}?${new URLSearchParams(query)}${twice}`);
      expect([path, doubled.status, doubled.headers.location]).toEqual([path, 400, undefined]);
    }
    expect(await counts()).toEqual(before);
  });

  it('T37 lets a native app choose its loopback port at every door, and nothing else', async () => {
    const ask = (path: string, uri: string) => at(path, native.request({ redirect_uri: uri }).query);
    for (const uri of ['http://127.0.0.1/cb/in', 'http://127.0.0.1:51004/cb/in']) {
      expect((await ask('/connect/qrconnect', uri)).status, uri).toBe(200);
      expect((await ask('/oauth/authorize', uri)).headers.location, uri).toMatch(/^\/interaction\//);
    }
    for (const uri of [
      'http://localhost:51004/cb/in',
      'http://[::1]:51004/cb/in',
      'http://127.0.0.2:51004/cb/in',
      'https://127.0.0.1:51004/cb/in',
      'http://127.0.0.1:51004/cb/in?x',
      'http://127.0.0.1:51004@evil.example/cb/in',
      'http://127.0.0.1.evil.example:51004/cb/in',
      'http://127.0.0.1:99999/cb/in',
    ]) {
      for (const path of ['/connect/qrconnect', '/oauth/authorize']) {
        const answer = await ask(path, uri);
        expect([uri, path, answer.status, answer.headers.location]).toEqual([uri, path, 400, undefined]);
      }
    }
  });
});
