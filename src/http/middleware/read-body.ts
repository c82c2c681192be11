/** Reads JSON and form bodies, bounded while reading; there is no global parser, the engine must find its requests unread. */
import type { IncomingMessage } from 'node:http';
import rawBody from 'raw-body';
import { type ZodType, z } from 'zod';
import { AppError } from '../../error.js';

const LIMIT = 64 * 1024;
const MAX_FIELDS = 100;
const MAX_DEPTH = 8;

/** The body of a request whose address says it all. */
export const NOTHING = z.strictObject({});

/** The body as the schema says. Throws `unsupported_media_type`, `too_large` or `invalid_request`, never echoing input. */
export async function readJson<T>(req: IncomingMessage, schema: ZodType<T>): Promise<T> {
  requireType(req, 'application/json');
  const text = await readText(req);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError('invalid_request', { message: 'the body is not JSON' });
  }
  refuseDangerous(value, 0);
  return parse(schema, value);
}

/** Bodies that were read before anybody asked for them. */
const ahead = new WeakMap<IncomingMessage, string>();

/** Reads the body before it is looked at who sends it; `readJson` then finds it here. */
export async function readAhead(req: IncomingMessage): Promise<void> {
  if (hasBody(req)) ahead.set(req, await readText(req));
}

/** A form body, flat; empty when the request has no body. A name given twice is refused. */
export async function readForm(req: IncomingMessage): Promise<Map<string, string>> {
  if (!hasBody(req)) return new Map();
  requireType(req, 'application/x-www-form-urlencoded');
  return flatten(new URLSearchParams(await readText(req)));
}

/** Query or form parameters as a map. A name given twice is refused (RFC 6749 3.1). */
export function flatten(parameters: URLSearchParams): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (result.has(name)) throw new AppError('invalid_request', { message: 'a parameter is given twice' });
    if (result.size >= MAX_FIELDS) throw new AppError('invalid_request', { message: 'too many parameters' });
    result.set(name, value);
  }
  return result;
}

export function parse<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // Names of fields we know may be told; values and unknown names may not.
  const where = issue && issue.code !== 'unrecognized_keys' && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  const what =
    issue?.code === 'unrecognized_keys' ? 'there is a field that does not belong here' : 'invalid or missing';
  throw new AppError('invalid_request', { message: `${where}${what}` });
}

function requireType(req: IncomingMessage, type: string): void {
  const given = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (given !== type || req.headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', { message: `Content-Type must be ${type}, without Content-Encoding` });
  }
}

function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

async function readText(req: IncomingMessage): Promise<string> {
  const known = ahead.get(req);
  if (known !== undefined) return known;
  try {
    return await rawBody(req, { limit: LIMIT, length: req.headers['content-length'] ?? null, encoding: 'utf-8' });
  } catch (cause) {
    throw new AppError((cause as { type?: string }).type === 'entity.too.large' ? 'too_large' : 'invalid_request', {
      cause,
    });
  }
}

/** Keys that reach prototypes, and depth that reaches the stack (T72, T78). */
function refuseDangerous(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new AppError('invalid_request', { message: 'the body is nested too deeply' });
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw new AppError('invalid_request');
    refuseDangerous(inner, depth + 1);
  }
}
