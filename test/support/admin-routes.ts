/** Every address of administration with its method, read from where they are declared, so that a new one is never forgotten. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.js';

export interface AdminRoute {
  readonly method: string;
  /** With `:id` and the like in it. */
  readonly path: string;
}

export function adminRoutes(): AdminRoute[] {
  const source = readFileSync(join(projectRoot, 'src', 'http', 'admin', 'routes.ts'), 'utf8');
  const found = [...source.matchAll(/at\(\s*'(\w+)',\s*'(\/admin[^']*)'/g)];
  return found.map(([, method = '', path = '']) => ({ method: method.toUpperCase(), path }));
}
