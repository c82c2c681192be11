import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';

/** What is made here, or comes from elsewhere. */
const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'data', 'coverage']);
const SECRETS = {
  'a private key in PEM': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{32}/,
  'a private JWK': /"(?:d|p|q|dp|dq|qi|k)"\s*:\s*"[\w-]{40,}"/,
  'a token of a registry or a host': /\b(?:npm_|ghp_|github_pat_|glpat-|AKIA)[A-Za-z0-9_]{16,}/,
};

function* files(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    if (NOT_OURS.has(name)) continue;
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

describe('the repository', () => {
  it('T70: holds no key and no token that opens anything', () => {
    const found: string[] = [];
    let read = 0;
    for (const path of files(projectRoot)) {
      const text = readFileSync(path, 'latin1');
      read += 1;
      for (const [what, pattern] of Object.entries(SECRETS)) {
        if (pattern.test(text)) found.push(`${relative(projectRoot, path)}: ${what}`);
      }
    }
    expect(read).toBeGreaterThan(300);
    expect(found).toEqual([]);
  });
});
