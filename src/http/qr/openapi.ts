/** The OpenAPI 3.1 document of the ticket API, made of the schemas that requests are read by and answers are tested by. */
import { z } from 'zod';
import { CONTINUE, PROBLEM, REDEEMED, STATUS, TICKET } from './answers.js';
import { type Answer, OPERATIONS, type Operation, type SchemaName } from './operations.js';
import { FIRST_MESSAGE } from './socket.js';
import { TICKET_REQUEST } from './ticket-request.js';

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

export const SCHEMAS: Readonly<Record<SchemaName, z.ZodType>> = {
  TicketRequest: TICKET_REQUEST,
  Ticket: TICKET,
  Status: STATUS,
  Redeemed: REDEEMED,
  Continue: CONTINUE,
  Error: PROBLEM,
  SocketFirstMessage: FIRST_MESSAGE,
};

const DESCRIPTION = `For sites and apps that draw their own QR code. A call with a wait secret names it in the Authorization
header, as a bearer token. Pages of a client's registered embed origins may call (CORS, never with cookies). Errors are JSON:
error, error_description.`;

/** How a client proves itself, in any one of these ways; those of the body stand in TicketRequest. */
const SECURITY: Readonly<Record<Operation['by'], readonly object[]>> = {
  client: [{ clientSecret: [] }, {}],
  wait: [{ waitSecret: [] }],
  // A browser's WebSocket takes no header.
  socket: [{}],
  anyone: [{}],
};

export function openApi(publicUrl: string) {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: describe(operation) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'qrconnect: QR tickets', version: '1', description: words(DESCRIPTION) },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: {
        clientSecret: { type: 'http', scheme: 'basic', description: 'Client id and client secret, each form-encoded.' },
        waitSecret: { type: 'http', scheme: 'bearer', description: 'The wait secret of the ticket.' },
      },
      schemas: Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, toJsonSchema(schema)])),
    },
  };
}

function describe({ id, path, summary, description, by, query = [], body, answers }: Operation): object {
  const ticketId = {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The ticket_id.',
    schema: { type: 'string' },
  };
  const parameters = [...(path.includes('{id}') ? [ticketId] : []), ...query.map((one) => ({ in: 'query', ...one }))];
  return {
    operationId: id,
    summary,
    description: words(description),
    security: SECURITY[by],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } } } : {}),
    responses: Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer)])),
  };
}

function response({ description, schema, type, example, retryAfter }: Answer): object {
  const text = { schema: { type: 'string' }, ...(example === undefined ? {} : { example }) };
  const seconds = { description: 'Seconds.', schema: { type: 'integer' } };
  return {
    description,
    ...(retryAfter ? { headers: { 'Retry-After': seconds } } : {}),
    ...(schema ? { content: { 'application/json': { schema: reference(schema) } } } : {}),
    ...(type ? { content: { [type]: text } } : {}),
  };
}

function reference(name: SchemaName): object {
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
