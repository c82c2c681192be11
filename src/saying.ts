/** Sentences for people: each is named by its English template, and a voice says it in a language and to a door. */

export interface Saying {
  readonly text: string;
  readonly values: Values;
}

type Value = string | number | Saying;
type Values = Readonly<Record<string, Value>>;

/** How a door says things. Without one: in English, and a setting is called as in JSON. */
export interface Voice {
  /** The template in another language; undefined: it has none for it. */
  translate?(text: string): string | undefined;
  /** What people at this door call a setting of a client. */
  nameOfSetting?(field: string): string;
}

/** The placeholders that need a value: `{name}`, but not `{setting:field}`. */
type Needed<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `setting:${string}` ? never : Name) | Needed<Rest>
  : never;

/** `text` is written out where this is called: that is how the test finds what must be translated. */
export function saying<T extends string>(
  text: T,
  ...[values = {}]: [Needed<T>] extends [never] ? [values?: Values] : [values: Values & Record<Needed<T>, Value>]
): Saying {
  return { text, values };
}

/** A value under the name of a setting is what the setting is called in JSON where that is not made of its name. */
export function say({ text, values }: Saying, voice: Voice = {}): string {
  return (voice.translate?.(text) ?? text).replace(/\{(setting:)?(\w+)\}/g, (whole, setting, name: string) => {
    const called = setting && voice.nameOfSetting?.(name);
    const value = called ?? values[name] ?? (setting ? inJson(name) : whole);
    return typeof value === 'object' ? say(value, voice) : String(value);
  });
}

function inJson(field: string): string {
  return field.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

/** One of several words. */
export function either([first = '', ...others]: readonly string[]): string | Saying {
  return others.reduce<string | Saying>((one, other) => saying('{one} or {other}', { one, other }), first);
}
