// Builds the browser scripts and style sheets into dist/browser, with a manifest from logical to hashed file names.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const outdir = path.join(root, 'dist/browser');
const source = (file) => path.join(root, 'browser', file);
const client = (file) => path.join(root, 'clients/web/src', file);

const common = {
  outdir,
  bundle: true,
  minify: true,
  format: 'iife',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
};

/** The few words WeChat's widget shows in other people's pages, taken from the locale files like all other text. */
async function widgetTexts() {
  const texts = {};
  for (const lang of ['zh-CN', 'en']) {
    const all = JSON.parse(await readFile(path.join(root, `locales/${lang}.json`), 'utf8'));
    texts[lang] = Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith('widget.')));
  }
  return JSON.stringify(texts);
}

/** Our own pages' files: immutable, so their names carry a hash of the content. */
async function buildPages() {
  const entryPoints = [
    { in: source('waiting/main.ts'), out: 'waiting' },
    { in: source('interaction/main.ts'), out: 'interaction' },
    { in: source('interaction/consent.ts'), out: 'consent' },
    { in: source('phone/sign-in.ts'), out: 'sign-in' },
    { in: source('phone/decide.ts'), out: 'decide' },
    { in: source('phone/device.ts'), out: 'device' },
    { in: source('admin/setup.ts'), out: 'setup' },
    { in: source('admin/sign-in.ts'), out: 'console-sign-in' },
    { in: source('admin/clients.ts'), out: 'console-clients' },
    { in: source('admin/new-client.ts'), out: 'console-new-client' },
    { in: source('admin/client.ts'), out: 'console-client' },
    { in: source('admin/passkeys.ts'), out: 'console-passkeys' },
    { in: source('styles/site.css'), out: 'site' },
    { in: source('styles/waiting.css'), out: 'waiting' },
    { in: source('styles/interaction.css'), out: 'interaction' },
    { in: source('styles/phone.css'), out: 'phone' },
    { in: source('styles/console.css'), out: 'console' },
    { in: source('styles/dress.css'), out: 'dress' },
  ];
  const result = await build({
    ...common,
    entryPoints,
    entryNames: '[name]-[hash]',
    target: 'es2020',
    metafile: true,
    absWorkingDir: root,
  });
  const manifest = {};
  for (const file of Object.keys(result.metafile.outputs)) {
    const name = path.basename(file);
    manifest[name.replace(/-[0-9A-Z]{8}(\.\w+)$/, '$1')] = name;
  }
  return manifest;
}

/** The files other sites load: plain names; qrconnect.js is a module, wxLogin.js must also run where only ES5 does. */
async function buildWidgets() {
  await build({ ...common, entryPoints: [{ in: client('element/widget.ts'), out: 'widget' }], target: 'es2020' });
  const module = { in: client('qrconnect.ts'), out: 'qrconnect' };
  await build({ ...common, entryPoints: [module], format: 'esm', target: 'es2020' });
  await build({
    ...common,
    define: { __WIDGET_TEXTS__: await widgetTexts() },
    entryPoints: [{ in: source('widget/wx-login.ts'), out: 'wxLogin' }],
    target: 'es5',
  });
  await copyFile(source('widget/wxLogin.d.ts'), path.join(outdir, 'wxLogin.d.ts'));
  return { 'widget.js': 'widget.js', 'qrconnect.js': 'qrconnect.js', 'wxLogin.js': 'wxLogin.js' };
}

await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const manifest = { ...(await buildPages()), ...(await buildWidgets()) };
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(path.join(outdir, 'manifest.json'), `${JSON.stringify(sorted, null, 2)}\n`);
