/** What a setting of a client can be: the kinds, their defaults, and what each must say about itself. */
import { either, type Saying, saying } from '../saying.js';
import { type ClientKeys, clientKeysProblem, describeKeys, isKeySet, tidyKeys } from './client-keys.js';
import type { RegistrationContext } from './client-rules.js';
import type { Dialect } from './dialect.js';

/** What a value is judged by, beside itself. */
export interface SettingContext extends RegistrationContext {
  readonly dialect: Dialect;
  /** The scopes of all registered resource servers. */
  readonly resourceScopes: ReadonlySet<string>;
}

type Problem = Saying | undefined;

/** What a setting is called; each has a default made of the field's name. */
interface Names {
  /** Of the command line, without its dashes. */
  option?: string;
  /** What stands for the value in the command line's help. */
  arg?: string;
  /** In JSON: the standard's name of it, where there is one. */
  json?: string;
  /** For people, before the value. */
  label: string;
  /** The dialect it has a meaning in, if not in both, and what to call it to those who try it in the other one. */
  only?: Dialect;
  what?: Saying;
}

export interface Setting<V> extends Readonly<Names> {
  readonly kind: 'flag' | 'text' | 'number' | 'list' | 'choice' | 'keys';
  /** What a client has that was given nothing; undefined: none, and null takes it away again. */
  readonly fallback: V;
  readonly choices?: readonly string[];
  /** True for any value of the kind, whoever wrote it. */
  holds(value: unknown): boolean;
  /** The one form it is kept in. */
  tidy(value: V): V;
  /** Everything wrong with a value that was given; each says how to mend it. */
  problem(value: NonNullable<V>, context: SettingContext): Problem | Problem[];
  /** What people read; undefined: nothing worth a line. */
  shown(value: V, dialect: Dialect): string | readonly string[] | undefined;
}

type More<V> = Names & Partial<Pick<Setting<V>, 'problem' | 'shown' | 'tidy' | 'fallback'>>;

/** `shown` is said of a client that has it. */
export function flag({ shown, ...names }: Names & { shown: string }): Setting<boolean> {
  return {
    ...common,
    ...names,
    kind: 'flag',
    fallback: false,
    holds: (value) => typeof value === 'boolean',
    shown: (on) => (on ? shown : undefined),
  };
}

export function choice<T extends string>(choices: readonly T[], more: More<T> & { fallback: T }): Setting<T> {
  return {
    ...common,
    shown: (value) => value,
    ...more,
    kind: 'choice',
    choices,
    arg: choices.join('|'),
    holds: (value) => choices.includes(value as T),
  };
}

export function text(more: More<string | undefined>): Setting<string | undefined> {
  return { ...common, fallback: undefined, shown: (value) => value, ...more, kind: 'text', holds: isText };
}

/** One that every client has. */
export function neededText(more: More<string>): Setting<string> {
  return { ...common, fallback: '', shown: (value) => value, ...more, kind: 'text', holds: isText };
}

export function number(more: More<number | undefined> & { what: Saying; max: number }): Setting<number | undefined> {
  const { max, ...names } = more;
  return {
    ...common,
    fallback: undefined,
    shown: (value) => value?.toString(),
    ...names,
    kind: 'number',
    holds: Number.isSafeInteger,
    problem: (value) =>
      value < 0 || value > max ? saying('{what} must be from 0 to {max}', { what: more.what, max }) : undefined,
  };
}

/** `each` judges one of them. */
export function list(
  more: More<readonly string[]> & { what: Saying; each: (value: string, context: SettingContext) => Problem },
): Setting<readonly string[]> {
  const { each, ...names } = more;
  return {
    ...common,
    fallback: [],
    shown: (values) => values,
    ...names,
    kind: 'list',
    holds: (value) => Array.isArray(value) && value.every(isText),
    tidy: (values) => [...new Set(values)],
    problem: (values, context) => [
      values.length > MAX_LIST ? saying('at most {most} {what}', { most: MAX_LIST, what: more.what }) : undefined,
      ...values.slice(0, MAX_LIST).map((value) => each(value, context)),
    ],
  };
}

export function keys(names: Names): Setting<ClientKeys | undefined> {
  return {
    ...common,
    ...names,
    kind: 'keys',
    fallback: undefined,
    holds: isKeySet,
    tidy: (set) => set && tidyKeys(set),
    problem: clientKeysProblem,
    shown: (set) => set && describeKeys(set),
  };
}

/** To who gives it to a client of the other dialect. */
export function elsewhere({ only, what }: Setting<unknown>): Saying {
  return only === 'wechat'
    ? saying('{what} exists in the wechat dialect only', { what: what ?? '' })
    : saying('{what} exists in the oauth dialect only', { what: what ?? '' });
}

/** To who gives it a value that none of its kind can be. */
export function notOfItsKind(name: Saying, { kind, choices }: Setting<unknown>): Saying {
  return saying('{name} must be {kind}', { name, kind: choices ? either(choices) : WORDS[kind] });
}

const WORDS = {
  flag: saying('true or false'),
  text: saying('a text'),
  number: saying('a whole number'),
  list: saying('a list of texts'),
  choice: '',
  keys: saying('a JWK set'),
} as const;

const isText = (value: unknown) => typeof value === 'string';
const MAX_LIST = 50;
const common = { tidy: <V>(value: V) => value, problem: () => undefined };
