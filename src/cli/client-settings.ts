/** The settings of a client as options of `clients create` and `clients update`, derived from their one table. */
import type { ClientChange } from '../client/client-change.js';
import { ALL_SETTINGS, type NamedSetting } from '../client/client-settings.js';
import type { Dialect } from '../client/dialect.js';
import type { NewClient } from '../client/registration.js';
import { readKeys } from './client-keys-option.js';
import { type OptionNames, type Options, UsageError } from './command.js';

/** What may be set at the registration and changed later. */
export const SETTING_OPTIONS: OptionNames = Object.fromEntries(
  ALL_SETTINGS.map(({ option, kind }) => [
    option,
    kind === 'flag' ? { type: 'boolean' } : { type: 'string', multiple: kind === 'list' },
  ]),
);

export function toNewClient(options: Options): NewClient {
  const name = options.required('name');
  const given = Object.entries(read(options)).map(([field, value]) => [field, value ?? undefined]);
  const input: NewClient = {
    redirectUris: [],
    ...(Object.fromEntries(given) as Partial<NewClient>),
    name,
    dialect: options.choice('dialect', ['oauth', 'wechat']),
    applicationType: options.choice('type', ['web', 'native']),
  };
  if (input.redirectUris.length === 0 && input.callbackDomain === undefined && !input.deviceFlow) {
    throw new UsageError(
      '--redirect-uri is missing (--callback-domain may stand in for it with --dialect wechat, --device-flow for an app that only signs in on another device)',
    );
  }
  return input;
}

/** Only what was named; an empty value takes a setting away. */
export function toChange(options: Options): ClientChange {
  const change: ClientChange = read(options);
  if (Object.keys(change).length === 0) throw new UsageError('name at least one setting to change');
  return options.flag('new-unionids') ? { ...change, newUnionids: true } : change;
}

function read(options: Options): ClientChange {
  const values = ALL_SETTINGS.map((setting) => [setting.field, readOne(setting, options)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as ClientChange;
}

function readOne({ option, kind, choices, fallback }: NamedSetting, options: Options): unknown {
  if (kind === 'flag') return options.given(option);
  if (kind === 'list') {
    const values = options.list(option);
    return values.length === 0 ? undefined : values.filter((value) => value !== '');
  }
  const value = kind === 'choice' ? options.choice(option, choices ?? []) : options.optional(option);
  if (value === undefined) return undefined;
  if (value === '' && fallback === undefined) return null;
  if (kind === 'keys') return readKeys(option, value);
  if (kind !== 'number') return value;
  if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${option} must be a whole number; it is "${value}"`);
  return Number(value);
}

/** Lines for a usage, each dialect's own settings by themselves; a change may also switch flags off. */
export function settingsUsage(use: 'create' | 'change'): string {
  const settings = ALL_SETTINGS.filter(({ field }) => use === 'change' || !NEEDED.has(field));
  const words = (only?: Dialect) =>
    settings
      .filter((setting) => setting.only === only)
      .map(({ option, kind, arg }) => {
        if (kind === 'flag') return `[--${use === 'change' ? '[no-]' : ''}${option}]`;
        return `[--${option} ${arg}${kind === 'list' ? ' ...' : ''}]`;
      });
  return [
    ...wrapped(words()),
    ...wrapped(['oauth only:', ...words('oauth')]),
    ...wrapped(['wechat only:', ...words('wechat')]),
  ].join('\n');
}

/** Named by the usage of `create` itself. */
const NEEDED: ReadonlySet<string> = new Set(['name', 'redirectUris']);

function wrapped(words: readonly string[], width = 116): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
