/** Installs the peer in bench/peers/better-auth, which is no dependency of the server, when a bench first needs it. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./peers/better-auth', import.meta.url));

/** The path of its program; undefined, with one line that says why, when npm cannot install it. */
export function installBetterAuth(): string | undefined {
  const time = (file: string) => statSync(`${folder}/${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (time('node_modules/.package-lock.json') < time('package-lock.json')) {
    console.error('Installing the peer better-auth in bench/peers/better-auth');
    const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
    const { status, stderr, error } = spawnSync('npm', args, { encoding: 'utf8' });
    if (status !== 0) {
      const reason = error?.message ?? stderr.split('\n').find((line) => line.includes('error')) ?? `status ${status}`;
      console.error(`better-auth is left out, npm could not install it: ${reason}`);
      return undefined;
    }
  }
  return `${folder}/server.mjs`;
}
