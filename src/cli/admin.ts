/** `npm run admin -- <noun> <verb> ...`: finds the command, opens the services, prints one answer. */
import '../quiet-warnings.js';
import { type Config, ConfigError, loadConfig } from '../config.js';
import { AppError } from '../error.js';
import { accountCommands } from './accounts.js';
import { administratorCommands } from './administrators.js';
import { clientCommands } from './clients.js';
import { type Command, Options, type Outcome, UsageError } from './command.js';
import { keyCommands } from './keys.js';
import { record } from './layout.js';
import { resourceCommands } from './resources.js';
import { tokenCommands } from './tokens.js';
import { tell } from './voice.js';
import { widgetCommands } from './widgets.js';

const NOUNS: Record<string, Record<string, Command>> = {
  clients: clientCommands,
  accounts: accountCommands,
  resources: resourceCommands,
  keys: keyCommands,
  widgets: widgetCommands,
  administrators: administratorCommands,
  tokens: tokenCommands,
};
/** May stand anywhere, also before the noun. */
const EVERYWHERE: ReadonlySet<string> = new Set(['--json', '--help', '-h']);
const EXIT = { done: 0, failed: 1, usage: 2, config: 78 } as const;

async function main(args: string[]): Promise<number> {
  const json = args.includes('--json');
  const [noun, verb, ...rest] = args.filter((arg) => !EVERYWHERE.has(arg));
  let command: Command | undefined;
  try {
    command = noun === undefined || verb === undefined ? undefined : find(noun, verb);
    if (args.includes('--help') || args.includes('-h')) return print(command ? commandHelp(command) : overview(noun));
    if (!command) throw new UsageError(noun === undefined ? 'say what to do' : `"${noun}" needs a verb`);
    const work = command.prepare(Options.parse(rest, command));
    const outcome = await withServices(loadConfig(), work);
    return print(json ? JSON.stringify(outcome.json) : outcome.text);
  } catch (error) {
    return report(error, json, command);
  }
}

function find(noun: string, verb: string): Command {
  const verbs = verbsOf(noun);
  if (!Object.hasOwn(verbs, verb)) {
    throw new UsageError(`"${noun}" has no verb "${verb}"; it has ${Object.keys(verbs).join(', ')}`);
  }
  return verbs[verb] as Command;
}

function verbsOf(noun: string): Record<string, Command> {
  if (!Object.hasOwn(NOUNS, noun)) {
    throw new UsageError(`there is no noun "${noun}"; there are ${Object.keys(NOUNS).join(', ')}`);
  }
  return NOUNS[noun] as Record<string, Command>;
}

/** Works beside a running server: with DATABASE_URL on the same database, else on its private one, started if it rests. */
async function withServices(config: Config, work: ReturnType<Command['prepare']>): Promise<Outcome> {
  // Loaded late: help and mistakes in typing answer at once.
  const { createServices } = await import('../app.js');
  const { startEmbeddedPostgres } = await import('../database/embedded.js');
  const embedded = config.databaseUrl ? undefined : await startEmbeddedPostgres({ dataDir: config.dataDir });
  try {
    const services = await createServices(config, config.databaseUrl ?? (embedded?.url as string));
    try {
      return await work(services);
    } finally {
      await services.close();
    }
  } finally {
    await embedded?.stopIfUnused();
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.done;
}

function report(error: unknown, json: boolean, command: Command | undefined): number {
  const { code, exit } = classify(error);
  const description = describe(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: code, error_description: description })}\n`);
  if (code === 'usage') {
    const usage = command ? `Usage: npm run admin -- ${command.usage}` : overview();
    process.stderr.write(`${json ? '' : `Error: ${description}.\n\n`}${usage}\n`);
  } else if (!json) {
    process.stderr.write(code === 'config' ? `${description}\n` : `Error: ${description}\n`);
  }
  return exit;
}

function classify(error: unknown): { code: string; exit: number } {
  if (error instanceof UsageError) return { code: 'usage', exit: EXIT.usage };
  if (error instanceof ConfigError) return { code: 'config', exit: EXIT.config };
  if (error instanceof AppError) return { code: error.code, exit: EXIT.failed };
  // The database's driver and the system name their errors by a code.
  const known = /^(E[A-Z]+|28\w{3}|3D000|57P\d\d)$/.test((error as { code?: string }).code ?? '');
  return { code: known ? 'unavailable' : 'server_error', exit: EXIT.failed };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with two addresses fails twice, in an error without a message of its own.
  const inner = error instanceof AggregateError ? error.errors.map((e: Error) => e.message).join('; ') : undefined;
  if (error instanceof AppError && error.code === 'unavailable' && error.cause) {
    return `the database cannot be reached: ${describe(error.cause)}`;
  }
  if (error instanceof AppError && error.sayings) return error.sayings.map(tell).join('; ');
  return error.message || inner || error.name;
}

function overview(noun?: string): string {
  const nouns = noun === undefined ? Object.keys(NOUNS) : [noun];
  const rows = nouns.flatMap((name) =>
    Object.entries(verbsOf(name)).map(([verb, { summary }]) => [`${name} ${verb}`, summary] as const),
  );
  return [
    'Usage: npm run admin -- <noun> <verb> [options]',
    '',
    record(rows),
    '',
    'Every command takes --help and --json (one JSON value on standard output; use npm run --silent).',
  ].join('\n');
}

function commandHelp(command: Command): string {
  return `Usage: npm run admin -- ${command.usage}\n\n${capital(command.summary)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

process.exitCode = await main(process.argv.slice(2));
