/** An OpenAPI document as tests read it, and what every one of ours must hold. */
import { expect } from 'vitest';

export type Json = Record<string, unknown>;

export interface Operation {
  operationId: string;
  summary: string;
  description: string;
  parameters?: Array<{ name: string; in: string; description: string; required?: boolean; schema: Json }>;
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

export interface Document {
  openapi: string;
  servers: Array<{ url: string }>;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Record<string, Json> };
}

export function operationsOf(document: Document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
  );
}

/** Every reference leads somewhere, every variable is declared, every answer is described. `unreferenced`: schemas told in words only. */
export function expectWhole(document: Document, url: string, unreferenced: readonly string[] = []): void {
  const operations = operationsOf(document);
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.servers).toEqual([{ url }]);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name as string,
  );
  expect([...new Set(references)].sort()).toEqual(
    Object.keys(document.components.schemas)
      .filter((name) => !unreferenced.includes(name))
      .sort(),
  );
  for (const { name, path, operation } of operations) {
    const declared = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
    expect([name, declared]).toEqual([name, [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one)]);
    expect(operation.summary, name).not.toBe('');
    for (const [status, answer] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect(answer.description, `${name} ${status}`).not.toBe('');
      if (Number(status) >= 400)
        expect(answer.content?.['application/json']?.schema, `${name} ${status}`).toBeDefined();
    }
  }
  for (const schema of Object.values(document.components.schemas)) {
    for (const form of (schema.anyOf as Json[] | undefined) ?? [schema]) {
      expect(form).toMatchObject({ type: 'object', additionalProperties: false });
    }
  }
}
