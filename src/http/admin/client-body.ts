/** What the administration API reads about a client: schemas made of the one table of settings, and nothing else passes (T64). */
import { z } from 'zod';
import type { ClientChange } from '../../client/client-change.js';
import { GRACE_SECONDS } from '../../client/client-secret.js';
import { ALL_SETTINGS, type NamedSetting } from '../../client/client-settings.js';
import type { NewClient } from '../../client/registration.js';

const MOST_LISTED = 100;
const text = z.string().max(2_000);
/** What a client's key may say is the service's to judge, and it refuses what it does not know. */
const keySet = z.looseObject({ keys: z.array(z.looseObject({})).max(20) });

export const NEW_CLIENT = z.strictObject({
  ...settingsShape((setting) => schemaOf(setting).optional()),
  name: text.describe('Shown to people who decide whether to sign in there.'),
  dialect: z.enum(['oauth', 'wechat']).optional().describe('oauth unless given; cannot be changed later.'),
  application_type: z.enum(['web', 'native']).optional().describe('web unless given; cannot be changed later.'),
});

export const CLIENT_CHANGE = z.strictObject({
  ...settingsShape((setting) =>
    setting.fallback === undefined ? schemaOf(setting).nullable().optional() : schemaOf(setting).optional(),
  ),
  new_unionids: z
    .literal(true)
    .optional()
    .describe('Needed for another union: every person then gets another unionid at this client.'),
  revision: z.int().min(0).optional().describe('What the change was made upon: 409 if the client is another by now.'),
});

export const ROTATION = z.strictObject({
  grace_seconds: z
    .int()
    .min(0)
    .max(GRACE_SECONDS.most)
    .default(GRACE_SECONDS.fallback)
    .describe('How long the secret before it is still accepted: seven days unless given.'),
  revision: z
    .int()
    .optional()
    .describe('Of the client that the rotation is made upon: 409 if it was changed since, by a rotation too.'),
});

export const REDIRECT_URI = z.strictObject({ redirect_uri: text.min(1) });

export function toNewClient(body: z.infer<typeof NEW_CLIENT>): NewClient {
  const { dialect, application_type: applicationType, ...settings } = body;
  return { redirectUris: [], ...(byField(settings) as Partial<NewClient>), name: body.name, dialect, applicationType };
}

export function toChange(body: z.infer<typeof CLIENT_CHANGE>): { change: ClientChange; revision: number | undefined } {
  const { new_unionids: newUnionids, revision, ...settings } = body;
  return { change: { ...(byField(settings) as ClientChange), ...(newUnionids ? { newUnionids } : {}) }, revision };
}

function byField(settings: Readonly<Record<string, unknown>>): object {
  const given = ALL_SETTINGS.filter(({ json }) => settings[json] !== undefined);
  return Object.fromEntries(given.map(({ json, field }) => [field, settings[json]]));
}

function settingsShape<T extends z.ZodType>(make: (setting: NamedSetting) => T): Record<string, T> {
  return Object.fromEntries(ALL_SETTINGS.map((setting) => [setting.json, make(setting).describe(wordsFor(setting))]));
}

function schemaOf({ kind, choices }: NamedSetting): z.ZodType {
  if (kind === 'flag') return z.boolean();
  if (kind === 'list') return z.array(text).max(MOST_LISTED);
  if (kind === 'number') return z.int().min(0);
  if (kind === 'choice') return z.enum(choices as [string, ...string[]]);
  return kind === 'keys' ? keySet : text;
}

function wordsFor({ label, only, kind, shown }: NamedSetting): string {
  const said = kind === 'flag' ? `${label}: ${String(shown(true, only ?? 'oauth'))}` : label;
  return only ? `${said}. In the ${only} dialect only.` : `${said}.`;
}
