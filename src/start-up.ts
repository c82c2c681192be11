/** What a person reads after `npm start`: addresses to open, passwords made once, and what to know. */
import { type Config, isLoopbackHost, lanUrl } from './config.js';
import type { Demo } from './demo.js';

type Line = readonly [label: string, text: string];

/** Prints it to standard output, plainly, below the JSON lines of the log. Call it once the server listens. */
export function announce(
  config: Config,
  { demo, setupToken, notes }: { demo: Demo | undefined; setupToken: string | undefined; notes: readonly string[] },
): void {
  const sections = [
    demo ? demoLines(demo) : [],
    serverLines(config),
    setupToken ? setupLines(config, setupToken) : [],
    phoneLines(config),
    remarks(config, notes),
  ].filter((lines) => lines.length > 0);
  process.stdout.write(`\n${[...sections.map(layOut), '  Stop with Ctrl+C'].join('\n\n')}\n\n`);
}

function demoLines({ url, username, password }: Demo): Line[] {
  return [
    ['Demo site', url],
    ['Sign in as', password ? `${username}   password ${password}   (shown this once)` : username],
    [
      '',
      `${password ? 'Another' : 'A new'} password: npm run admin -- accounts reset ${username} --password <new password>`,
    ],
  ];
}

function serverLines({ publicUrl }: Config): Line[] {
  return [
    ['Server', publicUrl],
    ['Console', `${publicUrl}/admin`],
    ['Discovery', `${publicUrl}/.well-known/openid-configuration`],
    ['Widgets', `${publicUrl}/widget.js   (to pin it: ${publicUrl}/widget.json)`],
    ['', `${publicUrl}/js/wxLogin.js   (WeChat)`],
    ['Register', 'npm run admin -- clients create --name "My shop" --redirect-uri https://shop.example/callback'],
    ['', 'with --dialect wechat for a site that speaks WeChat website login'],
  ];
}

function setupLines({ publicUrl }: Config, token: string): Line[] {
  return [
    ['Administrator', `${publicUrl}/admin/setup?token=${token}`],
    ['', 'Makes the first administrator: works once, for 30 minutes; a restart prints a new one'],
  ];
}

function phoneLines({ publicUrl, port, demo }: Config): Line[] {
  const { hostname } = new URL(publicUrl);
  if (!isLoopbackHost(hostname)) return [];
  const lan = lanUrl(port);
  if (!demo) return [['Real phone', 'Set PUBLIC_URL to the https address phones reach this server under']];
  return [
    [
      'Real phone',
      `PUBLIC_URL=${lan ?? `http://<address of this machine>:${port}`} npm start   (phone in the same network)`,
    ],
  ];
}

function remarks({ secureCookies, publicUrl }: Config, notes: readonly string[]): Line[] {
  const all = [...notes];
  if (!secureCookies) {
    all.push(`Cookies travel without Secure, because ${publicUrl} is plain http: for trying out only`);
  }
  return all.map((note, i) => [i === 0 ? 'Notes' : '', note]);
}

const COLUMN = 15;

function layOut(lines: Line[]): string {
  return lines.map(([label, text]) => `  ${label.padEnd(COLUMN)}${text}`).join('\n');
}
