/** Runs the questions, prints their tables and writes bench/results/latest.md. `npm run bench -- exchange` runs one. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/ensure-built.mjs';
import { startEmbeddedPostgres } from '../src/database/embedded.js';
import { projectRoot } from '../src/project-root.js';
import { authorization } from './authorization.js';
import { exchange } from './exchange.js';
import { newDataDir } from './server-process.js';
import { start } from './start.js';
import { type Table, toMarkdown } from './table.js';

const QUESTIONS: Record<string, () => Promise<Table>> = {
  exchange: () => withPostgres(exchange),
  authorization: () => withPostgres(authorization),
  start,
};

async function withPostgres<T>(ask: (url: string) => Promise<T>): Promise<T> {
  const dataDir = newDataDir();
  const postgres = await startEmbeddedPostgres({ dataDir });
  try {
    return await ask(postgres.url);
  } finally {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in QUESTIONS));
if (unknown.length > 0) {
  console.error(`There is no question "${unknown.join('", "')}". Known: ${Object.keys(QUESTIONS).join(', ')}.`);
  process.exit(2);
}
await ensureBuilt({ announce: true });
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}; load generator, server and Postgres share the cores, so read the ratios.`;
const tables: string[] = [];
for (const [name, ask] of Object.entries(QUESTIONS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const table = toMarkdown(await ask());
  tables.push(table);
  console.log(table);
}
mkdirSync(join(projectRoot, 'bench/results'), { recursive: true });
const file = join(projectRoot, 'bench/results', asked.length > 0 ? `${asked.join('-')}.md` : 'latest.md');
writeFileSync(file, `# Results of \`npm run bench\`\n\n${machine}\n\n${tables.join('\n')}`);
console.log(`Written to ${file}`);
process.exit(0);
