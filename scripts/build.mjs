// Builds everything `npm start` runs: the server by tsc, the browser files by esbuild. Says nothing unless it fails.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function run(...args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(join(root, 'dist', '.built'), { force: true });
mkdirSync(join(root, 'dist'), { recursive: true });
run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json');
run(join('scripts', 'build-browser.mjs'));
// Its time is what start.mjs compares the sources with.
writeFileSync(join(root, 'dist', '.built'), '');
