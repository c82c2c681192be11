/** The files built for browsers: content-hashed pages' assets, and the widgets' files under fixed names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project-root.js';
import { BUILD_FILES, nameBuild, type WidgetBuild } from '../widget/widget-build.js';

export interface Asset {
  readonly body: Buffer;
  readonly type: string;
}

export type WidgetFile = 'widget.js' | 'qrconnect.js' | 'wxLogin.js' | 'wxLogin.d.ts';

export interface Assets {
  /** The address of a built file by its logical name, such as `waiting.js`. */
  url(name: string): string;
  find(fileName: string): Asset | undefined;
  /** A file that other sites load, with this server's address written in. */
  widget(name: WidgetFile): Asset;
  /** Those of them that have a pinned address as well, under one name. */
  readonly build: WidgetBuild;
}

const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
};

const WIDGET_TYPES: Record<WidgetFile, string> = {
  'widget.js': TYPES.js as string,
  'qrconnect.js': TYPES.js as string,
  'wxLogin.js': TYPES.js as string,
  // For people to look at and programs to copy; no browser runs it.
  'wxLogin.d.ts': 'text/plain; charset=utf-8',
};

/** Throws with the fix in its message when the browser files were never built. */
export function loadAssets(publicUrl: string, folder = join(projectRoot, 'dist', 'browser')): Assets {
  let manifest: Record<string, string>;
  try {
    manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new Error(`no browser files in ${folder}: run "npm run build"`, { cause });
  }
  const files = new Map(Object.values(manifest).map((file) => [file, read(folder, file)]));
  const widgets = new Map(
    Object.entries(WIDGET_TYPES).map(([name, type]) => {
      const source = readFileSync(join(folder, name), 'utf8').replaceAll('__QRCONNECT_ORIGIN__', publicUrl);
      return [name, { body: Buffer.from(source), type }];
    }),
  );
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const bodies = BUILD_FILES.map((name) => [name, (widgets.get(name) as Asset).body] as const);
  return {
    build: nameBuild(version, Object.fromEntries(bodies) as WidgetBuild['files']),
    url(name) {
      const file = manifest[name];
      if (file === undefined) throw new Error(`no built browser file is called ${name}`);
      return `/assets/${file}`;
    },
    find: (fileName) => files.get(fileName),
    widget: (name) => widgets.get(name) as Asset,
  };
}

function read(folder: string, file: string): Asset {
  return {
    body: readFileSync(join(folder, file)),
    type: TYPES[file.split('.').pop() ?? ''] ?? 'application/octet-stream',
  };
}
