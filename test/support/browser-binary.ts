/** Which Chromium the browser tests drive: CHROME_PATH, else the one inside an npm package (Linux x64), else an installed one. */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/project-root.js';

export interface BrowserBinary {
  readonly executablePath: string;
  readonly env: Record<string, string>;
}

const INSTALLED = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** Throws when this machine has none: a test that did not run must not look like one that passed. */
export async function findBrowser(): Promise<BrowserBinary> {
  const asked = process.env.CHROME_PATH;
  if (asked) {
    if (!existsSync(asked)) throw new Error(`CHROME_PATH is ${asked}, and there is no such file`);
    return { executablePath: asked, env: inheritedEnv() };
  }
  if (process.platform === 'linux' && process.arch === 'x64') return unpackedBrowser();
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((dir) => COMMANDS.map((name) => join(dir, name)));
  const executablePath = [...onPath, ...INSTALLED].find((path) => existsSync(path));
  if (!executablePath) {
    throw new Error(
      'The browser tests need Chrome or Chromium. Install one (Debian: apt-get install chromium; ' +
        'macOS: brew install --cask google-chrome), or set CHROME_PATH to its executable.',
    );
  }
  return { executablePath, env: inheritedEnv() };
}

/** Unpacked once per package version and user; its own libraries and fonts stand in for those a bare machine lacks. */
async function unpackedBrowser(): Promise<BrowserBinary> {
  const manifest = join(projectRoot, 'node_modules', '@sparticuz', 'chromium', 'package.json');
  if (!existsSync(manifest))
    throw new Error('The browser tests need @sparticuz/chromium (npm ci), or set CHROME_PATH.');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const { uid } = userInfo();
  const folder = join(tmpdir(), `qrconnect-chromium-${version}-${uid}`);
  if (!isOurs(folder, uid)) await unpack(folder);
  if (!isOurs(folder, uid)) throw new Error(`${folder} belongs to somebody else; remove it, or set TMPDIR`);
  const env: Record<string, string> = { ...inheritedEnv(), LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') };
  if (!existsSync('/etc/fonts/fonts.conf')) env.FONTCONFIG_PATH = join(folder, 'fonts');
  return { executablePath: join(folder, 'chromium'), env };
}

/** A predictable name in a shared folder: run nothing that another user put there. */
function isOurs(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && existsSync(join(folder, 'chromium'));
}

/** Two test files may start at once: each unpacks for itself, and whoever is second keeps the first one's. */
async function unpack(folder: string): Promise<void> {
  const staging = mkdtempSync(`${folder}.`);
  const script = "await (await import('@sparticuz/chromium')).default.executablePath()";
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: projectRoot,
      // Told that it runs in a bare container, the package unpacks its shared libraries as well.
      env: { ...inheritedEnv(), TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
    });
    writeFileSync(join(staging, 'fonts', 'fonts.conf'), fontsConf(folder));
    renameSync(staging, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The package's own names the places of a cloud function. */
function fontsConf(folder: string): string {
  const dirs = `<dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir>`;
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${dirs}</fontconfig>\n`;
}

function inheritedEnv(): Record<string, string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env as Record<string, string>;
}
