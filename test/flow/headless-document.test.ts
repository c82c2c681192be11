/** The ticket API's OpenAPI document and its page: true to the routes, to the schemas, and to OpenAPI 3.1. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHINESE } from '../../src/http/qr/operations-zh.js';
import { projectRoot } from '../../src/project-root.js';
import { send } from '../support/http.js';
import { type Document, expectWhole, operationsOf } from '../support/openapi.js';
import { startApp, type TestApp } from '../support/start-app.js';

/** Its upgrade is taken before any router. */
const SOCKET = 'get /api/qr/socket';

let server: TestApp;
let document: Document;
beforeAll(async () => {
  server = await startApp();
  const answer = await send(`${server.url}/api/qr/openapi.json`);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  document = answer.json<Document>();
});
afterAll(() => server?.stop());

const operations = () => operationsOf(document);

describe('the OpenAPI document of the ticket API', () => {
  it('names every address of the API and no other, each with its method', async () => {
    const source = readFileSync(join(projectRoot, 'src', 'http', 'server.ts'), 'utf8');
    const routed = [...source.matchAll(/at\('(\w+)', '(\/api\/qr[^']*)'/g)].map(
      ([, method, path = '']) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
    );
    expect(routed.length).toBeGreaterThan(8);
    const documented = operations().map(({ name }) => name);
    expect(documented.sort()).toEqual([...routed, SOCKET].sort());
    for (const { path, name } of operations().filter(({ name: one }) => one !== SOCKET)) {
      const answer = await send(server.url + path.replace('{id}', 'x'), { method: 'PUT' });
      expect([name, answer.status]).toEqual([name, 405]);
      expect(String(answer.headers.allow).toLowerCase()).toContain(name.split(' ')[0]);
    }
  });

  it('is whole: every reference leads somewhere, every variable is declared, every answer is described', () => {
    expectWhole(document, server.url, ['SocketFirstMessage']);
  });

  it('is shown as a page, in the reader’s language, that needs nothing from anywhere', async () => {
    for (const [lang, heading] of [
      ['en', 'QR tickets for your own pages'],
      ['zh-CN', '在您自己的页面中使用二维码票据'],
    ] as const) {
      const answer = await send(`${server.url}/api/qr`, { headers: { 'accept-language': lang } });
      expect(answer.status).toBe(200);
      expect(answer.body).toContain(`<h1>${heading}</h1>`);
      for (const { path, operation } of operations()) {
        expect(answer.body).toContain(path.replace('{id}', ':id'));
        expect(answer.body).toContain(`id="${operation.operationId}"`);
      }
      for (const name of Object.keys(document.components.schemas)) expect(answer.body).toContain(`id="${name}"`);
      // One call has a query; no heading stands over nothing.
      expect(answer.body.match(/<dt>(?:Query|查询参数)<\/dt>/g)).toHaveLength(1);
      expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'/);
      expect(answer.body).not.toMatch(/<script(?![^>]*application\/json)|(src|href)="https?:\/\/(?!localhost)/);
    }
  });

  it('has every word of it in Chinese too, and none for what is no longer said', () => {
    const said = operations().flatMap(({ operation }) => [
      operation.summary,
      operation.description,
      ...(operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.description),
      ...Object.values(operation.responses).map(({ description }) => description),
    ]);
    const described = [...JSON.stringify(document.components.schemas).matchAll(/"description":("(?:[^"\\]|\\.)*")/g)]
      .map(([, text = '']) => JSON.parse(text) as string)
      .filter((text) => !text.startsWith('urn:'));
    expect(Object.keys(CHINESE).sort()).toEqual([...new Set([...said, ...described])].sort());
  });
});
