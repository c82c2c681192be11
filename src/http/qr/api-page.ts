/** GET /api/qr/openapi.json, and GET /api/qr, which shows it to people: drawn here, with nothing from anywhere else. */
import { type AppRouterContext, sendPage } from '../context.js';
import type { Language } from '../language.js';
import { type JsonSchema, openApi, toJsonSchema, words } from '../openapi.js';
import type { View } from '../view.js';
import { SCHEMAS, TICKET_API } from './openapi.js';
import { OPERATIONS, type SchemaName } from './operations.js';
import { CHINESE } from './operations-zh.js';

export function apiDocument({ publicUrl }: { publicUrl: string }) {
  const document = openApi(publicUrl, TICKET_API);
  return (ctx: AppRouterContext): void => {
    ctx.body = document;
  };
}

export function apiPage({ view, publicUrl }: { view: View; publicUrl: string }) {
  const values = { en: valuesIn('en', publicUrl), 'zh-CN': valuesIn('zh-CN', publicUrl) };
  return (ctx: AppRouterContext): void => {
    const { lang } = ctx.state;
    sendPage(ctx, view.render('qr/api.njk', values[lang], { lang }));
  };
}

function valuesIn(lang: Language, publicUrl: string) {
  const said = (text: string) => (lang === 'en' ? words(text) : (CHINESE[words(text)] ?? words(text)));
  return {
    publicUrl,
    calls: OPERATIONS.map(({ path, summary, description, query = [], answers, ...call }) => ({
      ...call,
      path: path.replace(/\{(\w+)\}/g, ':$1'),
      summary: said(summary),
      description: said(description),
      query: query.map((one) => ({ ...one, description: said(one.description) })),
      answers: Object.entries(answers).map(([status, answer]) => ({
        ...answer,
        status,
        description: said(answer.description),
      })),
    })),
    schemas: (Object.keys(SCHEMAS) as SchemaName[]).map((name) => ({
      name,
      forms: formsOf(toJsonSchema(SCHEMAS[name]), said),
    })),
  };
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string | undefined;
}

/** One list of fields for each form that an object may have. */
function formsOf(schema: JsonSchema, said: (text: string) => string): Field[][] {
  return (schema.anyOf ?? [schema]).map(({ properties = {}, required = [] }) =>
    Object.entries(properties).map(([name, field]) => ({
      name,
      type: typeOf(field),
      required: required.includes(name),
      description: field.description && said(field.description),
    })),
  );
}

function typeOf({ type, anyOf, enum: values, const: value }: JsonSchema): string {
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return values.map((one) => JSON.stringify(one)).join(' | ');
  return anyOf ? anyOf.map(typeOf).join(' | ') : (type ?? '');
}
