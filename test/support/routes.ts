/** Every address this server answers at, read from the doors' sources so that a new one is never forgotten. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.js';

/** The engine's own addresses; they stand in its configuration. */
const ENGINE = [
  '/.well-known/openid-configuration',
  '/oauth/authorize',
  '/oauth/authorize/x',
  '/oauth/token',
  '/oauth/userinfo',
  '/oauth/jwks',
  '/oauth/par',
];

/** Route templates with `x` in place of each parameter. */
export function allRoutes(): string[] {
  const folder = join(projectRoot, 'src', 'http');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const literals = sources.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return [...text.matchAll(/['"`](\/[\w.:/-]*)['"`]/g)].map((found) => found[1] as string);
  });
  const routes = literals.filter((path) => !path.includes('//')).map((path) => path.replace(/:\w+/g, 'x'));
  return [...new Set([...routes, ...ENGINE])].sort();
}
