// Builds the package into dist/: one ES module by esbuild, declarations by tsc. Build ../web first: its types are needed.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

await rm(join(here, 'dist'), { recursive: true, force: true });
await build({
  entryPoints: [join(here, 'src/react.ts')],
  outdir: join(here, 'dist'),
  bundle: true,
  packages: 'external',
  // Not this folder's: its paths would bring @qrconnect/web in.
  tsconfigRaw: {},
  format: 'esm',
  // For frameworks that render on a server first: this part lives in the browser.
  banner: { js: "'use client';" },
  target: 'es2020',
  charset: 'utf8',
  logLevel: 'warning',
});
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const { status } = spawnSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', join(here, 'tsconfig.build.json')], {
  stdio: ['ignore', 2, 2],
});
process.exitCode = status ?? 1;
