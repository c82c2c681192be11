/** The settings of a client as options of `clients create` and `clients update`. */
import type { ClientChange } from '../client/client-change.js';
import type { NewClient } from '../client/registration.js';
import { type Options, UsageError } from './command.js';

/** What may be set at the registration and changed later. */
export const SETTINGS = {
  name: { type: 'string' },
  'redirect-uri': { type: 'string', multiple: true },
  'embed-origin': { type: 'string', multiple: true },
  union: { type: 'string' },
  'callback-domain': { type: 'string' },
  'auth-method': { type: 'string' },
  'match-code': { type: 'string' },
  scope: { type: 'string' },
  'refresh-requires-secret': { type: 'boolean' },
  'state-required': { type: 'boolean' },
  'openid-required': { type: 'boolean' },
  'json-answers': { type: 'boolean' },
  'style-sheets': { type: 'boolean' },
} as const;

const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;
const MATCH_CODES = ['type', 'off'] as const;

export function toNewClient(options: Options): NewClient {
  const callbackDomain = options.optional('callback-domain');
  const redirectUris = options.list('redirect-uri');
  if (redirectUris.length === 0 && callbackDomain === undefined) {
    throw new UsageError('--redirect-uri is missing (with --dialect wechat a --callback-domain may stand in for it)');
  }
  return {
    name: options.required('name'),
    dialect: options.choice('dialect', ['oauth', 'wechat']),
    redirectUris,
    embedOrigins: options.list('embed-origin'),
    callbackDomain,
    unionName: options.optional('union'),
    applicationType: options.choice('type', ['web', 'native']),
    authMethod: options.choice('auth-method', AUTH_METHODS),
    matchCode: options.choice('match-code', MATCH_CODES),
    scope: options.optional('scope'),
    refreshRequiresSecret: options.flag('refresh-requires-secret'),
    stateRequired: options.flag('state-required'),
    openidRequired: options.flag('openid-required'),
    jsonAnswers: options.flag('json-answers'),
    styleSheets: options.flag('style-sheets'),
  };
}

/** Only what was named; an empty value takes a setting away. */
export function toChange(options: Options): ClientChange {
  const change: ClientChange = {
    name: options.optional('name'),
    redirectUris: named(options, 'redirect-uri'),
    embedOrigins: named(options, 'embed-origin'),
    callbackDomain: orNone(options.optional('callback-domain')),
    unionName: orNone(options.optional('union')),
    authMethod: options.choice('auth-method', AUTH_METHODS),
    matchCode: options.choice('match-code', MATCH_CODES),
    scope: orNone(options.optional('scope')),
    refreshRequiresSecret: options.given('refresh-requires-secret'),
    stateRequired: options.given('state-required'),
    openidRequired: options.given('openid-required'),
    jsonAnswers: options.given('json-answers'),
    styleSheets: options.given('style-sheets'),
  };
  if (Object.values(change).every((value) => value === undefined)) {
    throw new UsageError('name at least one setting to change');
  }
  return options.flag('new-unionids') ? { ...change, newUnionids: true } : change;
}

function named(options: Options, name: string): string[] | undefined {
  const values = options.list(name);
  return values.length === 0 ? undefined : values.filter((value) => value !== '');
}

function orNone(value: string | undefined): string | null | undefined {
  return value === '' ? null : value;
}
