/** One whole QR login, step by step: what the browser, the phone and the site's own server send. */
import { pageData } from '../test/support/http.js';
import type { Answer, LoadRequest, Send } from './load.js';
import type { Site } from './site.js';

export interface OpenTicket {
  readonly ticketId: string;
  readonly waitSecret: string;
  /** Path of the address in the QR code. */
  readonly scanPath: string;
}

/** A ticket that its person may allow now. */
export interface ScannedTicket extends OpenTicket {
  readonly confirm: LoadRequest;
}

/** Everything that a browser sends by itself: what a server keeps of a waiting page includes these. */
export const BROWSER_HEADERS: Readonly<Record<string, string>> = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36',
  'sec-ch-ua': '"Chromium";v="147", "Not.A/Brand";v="24"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  'sec-fetch-site': 'same-origin',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8',
};

export const STEPS = ['open', 'look', 'scan', 'confirm', 'redeem', 'exchange', 'userinfo'] as const;
export type Step = (typeof STEPS)[number];

/** `timed` stands around every request; it may measure it. */
export type Timed = (step: Step, work: () => Promise<Answer>) => Promise<Answer>;
const untimed: Timed = (_step, work) => work();

export async function login(
  send: Send,
  { url, site, phone, timed = untimed }: { url: string; site: Site; phone: string; timed?: Timed },
): Promise<void> {
  const opened = await open(send, { site, timed });
  const { confirm } = await scan(send, { url, phone, opened, timed });
  good('confirm', await timed('confirm', () => send(confirm)));
  const { text } = await timed('redeem', () => send(waiting(opened, 'POST', '/redeem')));
  const code = found('redeem', /"code":"([^"]+)"/.exec(text)?.[1], text);
  const tokens = (await timed('exchange', () => send(site.exchange(code)))).text;
  const token = found('exchange', /"access_token":"([^"]+)"/.exec(tokens)?.[1], tokens);
  const person = (await timed('userinfo', () => send(site.userinfo(token)))).text;
  if (!person.includes('张三')) throw new Error(`userinfo says: ${person}`);
}

/** The browser opens the site's page. */
export async function open(send: Send, { site, timed = untimed }: { site: Site; timed?: Timed }): Promise<OpenTicket> {
  const { text } = await timed('open', () => send(withBrowser(site.page())));
  const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(text);
  return { ticketId, waitSecret, scanPath: found('open', /href="[^"]+(\/s\/[\w-]+)"/.exec(text)?.[1], text) };
}

/** The phone opens the QR code's address, and scans. */
export async function scan(
  send: Send,
  { url, phone, opened, timed = untimed }: { url: string; phone: string; opened: OpenTicket; timed?: Timed },
): Promise<ScannedTicket> {
  const looked = await timed('look', () =>
    send(withBrowser({ method: 'GET', path: opened.scanPath, headers: { cookie: phone } })),
  );
  const { scanToken, csrf } = pageData<{ scanToken: string; csrf: string }>(looked.text);
  const post = (path: string, body: unknown) =>
    withBrowser({
      method: 'POST',
      path,
      headers: { cookie: phone, origin: url, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { text } = await timed('scan', () => send(post('/phone/scan', { scan_token: scanToken, csrf })));
  const grant = found('scan', /"scan_grant":"([^"]+)"/.exec(text)?.[1], text);
  return { ...opened, confirm: post('/phone/confirm', { scan_grant: grant, csrf }) };
}

/** What the waiting page asks about its ticket. */
export function waiting(ticket: OpenTicket, method: 'GET' | 'POST' = 'GET', path = ''): LoadRequest {
  return withBrowser({
    method,
    path: `/api/qr/tickets/${ticket.ticketId}${path}`,
    headers: { authorization: `Bearer ${ticket.waitSecret}` },
  });
}

export function good(step: string, { status, text }: Answer): void {
  if (status !== 200) throw new Error(`${step}: ${status} ${text.slice(0, 300)}`);
}

function withBrowser(request: LoadRequest): LoadRequest {
  return { ...request, headers: { ...BROWSER_HEADERS, ...request.headers } };
}

function found(step: string, value: string | undefined, text: string): string {
  if (value === undefined) throw new Error(`${step}: ${text.slice(0, 300)}`);
  return value;
}
