/** A client's life through the administration API, as the console's pages and programs use it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AtConsole, makeAdministrator, signInToConsole } from '../support/administrator.js';
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

    expect(await admin.call('DELETE', address)).toMatchObject({ status: 409 });
    expect(await admin.call('POST', `${address}/disable`, {})).toMatchObject({ status: 200, body: { disabled: true } });
    expect(await admin.call('POST', `${address}/enable`, {})).toMatchObject({ status: 200, body: { disabled: false } });
    await admin.call('POST', `${address}/disable`, {});
    expect((await admin.call('DELETE', address)).status).toBe(204);
    expect(await admin.call('GET', address)).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });
});
