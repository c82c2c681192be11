/** The administration API's OpenAPI document: true to the routes, to what is answered, and to OpenAPI 3.1. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { ADMIN_API } from '../../src/http/admin/openapi.js';
import { adminRoutes } from '../support/admin-routes.js';
import {
  type Answer,
  type AtConsole,
  callConsole,
  makeAdministrator,
  signInToConsole,
} from '../support/administrator.js';
import { type Document, expectWhole, operationsOf } from '../support/openapi.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let admin: AtConsole;
let document: Document;
beforeAll(async () => {
  server = await startApp();
  await makeAdministrator(server);
  admin = await signInToConsole(server);
  // Whoever asks: it says nothing that the source does not.
  const answer = await callConsole(server, 'GET', '/admin/api/openapi.json');
  expect(answer.status).toBe(200);
  document = answer.body as unknown as Document;
});
afterAll(() => server?.stop());

describe('the OpenAPI document of the administration API', () => {
  it('names every address of the API and no other, each with its method', () => {
    const routed = adminRoutes()
      .filter(({ path }) => path.startsWith('/admin/api/'))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(routed.length).toBeGreaterThan(8);
    expect(
      operationsOf(document)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(routed.sort());
  });

  it('is whole: every reference leads somewhere, every variable is declared, every answer is described', () => {
    expectWhole(document, server.url);
  });

  it('describes what is answered, from a registration to its end, and what is refused', async () => {
    let id = '';
    const seen = new Set<string>();
    const call = async (operationId: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> => {
      const found = operationsOf(document).find(({ operation }) => operation.operationId === operationId);
      if (!found) throw new Error(`no operation ${operationId}`);
      const answer = await admin.call(found.method.toUpperCase(), found.path.replace('{id}', id), body, headers);
      const described = ADMIN_API.operations.find((one) => one.id === operationId)?.answers[String(answer.status)];
      expect([operationId, answer.status, described !== undefined]).toEqual([operationId, answer.status, true]);
      if (described?.schema) (ADMIN_API.schemas[described.schema] as ZodType).parse(answer.body);
      seen.add(`${operationId} ${answer.status}`);
      return answer;
    };
    const keys = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqo' }] };
    await call('createClient', { name: '', redirect_uris: [] });
    await call('createClient', { name: 'Shop', redirect_uris: ['https://shop.example/'], jwks: keys });
    const created = await call('createClient', { name: 'Shop', redirect_uris: ['https://shop.example/'] });
    id = String(created.body.client_id);
    await call('showClient');
    await call('listClients');
    await call('updateClient', { default_max_age: 60 });
    await call('updateClient', { default_max_age: null, revision: 0 });
    await call('updateClient', { name: 7 });
    await call('rotateClientSecret', {});
    await call('rotateClientSecret', { grace_seconds: -1 });
    await call('checkRedirectUri', { redirect_uri: 'https://shop.example/' });
    await call('checkRedirectUri', {});
    await call('deleteClient');
    await call('disableClient', {});
    await call('enableClient', {});
    await call('disableClient', {});
    await call('deleteClient');
    for (const { operationId, body } of [
      { operationId: 'showClient' },
      { operationId: 'updateClient', body: {} },
      { operationId: 'deleteClient' },
      { operationId: 'disableClient', body: {} },
      { operationId: 'enableClient', body: {} },
      { operationId: 'rotateClientSecret', body: {} },
      { operationId: 'checkRedirectUri', body: { redirect_uri: 'x' } },
    ]) {
      expect((await call(operationId, body)).status).toBe(404);
      expect((await call(operationId, body, { Cookie: '' })).status).toBe(401);
    }
    await call('createClient', { name: 'x' }, { Origin: '' });
    await call('createClient', { name: 'x' }, { 'Content-Type': 'text/plain' });
    await call('createClient', { name: 'x'.repeat(70_000) });
    expect(seen.size).toBeGreaterThan(25);
  });
});
