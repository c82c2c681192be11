/** Runs the questions, prints their tables and writes bench/results/latest.md. `npm run bench -- exchange` runs one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/ensure-built.mjs';
import { projectRoot } from '../src/project-root.js';
import { authorization } from './authorization.js';
import { exchange } from './exchange.js';
import { flood } from './flood.js';
import { held } from './held.js';
import { logins } from './logins.js';
import { notify } from './notify.js';
import { polling } from './polling.js';
import { stopPostgres, withPostgres } from './private-postgres.js';
import { start } from './start.js';
import { type Table, toMarkdown } from './table.js';
import { waiting } from './waiting.js';

const QUESTIONS: Record<string, () => Promise<Table | Table[]>> = {
  exchange: () => withPostgres(({ url }) => exchange(url)),
  authorization: () => withPostgres(({ url }) => authorization(url)),
  waiting: () => withPostgres(waiting),
  held: () => withPostgres(held),
  flood: () => withPostgres(flood),
  logins: () => withPostgres(logins),
  polling: () => withPostgres(polling),
  notify: () => withPostgres(notify),
  start,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in QUESTIONS));
if (unknown.length > 0) {
  console.error(`There is no question "${unknown.join('", "')}". Known: ${Object.keys(QUESTIONS).join(', ')}.`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Servers end with this process (server-process.ts); the private Postgres would not.
  process.once(signal, () => stopPostgres().finally(() => process.exit(130)));
}
await ensureBuilt({ announce: true });
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}; load generator, server and Postgres share the cores, so read the ratios. Load of the machine before: ${loadavg()[0]?.toFixed(1)}.`;
const tables: string[] = [];
for (const [name, ask] of Object.entries(QUESTIONS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  for (const table of [await ask()].flat()) {
    tables.push(toMarkdown(table));
    console.log(tables.at(-1));
  }
}
mkdirSync(join(projectRoot, 'bench/results'), { recursive: true });
const file = join(projectRoot, 'bench/results', asked.length > 0 ? `${asked.join('-')}.md` : 'latest.md');
writeFileSync(file, `# Results of \`npm run bench\`\n\n${machine}\n\n${tables.join('\n')}`);
console.log(`Written to ${file}`);
process.exit(0);
