/** One build of the files that other sites load: its name, its addresses, and the hashes that sites pin it by (T35). */
import { createHash } from 'node:crypto';

/** What a build holds: the element, the same as a module with everything else of the browser client, WeChat's function. */
export const BUILD_FILES = ['widget.js', 'qrconnect.js', 'wxLogin.js'] as const;
export type BuildFile = (typeof BUILD_FILES)[number];

export interface WidgetBuild {
  /** `<version>-<16 hex digits of the content's hash>`: another content has another name. */
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<BuildFile, Buffer>>;
}

export function nameBuild(version: string, files: WidgetBuild['files']): WidgetBuild {
  const hash = createHash('sha256');
  for (const file of BUILD_FILES) hash.update(`${file} ${files[file].length}\n`).update(files[file]);
  return { name: `${version}-${hash.digest('hex').slice(0, 16)}`, version, files };
}

const NAME = /^\d[\w.+-]{0,60}-[\da-f]{16}$/;

/** Nothing else is ever looked up. */
export function isBuildFile(name: string, file: string): file is BuildFile {
  return NAME.test(name) && (BUILD_FILES as readonly string[]).includes(file);
}

/** What a browser compares the bytes with (Subresource Integrity). */
export function integrityOf(body: Buffer): string {
  return `sha384-${createHash('sha384').update(body).digest('base64')}`;
}

export function addressOf({ name }: WidgetBuild, file: BuildFile): string {
  return `/widget/${name}/${file}`;
}
