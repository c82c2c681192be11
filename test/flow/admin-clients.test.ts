/** A client's life through the administration API, as the console's pages and programs use it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AtConsole, callConsole, makeAdministrator, signInToConsole } from '../support/administrator.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let admin: AtConsole;

beforeAll(async () => {
  server = await startApp();
  await makeAdministrator(server);
  admin = await signInToConsole(server);
});
afterAll(() => server.stop());

const SHOP = { name: 'My shop', redirect_uris: ['https://shop.example/callback'] };

describe('a client at the administration API', () => {
  it('is registered, changed, switched off and on, given a new secret, and deleted', async () => {
    const created = await admin.call('POST', '/admin/api/clients', SHOP);
    expect(created.status).toBe(201);
    const { client_id: id, client_secret: secret } = created.body;
    expect(secret).toMatch(/^[\w-]{43}$/);
    const address = `/admin/api/clients/${id}`;
    expect(created.headers.location).toBe(address);

    const renamed = await admin.call('PATCH', address, { name: 'My other shop', revision: created.body.revision });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'My other shop', changed: ['name'] } });
    const late = await admin.call('PATCH', address, { name: 'Mine', revision: created.body.revision });
    expect(late).toMatchObject({ status: 409, body: { error: 'conflict' } });

    const rotated = await admin.call('POST', `${address}/rotate-secret`, { grace_seconds: 60 });
    expect(rotated.status).toBe(200);
    expect(rotated.body.client_secret).not.toBe(secret);
    expect(rotated.body.secrets).toHaveLength(2);
    const again = await admin.call('POST', `${address}/rotate-secret`, { revision: renamed.body.revision });
    expect(again).toMatchObject({ status: 409, body: { error: 'conflict' } });
    const seen = await admin.call('POST', `${address}/rotate-secret`, { revision: rotated.body.revision });
    expect(seen).toMatchObject({ status: 200, body: { secrets: [{}, {}] } });

    expect(await admin.call('DELETE', address)).toMatchObject({ status: 409 });
    expect(await admin.call('POST', `${address}/disable`, {})).toMatchObject({ status: 200, body: { disabled: true } });
    expect(await admin.call('POST', `${address}/enable`, {})).toMatchObject({ status: 200, body: { disabled: false } });
    await admin.call('POST', `${address}/disable`, {});
    expect((await admin.call('DELETE', address)).status).toBe(204);
    expect(await admin.call('GET', address)).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });

  it('is refused and warned of in the reader’s language, settings called as in JSON for programs', async () => {
    const { secret } = await server.app.apiTokens.create('test', { name: 'ci', days: 1, readOnly: false });
    const call = (method: string, path: string, lang: string, body?: unknown) =>
      callConsole(server, method, path, body, { Authorization: `Bearer ${secret}`, 'Accept-Language': lang });
    const keyed = { ...SHOP, token_endpoint_auth_method: 'private_key_jwt' };
    for (const [lang, refusal, warning] of [
      ['en', 'private_key_jwt needs the public keys of the client: name them with jwks', /^without the match code/],
      ['zh-CN', /private_key_jwt.*“?jwks”?/, /两位数字/],
    ] as const) {
      const refused = await call('POST', '/admin/api/clients', lang, keyed);
      expect([refused.status, refused.body.error_description]).toEqual([
        400,
        typeof refusal === 'string' ? refusal : expect.stringMatching(refusal),
      ]);
      const created = await call('POST', '/admin/api/clients', lang, { ...SHOP, match_code: 'off' });
      const shown = await call('GET', `/admin/api/clients/${created.body.client_id}`, lang);
      for (const { body } of [created, shown]) expect(body.warnings).toEqual([expect.stringMatching(warning)]);
    }
  });

  it('is refused with everything that is wrong, in one sentence and one by one', async () => {
    const wrong = { name: '', redirect_uris: ['http://shop.example/', 'https://shop.example/*'] };
    const { status, body } = await admin.call('POST', '/admin/api/clients', wrong);
    expect([status, body.problems]).toEqual([
      400,
      [
        'the name is empty',
        expect.stringMatching(/^redirect URI "http:.* must be https/),
        expect.stringMatching(/\*" holds a wildcard/),
      ],
    ]);
    expect(body.error_description).toBe((body.problems as string[]).join('; '));
  });

  it('changes only what is named, upon the revision that was named, and takes nothing away that every client has', async () => {
    const { body } = await admin.call('POST', '/admin/api/clients', SHOP);
    const change = (changes: object) => admin.call('PATCH', `/admin/api/clients/${body.client_id}`, changes);
    expect(await change({ union: 'books', revision: 0 })).toMatchObject({ status: 400 });
    expect(await change({ union: 'books', new_unionids: true, revision: 0 })).toMatchObject({
      status: 200,
      body: { revision: 1, changed: ['union_name'], redirect_uris: SHOP.redirect_uris },
    });
    expect(await change({ name: 'Another', revision: 0 })).toMatchObject({ status: 409, body: { error: 'conflict' } });
    expect((await change({ match_code: null })).status).toBe(400);
    expect(await change({ union: null, new_unionids: true })).toMatchObject({ status: 200, body: { union: null } });
  });

  it('is shown with the warning of a callback domain, from its registration on', async () => {
    const cafe = { name: 'Cafe', dialect: 'wechat', callback_domain: 'cafe.example' };
    const created = await admin.call('POST', '/admin/api/clients', cafe);
    const shown = await admin.call('GET', `/admin/api/clients/${created.body.client_id}`);
    const listed = await admin.call('GET', '/admin/api/clients');
    const inList = (listed.body.clients as Array<{ client_id: string; warnings: string[] }>).find(
      ({ client_id: id }) => id === created.body.client_id,
    );
    for (const { warnings } of [created.body, shown.body, inList as object] as Array<{ warnings: string[] }>)
      expect(warnings.join()).toMatch(/a callback domain accepts any address on cafe\.example/);
  });

  it('tells whether a redirect URI would be let in, and why', async () => {
    const { body } = await admin.call('POST', '/admin/api/clients', SHOP);
    const check = async (redirect_uri: string) => {
      const answer = await admin.call('POST', `/admin/api/clients/${body.client_id}/check-redirect-uri`, {
        redirect_uri,
      });
      return [answer.body.allowed, answer.body.reason];
    };
    const known = SHOP.redirect_uris[0];
    expect(await check(`${known}`)).toEqual([true, 'it is registered, to the last character']);
    expect(await check(`${known}/`)).toEqual([false, `the path is another one than in ${known}`]);
    expect(await check(`http${known?.slice(5)}`)).toEqual([false, `the scheme is another one than in ${known}`]);
    expect(await check(`${known}?a=b`)).toEqual([false, `the query is another one than in ${known}`]);
    expect(await check('https://SHOP.example/callback')).toEqual([false, `it is written in another way than ${known}`]);
    expect(await check('https://evil.example/callback')).toEqual([false, 'no redirect URI on this host is registered']);
    expect(await check('callback')).toEqual([false, 'it is not an absolute URL']);
  });
});
