/** Every setting of a client, as checks, changes, rows, options and what is shown need it: derived from the one table. */
import type { Saying } from '../saying.js';
import { elsewhere, notOfItsKind, type Setting, type SettingContext } from './setting.js';
import { SETTINGS } from './settings-table.js';

type Table = typeof SETTINGS;
export type Field = keyof Table;
export type ValueOf<F extends Field> = Table[F]['fallback'];

/** A flat object of all of them; absent is what has no default. */
export type SettingValues = { readonly [F in Field as undefined extends ValueOf<F> ? never : F]: ValueOf<F> } & {
  readonly [F in Field as undefined extends ValueOf<F> ? F : never]?: ValueOf<F>;
};
export type GivenSettings = { [F in Field]?: ValueOf<F> };

export interface NamedSetting extends Setting<unknown> {
  readonly field: Field;
  readonly option: string;
  readonly json: string;
  /** In rows, and in the audit log. */
  readonly column: string;
}

/** The same table with every name made out. */
export const ALL_SETTINGS: readonly NamedSetting[] = Object.entries(SETTINGS).map(([field, setting]) => ({
  ...(setting as Setting<unknown>),
  field: field as Field,
  option: setting.option ?? separated(field, '-'),
  json: setting.json ?? separated(field, '_'),
  column: separated(field, '_'),
}));

/** A value for every setting: what `pick` has for it, else its default. Each request reads its client through this. */
export function everySetting(pick: (setting: NamedSetting) => unknown): SettingValues {
  const values: Record<string, unknown> = {};
  for (const setting of ALL_SETTINGS) values[setting.field] = pick(setting) ?? setting.fallback;
  return values as unknown as SettingValues;
}

/** The same of what somebody gave, in the one form it is kept in. */
export function wholeSettings(given: GivenSettings): SettingValues {
  return everySetting(({ field, tidy }) => (given[field] === undefined ? undefined : tidy(given[field])));
}

/** Everything wrong with what was given, each setting by itself. */
export function settingProblems(given: GivenSettings, context: SettingContext): Saying[] {
  const problems = ALL_SETTINGS.flatMap((setting) => {
    const value: unknown = given[setting.field];
    if (value === undefined) return [];
    if (!setting.holds(value)) return [notOfItsKind({ text: `{setting:${setting.field}}`, values: {} }, setting)];
    const strange =
      setting.only && setting.only !== context.dialect && JSON.stringify(value) !== JSON.stringify(setting.fallback);
    return [strange ? elsewhere(setting) : undefined, setting.problem(value as NonNullable<unknown>, context)].flat();
  });
  return problems.filter((problem) => problem !== undefined);
}

function separated(field: string, by: string): string {
  return field.replace(/[A-Z]/g, (capital) => `${by}${capital.toLowerCase()}`);
}
