// Builds the package into dist/: ES modules by esbuild, declarations by tsc. Uses the project's own node_modules.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, 'dist');

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: [join(here, 'src/qrconnect.ts'), join(here, 'src/draw-qr.ts')],
  outdir,
  bundle: true,
  format: 'esm',
  target: 'es2020',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
});
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const declarations = ['-p', here, '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', outdir];
const { status } = spawnSync(process.execPath, [join(typescript, 'bin/tsc'), ...declarations], {
  stdio: ['ignore', 2, 2],
});
process.exitCode = status ?? 1;
