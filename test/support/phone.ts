/** A person's phone as an actor: signs in, scans, confirms, denies; through the public addresses alone. */
import { pageData, type RawAnswer, send } from './http.js';

export interface Phone {
  /** The session cookie, name=value. */
  readonly cookie: string;
  /** GET of the address in the QR code. */
  open(qr: string): Promise<RawAnswer>;
  /** Opens the page and posts the scan, as the page's script does. */
  scan(qr: string): Promise<Scanned>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<RawAnswer>;
  confirm(scanned: Scanned, matchCode?: string): Promise<RawAnswer>;
  deny(scanned: Scanned): Promise<RawAnswer>;
}

export interface Scanned {
  readonly answer: RawAnswer;
  readonly scanGrant: string;
  readonly csrf: string;
}

type Where = { url: string; port?: number };

export async function signIn(where: Where, username: string, password: string): Promise<Phone> {
  const answer = await send(`${where.url}/phone/sign-in`, {
    method: 'POST',
    port: where.port,
    headers: { 'content-type': 'application/json', origin: where.url },
    body: JSON.stringify({ username, password }),
  });
  if (answer.status !== 200) throw new Error(`sign-in failed: ${answer.status} ${answer.body}`);
  const cookie = String(answer.headers['set-cookie']).split(';')[0] as string;
  return phoneWith(where, cookie);
}

export function phoneWith(where: Where, cookie: string): Phone {
  const open = (qr: string) => send(where.url + new URL(qr).pathname, { headers: { cookie }, port: where.port });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(where.url + path, {
      method: 'POST',
      port: where.port,
      headers: { 'content-type': 'application/json', origin: where.url, cookie, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    cookie,
    open,
    post,
    async scan(qr) {
      const page = await open(qr);
      if (page.status !== 200) return { answer: page, scanGrant: '', csrf: '' };
      const { scanToken, csrf } = pageData<{ scanToken: string; csrf: string }>(page.body);
      const answer = await post('/phone/scan', { scan_token: scanToken, csrf });
      return { answer, csrf, scanGrant: answer.status === 200 ? String(answer.json().scan_grant) : '' };
    },
    confirm: (scanned, matchCode) =>
      post('/phone/confirm', {
        scan_grant: scanned.scanGrant,
        csrf: scanned.csrf,
        ...(matchCode === undefined ? {} : { match_code: matchCode }),
      }),
    deny: (scanned) => post('/phone/deny', { scan_grant: scanned.scanGrant, csrf: scanned.csrf }),
  };
}
