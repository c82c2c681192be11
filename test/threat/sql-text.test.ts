import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';

it('T71: no SQL text of ours is put together from anything but constants', () => {
  const sources = ['src', 'migrations'].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  expect(sources.length).toBeGreaterThan(50);
  for (const name of sources) {
    const source = readFileSync(join(projectRoot, name), 'utf8');
    expect(source, name).not.toMatch(/\b(raw|whereRaw|orderByRaw|selectRaw|joinRaw|havingRaw)\(\s*`[^`]*\$\{/);
    // Statements are module constants: what is spliced into them is another constant, named in capitals.
    for (const [, sql] of source.matchAll(/: Statement = \{[^}]*?text:\s*`([^`]*)`/g)) {
      for (const [, spliced] of (sql as string).matchAll(/\$\{([^}]*)\}/g)) {
        expect(spliced, name).toMatch(/^[A-Z][A-Z_]*(\.\w+)?$/);
      }
    }
    if (!/-store\.ts$|database\/|migrations\/|nudge|server-keys|audit/.test(name)) {
      expect(source, name).not.toMatch(/\.query\(\s*[`'"]/);
    }
  }
});
