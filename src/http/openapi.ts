/** Builds OpenAPI 3.1 documents of the schemas that requests are read by and answers are tested by. */
import { z } from 'zod';

/** One call in words. `Name`: a name among the document's schemas; `By`: a name among its ways to prove who asks. */
export interface Operation<Name extends string, By extends string> {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly by: By;
  readonly query?: ReadonlyArray<{ name: string; description: string; schema: object }>;
  readonly body?: Name;
  readonly answers: Readonly<Record<string, Answer<Name>>>;
}

export interface Answer<Name extends string> {
  readonly description: string;
  readonly schema?: Name;
  /** Default: application/json. */
  readonly type?: string;
  readonly example?: string;
  readonly retryAfter?: true;
}

export interface Description<Name extends string, By extends string> {
  readonly title: string;
  readonly description: string;
  readonly operations: ReadonlyArray<Operation<Name, By>>;
  readonly schemas: Readonly<Record<Name, z.ZodType>>;
  /** Any one of these suffices. */
  readonly security: Readonly<Record<By, readonly object[]>>;
  readonly securitySchemes: Readonly<Record<string, object>>;
  /** What `{id}` in a path is. */
  readonly id: string;
}

/** Every refusal. */
export const PROBLEM = z.strictObject({
  error: z.string(),
  error_description: z.string().optional().describe('For a developer to read.'),
});

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

export function openApi<Name extends string, By extends string>(publicUrl: string, what: Description<Name, By>) {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of what.operations) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: describe(operation, what) };
  }
  const schemas = Object.entries<z.ZodType>(what.schemas);
  return {
    openapi: '3.1.1',
    info: { title: what.title, version: '1', description: words(what.description) },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: what.securitySchemes,
      schemas: Object.fromEntries(schemas.map(([name, schema]) => [name, toJsonSchema(schema)])),
    },
  };
}

function describe<Name extends string, By extends string>(
  { id, path, summary, description, by, query = [], body, answers }: Operation<Name, By>,
  what: Description<Name, By>,
): object {
  const named = { name: 'id', in: 'path', required: true, description: what.id, schema: { type: 'string' } };
  const parameters = [...(path.includes('{id}') ? [named] : []), ...query.map((one) => ({ in: 'query', ...one }))];
  const responses = Object.entries<Answer<Name>>(answers).map(([status, answer]) => [status, response(answer)]);
  return {
    operationId: id,
    summary,
    description: words(description),
    security: what.security[by],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } } } : {}),
    responses: Object.fromEntries(responses),
  };
}

function response({ description, schema, type, example, retryAfter }: Answer<string>): object {
  const text = { schema: { type: 'string' }, ...(example === undefined ? {} : { example }) };
  const seconds = { description: 'Seconds.', schema: { type: 'integer' } };
  return {
    description,
    ...(retryAfter ? { headers: { 'Retry-After': seconds } } : {}),
    ...(schema ? { content: { 'application/json': { schema: reference(schema) } } } : {}),
    ...(type ? { content: { [type]: text } } : {}),
  };
}

function reference(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      // What JavaScript can count to is no rule of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return rest as JsonSchema;
}

/** Sources break lines where the screen ends; documents do not. */
export function words(text: string): string {
  return text.replaceAll('\n', ' ');
}
