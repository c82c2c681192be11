/** T35: the scripts that other sites load stay what they were pinned as, and hold nothing but ours. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, Options } from '../../src/cli/command.js';
import { widgetCommands } from '../../src/cli/widgets.js';
import { projectRoot } from '../../src/project-root.js';
import { BUILD_FILES, nameBuild } from '../../src/widget/widget-build.js';
import { createWidgetStore } from '../../src/widget/widget-store.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, startNode, type TestApp } from '../support/start-app.js';

interface Manifest {
  version: string;
  build: string;
  url: string;
  integrity: string;
  module: { url: string; integrity: string };
  wxLogin: { url: string; integrity: string };
  signature: string;
}

let server: TestApp;
let house: OauthSite;
let manifest: Manifest;
beforeAll(async () => {
  server = await startApp();
  house = await oauthSite(server.app, server);
  manifest = (await send(`${server.url}/widget.json`)).json<Manifest>();
});
afterAll(() => server?.stop());

const files = () => [manifest, manifest.module, manifest.wxLogin];
const sha384 = (body: string) => `sha384-${createHash('sha384').update(body).digest('base64')}`;
const admin = (command: Command, ...args: string[]) =>
  command.prepare(Options.parse(args, command))(server.app as never);

/** What an earlier version handed out here. */
async function earlierBuild(version: string): Promise<string> {
  const bodies = BUILD_FILES.map((file) => [file, Buffer.from(`/* ${file} of ${version} */`)] as const);
  const build = nameBuild(version, Object.fromEntries(bodies) as never);
  await createWidgetStore(server.app.database).keep(build);
  return build.name;
}

