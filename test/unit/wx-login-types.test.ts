/** wxLogin.d.ts in a site's own TypeScript: what the compiler lets through, and what it stops. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';

const folder = mkdtempSync(join(tmpdir(), 'qrconnect-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
copyFileSync(join(projectRoot, 'browser', 'widget', 'wxLogin.d.ts'), join(folder, 'wxLogin.d.ts'));
const SETTINGS = { strict: true, noEmit: true, target: 'es2020', lib: ['es2020', 'dom'], types: [] };
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({ compilerOptions: SETTINGS, files: ['wxLogin.d.ts', 'site.ts'] }),
);

/** The compiler's complaints about a site's script, one a line; only the global is used, nothing is imported. */
function complaints(script: string): Promise<string[]> {
  writeFileSync(join(folder, 'site.ts'), script);
  const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (_failed, stdout) =>
      resolve(stdout.split('\n').filter((line) => /error TS/.test(line))),
    );
  });
}

const REQUIRED = "id: 'box', appid: 'wx1', scope: 'snsapi_login', redirect_uri: encodeURIComponent(location.origin)";

describe('the types of wxLogin.js', () => {
  it('take every documented option, with and without new', async () => {
    const script = `
      new WxLogin({ ${REQUIRED} });
      WxLogin({ ${REQUIRED}, state: 's', self_redirect: true, style: 'black', href: 'https://a.example/w.css' });
      const options = { ${REQUIRED} };
      new window.WxLogin(options);
      const ready = (is: true) => { const seen: boolean = is; console.log(seen); };
      const all: ConstructorParameters<typeof WxLogin>[0] = {
        ${REQUIRED}, state: '', self_redirect: 'default', style: 'white', href: '', stylelite: 1, fast_login: 0,
        lang: 'en', styletype: '', sizetype: '', bgcolor: '', rst: '', color_scheme: 'auto', onReady: ready,
      };
      const login: object = new WxLogin(all);
      all.onCleanup?.();
      console.log(login);`;
    expect(await complaints(script)).toEqual([]);
  });

  it('stop what the script would drop or could not use', async () => {
    const wrong = [
      "id: 'box'",
      `${REQUIRED}, stylelite: '1'`,
      `${REQUIRED}, stylelite: true`,
      `${REQUIRED}, fast_login: '0'`,
      `${REQUIRED}, fast_login: false`,
      `${REQUIRED}, self_redirect: 'true'`,
      `${REQUIRED}, self_redirect: 1`,
      `${REQUIRED}, lang: 'zh_CN'`,
      `${REQUIRED}, color_scheme: 'night'`,
      `${REQUIRED}, style: 'red'`,
      `${REQUIRED}, state: 1`,
      `${REQUIRED}, onReady: 'call me'`,
      `${REQUIRED}, onReady: (ready: string) => ready`,
      `${REQUIRED}, onQRcodeReady() {}`,
      `${REQUIRED}, redirectUri: 'https://a.example'`,
    ];
    const lines = wrong.map((options) => `new WxLogin({ ${options} });`);
    const stopped = (await complaints([...lines, 'new WxLogin();'].join('\n'))).map(
      (text) => /\((\d+),/.exec(text)?.[1],
    );
    expect([...new Set(stopped)]).toEqual(Array.from({ length: wrong.length + 1 }, (_, line) => String(line + 1)));
  });
});
