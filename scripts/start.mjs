// Starts the server, or one of its commands (admin, phone), after building whatever changed.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuilt } from './ensure-built.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TARGETS = { server: 'main.js', admin: 'cli/admin.js', phone: 'cli/phone.js' };

const asked = process.argv[2];
if (asked !== undefined && !Object.hasOwn(TARGETS, asked)) {
  process.stderr.write('Usage: npm start | npm run admin -- <noun> <verb> ... | npm run phone -- <verb> ...\n');
  process.exit(2);
}
const target = asked ?? 'server';
await ensureBuilt({ announce: target === 'server' });
const program = join(root, 'dist', 'src', TARGETS[target]);
// The program sees its own arguments where every program looks for them.
process.argv.splice(1, asked === undefined ? 1 : 2, program);
await import(pathToFileURL(program).href);
