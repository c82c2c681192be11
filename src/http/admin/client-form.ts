/** What the console's form of a client consists of: one field for each entry of the one table of settings, in groups. */
import type { Client } from '../../client/client.js';
import { ALL_SETTINGS, type NamedSetting } from '../../client/client-settings.js';
import type { Dialect } from '../../client/dialect.js';

export interface FormField {
  readonly json: string;
  /** What the API calls it among the settings that changed. */
  readonly column: string;
  readonly kind: NamedSetting['kind'];
  readonly choices: readonly string[];
  /** Hidden for clients of another dialect. */
  readonly only: Dialect | undefined;
  /** The state of the field in which its warning is shown: on, off, set, or a choice. */
  readonly risky: string | undefined;
  readonly value: unknown;
  /** As the field shows it. */
  readonly text: string;
}

export interface ClientForm {
  readonly basics: readonly FormField[];
  readonly groups: ReadonlyArray<{ readonly name: string; readonly fields: readonly FormField[] }>;
}

/** What everybody fills in. A setting that no list names stands in the last group, so that a new one is never missing. */
const BASICS = ['name', 'redirect_uris', 'callback_domain', 'embed_origins', 'union'];
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  signIn: [
    'match_code',
    'scope',
    'default_max_age',
    'pkce_optional',
    'device_flow',
    'state_required',
    'style_sheets',
    'require_pushed_authorization_requests',
    'require_signed_request_object',
  ],
  proof: ['token_endpoint_auth_method', 'jwks'],
  tokens: [
    'id_token_signed_response_alg',
    'dpop_bound_access_tokens',
    'tls_client_certificate_bound_access_tokens',
    'refresh_requires_secret',
    'openid_required',
    'json_answers',
  ],
  logout: ['post_logout_redirect_uris', 'backchannel_logout_uri'],
};
const OTHER_GROUP = 'other';

/** When a choice deserves a word of warning (T66); the words are `client.<json>.risk`. */
export const RISKS: Readonly<Record<string, string>> = {
  callback_domain: 'set',
  match_code: 'off',
  pkce_optional: 'on',
  device_flow: 'on',
  state_required: 'off',
  style_sheets: 'on',
  token_endpoint_auth_method: 'none',
  refresh_requires_secret: 'off',
};

/** A wechat client has a value for it and no choice: its requests carry the secret in the query string. */
const FIXED_IN_WECHAT = 'token_endpoint_auth_method';

/** For a new client without `client`: the fields of both dialects, each as it is unless somebody chooses. */
export function formOf(client?: Client): ClientForm {
  const fields = ALL_SETTINGS.map((setting) => toField(setting, client)).filter(
    ({ only }) => !client || !only || only === client.dialect,
  );
  const named = [...BASICS, ...Object.values(GROUPS).flat()];
  const pick = (names: readonly string[]) => names.flatMap((name) => fields.filter((field) => field.json === name));
  const groups = Object.entries(GROUPS).map(([name, names]) => ({ name, fields: pick(names) }));
  const others = { name: OTHER_GROUP, fields: fields.filter(({ json }) => !named.includes(json)) };
  return { basics: pick(BASICS), groups: [...groups, others].filter((group) => group.fields.length > 0) };
}

/** What its script compares with: only what differs is sent. */
export function valuesOf(form: ClientForm): Record<string, unknown> {
  return Object.fromEntries(fieldsOf(form).map(({ json, value }) => [json, value]));
}

export function fieldsOf({ basics, groups }: ClientForm): FormField[] {
  return [...basics, ...groups.flatMap(({ fields }) => fields)];
}

function toField(
  { json, column, kind, choices = [], only, field, fallback }: NamedSetting,
  client?: Client,
): FormField {
  const value: unknown = (client ? client[field] : fallback) ?? null;
  return {
    json,
    column,
    kind,
    choices,
    only: json === FIXED_IN_WECHAT ? 'oauth' : only,
    risky: RISKS[json],
    value,
    text: value === null ? '' : kind === 'keys' ? JSON.stringify(value, null, 2) : String(value),
  };
}
