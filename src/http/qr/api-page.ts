/** GET /api/qr/openapi.json, and GET /api/qr, which shows it to people: drawn here, with nothing from anywhere else. */
import { type AppRouterContext, sendPage } from '../context.js';
import type { View } from '../view.js';
import { type JsonSchema, openApi, SCHEMAS, toJsonSchema, words } from './openapi.js';
import { OPERATIONS, type SchemaName } from './operations.js';

export function apiDocument({ publicUrl }: { publicUrl: string }) {
  const document = openApi(publicUrl);
  return (ctx: AppRouterContext): void => {
    ctx.body = document;
  };
}

export function apiPage({ view, publicUrl }: { view: View; publicUrl: string }) {
  const values = {
    publicUrl,
    calls: OPERATIONS.map(({ path, description, answers, ...call }) => ({
      ...call,
      path: path.replace(/\{(\w+)\}/g, ':$1'),
      description: words(description),
      answers: Object.entries(answers).map(([status, answer]) => ({ status, ...answer })),
    })),
    schemas: (Object.keys(SCHEMAS) as SchemaName[]).map((name) => ({
      name,
      forms: formsOf(toJsonSchema(SCHEMAS[name])),
    })),
  };
  return (ctx: AppRouterContext): void => {
    sendPage(ctx, view.render('qr/api.njk', values, { lang: ctx.state.lang }));
  };
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string | undefined;
}

/** One list of fields for each form that an object may have. */
function formsOf(schema: JsonSchema): Field[][] {
  return (schema.anyOf ?? [schema]).map(({ properties = {}, required = [] }) =>
    Object.entries(properties).map(([name, field]) => ({
      name,
      type: typeOf(field),
      required: required.includes(name),
      description: field.description,
    })),
  );
}

function typeOf({ type, anyOf, enum: values, const: value }: JsonSchema): string {
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return values.map((one) => JSON.stringify(one)).join(' | ');
  return anyOf ? anyOf.map(typeOf).join(' | ') : (type ?? '');
}
