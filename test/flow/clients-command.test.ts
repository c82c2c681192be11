/** `npm run admin -- clients …` beside a running server: what is wrong and what should be known, in words of options. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server?.stop());

async function clients(...args: string[]) {
  const { PATH = '', USER, PGUSER } = process.env;
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/admin.js'), 'clients', ...args], {
    env: {
      PATH,
      ...(USER ? { USER } : {}),
      ...(PGUSER ? { PGUSER } : {}),
      DATABASE_URL: server.database.url,
    },
  });
  const said = { out: '', error: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.error += chunk));
  const [status] = (await once(child, 'close')) as [number];
  return { ...said, status };
}

const WITHOUT_KEYS =
  'the name mixes scripts; private_key_jwt needs the public keys of the client: name them with --jwks';

describe('clients on the command line', () => {
  it('are refused in words that name the options to use, also in JSON', async () => {
    const words = ['create', '--name', 'B\u0430nk', '--redirect-uri', 'https://shop.example/'];
    const keyed = [...words, '--auth-method', 'private_key_jwt'];
    expect(await clients(...keyed)).toEqual({ out: '', error: `Error: ${WITHOUT_KEYS}\n`, status: 1 });
    const { out, status } = await clients(...keyed, '--json');
    expect([JSON.parse(out), status]).toEqual([{ error: 'invalid_request', error_description: WITHOUT_KEYS }, 1]);
  });

  it('are warned of a callback domain when it is set, changed and shown, for people and for programs', async () => {
    const warning = (domain: string) =>
      `a callback domain accepts any address on ${domain}: exact redirect URIs are safer`;
    const words = ['--name', 'Cafe', '--dialect', 'wechat', '--callback-domain', 'cafe.example'];
    const { out } = await clients('create', ...words, '--json');
    const { client_id: id, warnings } = JSON.parse(out) as { client_id: string; warnings: string[] };
    expect(warnings).toContain(warning('cafe.example'));
    expect((await clients('show', id)).out).toContain(`Note: ${warning('cafe.example')}.`);
    const changed = await clients('update', id, '--callback-domain', 'tea.example');
    expect(changed.out).toContain(`Note: ${warning('tea.example')}.`);
    expect(
      (await clients('update', id, '--callback-domain', '', '--redirect-uri', 'https://tea.example/')).out,
    ).not.toMatch(/callback domain accepts/);
  });

  it('are answered with their warnings as texts, which name options too', async () => {
    const { client } = await server.app.clients.register('test', {
      name: 'Shop',
      redirectUris: ['https://shop.example/'],
      embedOrigins: ['https://www.shop.example'],
      matchCode: 'off',
    });
    const { out } = await clients('update', client.id, '--redirect-uri', 'https://new.example/', '--json');
    expect(JSON.parse(out).warnings).toEqual([
      expect.stringMatching(/^without the match code, a person who is shown /),
      'https://new.example may not frame the QR page; name it with --embed-origin if it should',
      expect.stringMatching(/^https:\/\/www.shop.example may frame .* with --embed-origin$/),
    ]);
  });
});
