/** What one verb of the command line is, and how its options are read. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Services } from '../app.js';

export type OptionNames = NonNullable<ParseArgsConfig['options']>;

/** The same answer twice: for programs and for people. */
export interface Outcome {
  readonly json: unknown;
  readonly text: string;
}

export interface Command {
  /** What follows `npm run admin --`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: OptionNames;
  /** The option that may stand alone, without its flag. */
  readonly positional?: string;
  /** Reads the options, throwing UsageError before anything is opened; what it returns does the work. */
  prepare(options: Options): (services: Services) => Promise<Outcome>;
}

/** The command was typed wrongly; the message names the fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options as they were given. */
export class Options {
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly positional?: string,
  ) {}

  static parse(args: string[], command: Pick<Command, 'options' | 'positional'>): Options {
    const { values, positionals } = parse(args, command.options);
    const [word, ...more] = positionals;
    const name = command.positional;
    const unexpected = name === undefined || values[name] !== undefined ? word : more[0];
    if (unexpected !== undefined) {
      throw new UsageError(`"${unexpected}" was not expected here; put quotes around a value that holds spaces`);
    }
    return new Options(name === undefined || word === undefined ? values : { ...values, [name]: word }, name);
  }

  optional(name: string): string | undefined {
    return this.values[name] as string | undefined;
  }

  required(name: string): string {
    const value = this.optional(name);
    // What may stand alone is named as the usage names it.
    if (value === undefined) throw new UsageError(`${name === this.positional ? `<${name}>` : `--${name}`} is missing`);
    return value;
  }

  list(name: string): string[] {
    return (this.values[name] as string[] | undefined) ?? [];
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** True, false for `--no-<name>`, undefined when not named. */
  given(name: string): boolean | undefined {
    return this.values[name] as boolean | undefined;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.optional(name);
    const found = choices.find((choice) => choice === value);
    if (value !== undefined && found === undefined) {
      throw new UsageError(`--${name} must be one of ${choices.join(', ')}; it is "${value}"`);
    }
    return found;
  }
}

function parse(args: string[], options: OptionNames) {
  try {
    return parseArgs({ args, options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    // Node's own sentences name the option and the fix; the part about `--` helps nobody here.
    throw new UsageError((error as Error).message.replace(/\. To specify a positional argument .*$/s, ''));
  }
}
