/** Sentences for people: each is named by its English template, and a voice says it in a language and to a door. */

export interface Saying {
  readonly text: string;
  readonly values: Values;
}

type Value = string | number | Saying;
type Values = Readonly<Record<string, Value>>;

/** How a door says things. Without one: in English, and a setting is called as in the source. */
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

export function say({ text, values }: Saying, voice: Voice = {}): string {
  return (voice.translate?.(text) ?? text).replace(/\{(setting:)?(\w+)\}/g, (whole, setting, name: string) => {
    const value = setting ? (voice.nameOfSetting?.(name) ?? name) : (values[name] ?? whole);
    return typeof value === 'object' ? say(value, voice) : String(value);
  });
}

/** One of several words. */
export function either([first = '', ...others]: readonly string[]): string | Saying {
  return others.reduce<string | Saying>((one, other) => saying('{one} or {other}', { one, other }), first);
}
