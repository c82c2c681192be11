/** What the administration API answers, as schemas: the OpenAPI document is made of them, and tests hold real answers against them. */
import { z } from 'zod';
import { ALL_SETTINGS, type NamedSetting } from '../../client/client-settings.js';
import { PROBLEM } from '../openapi.js';

/** Every refusal. */
export const REFUSAL = PROBLEM.extend({
  problems: z.array(z.string()).optional().describe('Each thing that is wrong with a client, by itself.'),
});

const time = z.iso.datetime();

const SECRET = z.strictObject({
  created_at: time,
  expires_at: time.nullable().describe('Accepted until then; null: until it is replaced.'),
  exposed_at: time.nullable().describe('When it was first seen in a query string, where logs keep it: rotate it.'),
});

const client = {
  client_id: z.string().describe('In the WeChat dialect the appid.'),
  name: z.string(),
  dialect: z.enum(['oauth', 'wechat']),
  application_type: z.enum(['web', 'native']),
  ...Object.fromEntries(ALL_SETTINGS.map((setting) => [setting.json, shownAs(setting)])),
  disabled: z.boolean(),
  secrets: z.array(SECRET).describe('The live ones, never their values: two at most.'),
  created_at: time,
  revision: z.int().describe('Counts the changes.'),
  warnings: z.array(z.string()).describe('What an administrator should know about it, in words.'),
};
const secretOnce = z.string().optional().describe('Shown this once; absent where there is no new one.');

export const CLIENT = z.strictObject(client);
export const CLIENTS = z.strictObject({ clients: z.array(CLIENT) });
export const CLIENT_WITH_SECRET = z.strictObject({ ...client, client_secret: secretOnce });
export const CHANGED_CLIENT = z.strictObject({
  ...client,
  client_secret: secretOnce,
  changed: z.array(z.string()).describe('Names of what moved; empty when everything was so already.'),
});
export const REDIRECT_CHECK = z.strictObject({
  allowed: z.boolean(),
  reason: z.string().describe('What lets it in, or why nothing does.'),
});

function shownAs({ kind, choices, fallback }: NamedSetting): z.ZodType {
  if (kind === 'flag') return z.boolean();
  if (kind === 'list') return z.array(z.string());
  if (kind === 'choice') return z.enum(choices as [string, ...string[]]);
  if (kind === 'number') return z.int().nullable();
  if (kind === 'keys') return z.looseObject({}).nullable();
  return fallback === undefined ? z.string().nullable() : z.string();
}
