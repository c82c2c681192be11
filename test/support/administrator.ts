/** An administrator at the console: signs in as a browser does, keeps the cookie, and sends what our own page would. */
import { pageData, type RawAnswer, send } from './http.js';
import type { TestApp } from './start-app.js';

export interface Answer {
  readonly status: number;
  readonly headers: RawAnswer['headers'];
  readonly body: Record<string, unknown>;
}

export interface AtConsole {
  /** As the last answer that set it. */
  readonly cookie: string;
  readonly csrf: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export const ADMINISTRATOR = { username: 'root', password: 'a long enough pass phrase' };

/** Makes the first administrator of a fresh server, if there is none. */
export async function makeAdministrator({ app }: Pick<TestApp, 'app'>, who = ADMINISTRATOR): Promise<void> {
  await app.administrators.bootstrap(who);
}

/** A request as our own page sends it; `headers` replace what is said otherwise, '' leaves one out. */
export async function callConsole(
  { url }: Pick<TestApp, 'url'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const all = {
    Origin: url,
    'Sec-Fetch-Site': 'same-origin',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...headers,
  };
  const answer = await send(`${url}${path}`, {
    method,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const isJson = String(answer.headers['content-type']).startsWith('application/json');
  return { status: answer.status, headers: answer.headers, body: isJson ? answer.json() : { text: answer.body } };
}

export async function signInToConsole(server: Pick<TestApp, 'url'>, who = ADMINISTRATOR): Promise<AtConsole> {
  const answer = await callConsole(server, 'POST', '/admin/sign-in', who);
  if (answer.status !== 200) throw new Error(`not signed in: ${JSON.stringify(answer.body)}`);
  return withCookieOf(server, answer);
}

/** Whoever holds the cookie that this answer set, at the page that every session may see. */
export async function withCookieOf(server: Pick<TestApp, 'url'>, answer: Answer): Promise<AtConsole> {
  const cookie = cookieIn(answer);
  const page = await callConsole(server, 'GET', '/admin/passkeys', undefined, { Cookie: cookie, Origin: '' });
  const { csrf } = pageData<{ csrf: string }>(String(page.body.text));
  let held = cookie;
  return {
    get cookie() {
      return held;
    },
    csrf,
    async call(method, path, body, headers) {
      const given = await callConsole(server, method, path, body, { Cookie: held, 'X-CSRF-Token': csrf, ...headers });
      // The same session under another secret. What begins or ends one is for the test to take up.
      if (!/sign-(in|out)/.test(path)) held = cookieIn(given) || held;
      return given;
    },
  };
}

function cookieIn({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}
