/** Runs a command of the command line without a server, over services that only note what they were asked. */
import { expect } from 'vitest';
import type { Services } from '../../src/app.js';
import { type Command, Options, UsageError } from '../../src/cli/command.js';

/** What came of it, and each call in order: its method, then what it was given. `answers`: by method, of any service. */
export async function run(command: Command, args: string[], answers: Record<string, unknown>) {
  const asked: unknown[][] = [];
  const service = Object.fromEntries(
    Object.entries(answers).map(([method, answer]) => [
      method,
      async (...given: unknown[]) => {
        asked.push([method, ...given]);
        return answer;
      },
    ]),
  );
  const services = {
    accounts: service,
    administrators: service,
    apiTokens: service,
    clients: service,
    resources: service,
    widgets: { snippet: '<script src="…" integrity="sha384-…"></script>' },
    publicUrl: 'https://login.example',
  };
  return { ...(await command.prepare(Options.parse(args, command))(services as unknown as Services)), asked };
}

/** As a mistake in typing, before anything is opened. */
export function refuses(command: Command, args: string[], message: RegExp): void {
  const attempt = () => command.prepare(Options.parse(args, command));
  expect(attempt).toThrow(UsageError);
  expect(attempt).toThrow(message);
}
