// Whether dist/ is older than what it is built from; a walk of modification times only.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = ['src', 'migrations', 'browser', 'locales', 'scripts', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** True when `npm run build` is needed before dist/ can be run. */
export function isStale(root) {
  const built = statSync(join(root, 'dist', '.built'), { throwIfNoEntry: false });
  return !built || SOURCES.some((source) => newest(join(root, source)) > built.mtimeMs);
}

function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}