describe('T35 a pinned script', () => {
  it('is at an address of its content, for ever, for every site, with the hash that is published', async () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    expect(manifest.version).toBe(version);
    for (const { url, integrity } of files()) {
      expect(url.startsWith(`${server.url}/widget/${version}-`), url).toBe(true);
      const answer = await send(url, { headers: { origin: 'https://any.example' } });
      expect([url, answer.status, sha384(answer.body)]).toEqual([url, 200, integrity]);
      expect(answer.headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        'cross-origin-resource-policy': 'cross-origin',
        'access-control-allow-origin': '*',
        'x-content-type-options': 'nosniff',
      });
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(answer.body).not.toContain('__QRCONNECT_ORIGIN__');
    }
    const home = await send(`${server.url}/`);
    expect(home.body).toContain(manifest.url);
    expect(home.body).toContain(manifest.integrity);
    // The address without a version is the newest, and says so to caches.
    const newest = await send(`${server.url}/widget.js`);
    expect([sha384(newest.body), newest.headers['cache-control']]).toEqual([manifest.integrity, 'public, max-age=300']);
  });

  it('is signed with the key that everybody can fetch, as a statement that is no token', async () => {
    const keys = createRemoteJWKSet(new URL(`${server.url}/oauth/jwks`));
    const { payload } = await jwtVerify(manifest.signature, keys, { issuer: server.url, typ: 'widget+jwt' });
    const { signature, ...said } = manifest;
    expect(payload).toEqual({ ...said, iss: server.url, iat: expect.any(Number) });
    expect(decodeProtectedHeader(signature)).toEqual({ alg: 'ES256', typ: 'widget+jwt', kid: expect.any(String) });
    const profile = await house.userinfo(signature);
    expect(profile.status).toBe(401);
    const hint = new URLSearchParams({ ...house.request().query, prompt: 'none', id_token_hint: signature });
    const answer = await send(`${server.url}/oauth/authorize?${hint}`);
    expect(String(answer.headers.location ?? answer.body)).toMatch(/error=invalid_request|id_token_hint/);
  });

  it('outlives the version that served it, on every node, until the operator withdraws it', async () => {
    const old = await earlierBuild('0.0.1');
    const node = await startNode({ databaseUrl: server.database.url, publicUrl: server.url, env: { DEMO: 'on' } });
    try {
      const path = `/widget/${old}/widget.js`;
      for (const port of [undefined, node.port]) {
        const answer = await send(server.url + path, { port });
        expect([answer.status, answer.body]).toEqual([200, '/* widget.js of 0.0.1 */']);
        expect(answer.headers['cache-control']).toContain('immutable');
      }
      expect((await admin(widgetCommands.list)).text).toMatch(new RegExp(`^${old} .* kept$`, 'm'));
      await admin(widgetCommands.withdraw, old);
      // Said again it changes nothing, and is no second line in the audit log.
      await admin(widgetCommands.withdraw, old);
      for (const port of [undefined, node.port]) {
        const answer = await send(server.url + path, { port });
        expect([answer.status, answer.headers['cache-control']]).toEqual([410, 'no-store']);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      expect((await admin(widgetCommands.list)).text).toMatch(new RegExp(`^${old} .* withdrawn `, 'm'));
      const audit = await server.database.sql('SELECT action FROM audit_event WHERE target = $1', [old]);
      expect(audit).toEqual([{ action: 'widget.withdraw' }]);
      await admin(widgetCommands.restore, old);
      expect((await send(server.url + path)).status).toBe(200);
    } finally {
      await node.stop();
    }
  });

  it('never changes, whatever another node would serve under its name', async () => {
    const old = await earlierBuild('0.0.2');
    const forged = Object.fromEntries(BUILD_FILES.map((file) => [file, Buffer.from('/* another */')]));
    await createWidgetStore(server.app.database).keep({ name: old, version: '0.0.2', files: forged as never });
    expect((await send(`${server.url}/widget/${old}/widget.js`)).body).toBe('/* widget.js of 0.0.2 */');
    await expect(admin(widgetCommands.withdraw, manifest.build)).rejects.toMatchObject({ code: 'conflict' });
    await expect(admin(widgetCommands.withdraw, '9.9.9-0123456789abcdef')).rejects.toMatchObject({ code: 'not_found' });
    expect((await send(manifest.url)).status).toBe(200);
  });

  it('is nothing under any other name', async () => {
    const { pathname } = new URL(manifest.url);
    const others = [
      pathname.replace('widget.js', 'wxLogin.d.ts'),
      pathname.replace('widget.js', 'manifest.json'),
      pathname.replace('widget.js', '..%2f..%2fpackage.json'),
      pathname.replace(manifest.build, '0.1.0-0123456789abcdef'),
      pathname.replace(manifest.build, manifest.build.toUpperCase()),
      pathname.replace(manifest.build, `${manifest.build}x`),
      '/widget/x/widget.js',
    ];
    for (const path of others) {
      const answer = await send(server.url, { path });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
    }
    // Other sites load the scripts, and read nothing else.
    expect((await send(`${server.url}/widget.json`)).headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('T35 what the scripts hold', () => {
  const REMOTE = /\b(?:https?|wss?):\/\/[\w.[-]+|\/\/[\w-]+\.[a-z]{2,}/g;

  it.each(BUILD_FILES)('names no address in %s but its server’s', async (file) => {
    const built = readFileSync(join(projectRoot, 'dist', 'browser', file), 'utf8');
    const served = server.app.widgets.manifest.build;
    const { body } = await send(`${server.url}/widget/${served}/${file}`);
    expect(body).toBe(built.replaceAll('__QRCONNECT_ORIGIN__', server.url));
    // The name of SVG's elements is an address by accident, and an error message has an example; nobody goes there.
    const found = (built.match(REMOTE) ?? []).filter(
      (address) => !/^http:\/\/www\.w3\.org$|\.example\.com\.?$/.test(address),
    );
    expect(found).toEqual([]);
    expect(built).not.toMatch(/\bimport\s*\(|\beval\s*\(|new Function\b|sourceMappingURL/);
  });

  it('is made of our own files alone', () => {
    const folder = join(projectRoot, 'clients', 'web', 'src');
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const imports = sources.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/\bfrom '([^']+)'|^import '([^']+)'/gm)].map(
        ([, from, plain]) => from ?? plain ?? '',
      ),
    );
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter((target) => !target.startsWith('.'))).toEqual([]);
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(projectRoot, 'clients', 'web', 'package.json'), 'utf8'),
    );
    expect([dependencies, peerDependencies]).toEqual([undefined, undefined]);
  });
});
