/** The house rules that can be read off the sources: who imports whom, no cycles, sizes, one reader of the environment. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCOPES_OF } from '../src/client/client.js';
import { projectRoot } from '../src/project-root.js';

interface Source {
  /** Path below the project, such as src/ticket/ticket.ts. */
  readonly path: string;
  readonly text: string;
  /** Paths of ours, names of packages. */
  readonly imports: ReadonlyArray<{ target: string; typeOnly: boolean }>;
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;

function read(folder: string): Source[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(projectRoot, path), 'utf8');
      const imports = [...text.matchAll(IMPORT)].map(([, type, target = '']) => ({
        typeOnly: type !== undefined,
        target: target.startsWith('.')
          ? relative(projectRoot, join(projectRoot, dirname(path), target)).replace(/\.js$/, '.ts')
          : target,
      }));
      return { path, text, imports };
    });
}

const sources = read('src');
const folderOf = (path: string) => (/^src\/([a-z]+)\//.exec(path) ?? [])[1];
const offenders = (isWrong: (source: Source, target: string, typeOnly: boolean) => boolean) =>
  sources.flatMap((source) =>
    source.imports
      .filter(({ target, typeOnly }) => isWrong(source, target, typeOnly))
      .map(({ target }) => `${source.path} imports ${target}`),
  );

/** Only these put the house together. */
const ROOTS = new Set(['src/app.ts', 'src/house.ts', 'src/main.ts', 'src/demo.ts', 'src/start-up.ts']);

describe('the house', () => {
  it('lets nobody but the engine import oidc-provider', () => {
    expect(offenders(({ path }, target) => target === 'oidc-provider' && folderOf(path) !== 'engine')).toEqual([]);
  });

  it('lets nobody but the database folder import pg or knex', () => {
    expect(
      offenders(({ path }, target) => (target === 'pg' || target === 'knex') && folderOf(path) !== 'database'),
    ).toEqual([]);
  });

  it('keeps SQL in stores: only they, the audit log and the nudge define statements', () => {
    const allowed = /(-store\.ts|^src\/database\/|audit-log\.ts|nudge\.ts)/;
    const wrong = sources.filter(({ path, text }) => !allowed.test(path) && /:\s*Statement\b/.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('lets only the roots import http and cli', () => {
    const inner = new Set(['http', 'cli']);
    expect(
      offenders(({ path }, target) => {
        const to = folderOf(target);
        return to !== undefined && inner.has(to) && to !== folderOf(path) && !ROOTS.has(path);
      }),
    ).toEqual([]);
  });

  it('keeps ticket, account, administrator, client, key and audit apart from the engine, from koa, and from each other’s stores', () => {
    const domain = new Set(['ticket', 'account', 'administrator', 'client', 'key', 'resource', 'widget', 'audit']);
    expect(
      offenders(({ path }, target, typeOnly) => {
        const from = folderOf(path);
        if (from === undefined || !domain.has(from)) return false;
        if (target === 'koa' || target === '@koa/router') return true;
        const to = folderOf(target);
        if (to === 'engine' || to === 'http') return true;
        return !typeOnly && to !== undefined && to !== from && domain.has(to) && /-(store|service)\.ts$/.test(target);
      }),
    ).toEqual([]);
  });

  it('lets nobody import app.ts but the roots and the command line', () => {
    expect(
      offenders(
        ({ path }, target, typeOnly) =>
          target === 'src/app.ts' && !typeOnly && !ROOTS.has(path) && folderOf(path) !== 'cli',
      ),
    ).toEqual([]);
  });

  it('reads the environment in config.ts only', () => {
    const wrong = sources.filter(({ path, text }) => path !== 'src/config.ts' && text.includes('process.env'));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('has no import cycle, types included', () => {
    const edges = new Map(sources.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
    const done = new Set<string>();
    const visit = (path: string, trail: string[]): string[] | undefined => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
      if (done.has(path)) return undefined;
      for (const next of edges.get(path) ?? []) {
        const cycle = visit(next, [...trail, path]);
        if (cycle) return cycle;
      }
      done.add(path);
      return undefined;
    };
    for (const path of edges.keys()) expect(visit(path, [])).toBeUndefined();
  });

  it('keeps files below 250 lines and opens each with what it owns', () => {
    const all = [...sources, ...read('browser'), ...read('clients'), ...read('migrations')];
    expect(all.filter(({ text }) => text.split('\n').length > 250).map(({ path }) => path)).toEqual([]);
    expect(sources.filter(({ text }) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('T3 takes randomness from the system only', () => {
    const wrong = sources.filter(({ text }) => /Math\.random|from 'uuid'/.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('T71 puts nothing into a statement but constants', () => {
    const all = [...sources, ...read('migrations')];
    const raw = all.filter(({ text }) => /\braw\(\s*`[^`]*\$\{/.test(text));
    expect(raw.map(({ path }) => path)).toEqual([]);
    // Statements may be composed of constants written in capitals, never of a variable.
    const composed = all
      .filter(({ text }) => /:\s*Statement\b/.test(text))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/text:\s*`([^`]*)`/g)].flatMap(([, sql = '']) =>
          [...sql.matchAll(/\$\{([^}]*)\}/g)]
            .filter(([, inner = '']) => !/^[A-Z_]+(\.\w+)?$/.test(inner))
            .map(([, inner]) => `${path}: ${inner}`),
        ),
      );
    expect(composed).toEqual([]);
  });

  it('T54 has words for every scope a phone may show', () => {
    const texts = JSON.parse(readFileSync(join(projectRoot, 'locales', 'en.json'), 'utf8'));
    const scopes = [...SCOPES_OF.oauth, ...SCOPES_OF.wechat];
    expect(scopes.filter((scope) => texts[`scope.${scope}`] === undefined)).toEqual([]);
  });

  it('speaks both languages completely', () => {
    const keys = (lang: string) =>
      Object.keys(JSON.parse(readFileSync(join(projectRoot, 'locales', `${lang}.json`), 'utf8'))).sort();
    expect(keys('zh-CN')).toEqual(keys('en'));
  });
});
