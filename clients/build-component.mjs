// Builds a component package into its dist/: one ES module by esbuild, declarations by tsc. Build web first: its types are needed.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

/** `folder` is the package's own; `more` goes to esbuild. */
export async function buildComponent(folder, entry, more = {}) {
  await rm(join(folder, 'dist'), { recursive: true, force: true });
  await build({
    entryPoints: [join(folder, entry)],
    outdir: join(folder, 'dist'),
    bundle: true,
    packages: 'external',
    // Not the folder's: its paths would bring @qrconnect/web in.
    tsconfigRaw: {},
    format: 'esm',
    target: 'es2020',
    charset: 'utf8',
    logLevel: 'warning',
    ...more,
  });
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc');
  const project = join(folder, 'tsconfig.build.json');
  process.exitCode = spawnSync(process.execPath, [tsc, '-p', project], { stdio: ['ignore', 2, 2] }).status ?? 1;
}
