/** A person's browser at the standard door: keeps cookies, follows redirects on our side, stops where the site begins. */
import { pageData, type RawAnswer, send } from './http.js';
import { waiter } from './page.js';
import type { Phone } from './phone.js';
import { readQr } from './qr.js';

type Where = { url: string; port?: number };

/** Where a journey ended: a redirect to the site, or a page. */
export interface Arrival {
  readonly status: number;
  readonly headers: RawAnswer['headers'];
  readonly body: string;
  /** The address of the last page, or the redirect that leads away from us. */
  readonly address: string;
  /** The authorization response in the query, if it leads away. */
  readonly answer: Record<string, string>;
}

export interface Ways {
  /** Ticked on the phone: stay signed in on that browser. */
  remember?: boolean;
  deny?: boolean;
}

export class StandardBrowser {
  readonly #cookies = new Map<string, { value: string; path: string }>();
  readonly #where: Where;

  constructor(where: Where) {
    this.#where = where;
  }

  /** The names of the cookies it holds, with their paths. */
  get cookies(): string[] {
    return [...this.#cookies.keys()];
  }

  /** Another browser with the same cookies, as they are now; at another node, if one is given. */
  copy(where = this.#where): StandardBrowser {
    const other = new StandardBrowser(where);
    for (const [key, cookie] of this.#cookies) other.#cookies.set(key, cookie);
    return other;
  }

  get(address: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return this.#send(address, { method: 'GET', headers });
  }

  postForm(address: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const body = new URLSearchParams(form).toString();
    return this.#send(address, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.#where.url, ...headers },
      body,
    });
  }

  postJson(address: string, value: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return this.#send(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.#where.url, ...headers },
      body: JSON.stringify(value),
    });
  }

  /** Opens an address and goes where it leads, until a page of ours or an address that is not ours. */
  async open(address: string): Promise<Arrival> {
    return this.#follow(await this.get(address), address);
  }

  /** Posts a form and goes where it leads. */
  async submit(address: string, form: Record<string, string>): Promise<Arrival> {
    return this.#follow(await this.postForm(address, form), address);
  }

  /** The address of the authorization endpoint with these parameters. */
  authorizeUrl(query: Record<string, string>): string {
    return `${this.#where.url}/oauth/authorize?${new URLSearchParams(query)}`;
  }

  /** A whole sign-in by phone: opens the address, the phone scans and decides, the browser goes on. */
  async signInByPhone(address: string, phone: Phone, ways: Ways = {}): Promise<Arrival> {
    return this.answerByPhone(await this.open(address), phone, ways);
  }

  /** The same from a sign-in page that is open. */
  async answerByPhone(page: Arrival, phone: Phone, { remember = false, deny = false }: Ways = {}): Promise<Arrival> {
    if (page.status !== 200)
      throw new Error(`no sign-in page: ${page.status} ${page.address} ${page.body.slice(0, 500)}`);
    const { ticketId, waitSecret } = pageData<{ ticketId: string; waitSecret: string }>(page.body);
    const waiting = waiter(this.#where, ticketId, waitSecret);
    const qr = /href="([^"]+\/s\/[\w-]+)"/.exec(page.body)?.[1] ?? readQr(page.body);
    const scanned = await phone.scan(qr);
    if (scanned.answer.status !== 200) throw new Error(`scan failed: ${scanned.answer.status} ${scanned.answer.body}`);
    const { match_code: matchCode } = (await waiting.status()).json<{ match_code?: string }>();
    const decided = deny
      ? await phone.deny(scanned)
      : await phone.post('/phone/confirm', {
          scan_grant: scanned.scanGrant,
          csrf: scanned.csrf,
          ...(matchCode === undefined ? {} : { match_code: matchCode }),
          ...(remember ? { remember } : {}),
        });
    if (decided.status !== 200) throw new Error(`deciding failed: ${decided.status} ${decided.body}`);
    const redeemed = await waiting.redeem();
    if (redeemed.status !== 200) throw new Error(`redeem failed: ${redeemed.status} ${redeemed.body}`);
    return this.open(String(redeemed.json().redirect_to));
  }

  /** The password on the sign-in page, and "allow" if that is asked. */
  async signInByPassword(
    address: string,
    who: { username: string; password: string; remember?: boolean },
  ): Promise<Arrival> {
    const page = await this.open(address);
    const answer = await this.postJson(`${pathOf(page.address)}/sign-in`, who);
    if (answer.status !== 200) throw new Error(`sign-in failed: ${answer.status} ${answer.body}`);
    const next = await this.open(String(answer.json().redirect_to));
    return next.address.includes('/interaction/') ? this.decide(next, 'allow') : next;
  }

  /** Answers the consent page that is open. */
  async decide(page: Arrival, decision: 'allow' | 'deny'): Promise<Arrival> {
    const answer = await this.postJson(`${pathOf(page.address)}/consent`, { decision });
    if (answer.status !== 200) throw new Error(`consent failed: ${answer.status} ${answer.body}`);
    return this.open(String(answer.json().redirect_to));
  }

  async #follow(first: RawAnswer, from: string): Promise<Arrival> {
    let [answer, address] = [first, from];
    for (let hops = 0; hops < 10; hops += 1) {
      const { location } = answer.headers;
      if (typeof location !== 'string') break;
      address = new URL(location, address).href;
      if (new URL(address).origin !== new URL(this.#where.url).origin) break;
      answer = await this.get(address);
    }
    const leads = typeof answer.headers.location === 'string';
    return {
      status: answer.status,
      headers: answer.headers,
      body: answer.body,
      address,
      answer: leads ? Object.fromEntries(new URL(address).searchParams) : {},
    };
  }

  async #send(address: string, options: { method: string; headers: Record<string, string>; body?: string }) {
    const url = new URL(address, this.#where.url);
    const cookie = [...this.#cookies.entries()]
      .filter(
        ([, { path }]) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ');
    const answer = await send(url.href, {
      ...options,
      port: this.#where.port,
      headers: { accept: 'text/html', ...options.headers, ...(cookie ? { cookie } : {}) },
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const attribute = (wanted: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const path = attribute('path') ?? '/';
    const key = `${name} ${path}`;
    const expires = attribute('expires');
    const over =
      value === '' || attribute('max-age') === '0' || (expires !== undefined && new Date(expires) <= new Date());
    if (over) this.#cookies.delete(key);
    else this.#cookies.set(key, { value, path });
  }
}

function pathOf(address: string): string {
  return new URL(address).pathname;
}

/** The fields of a page that posts itself to the site (form_post), and where to. */
export function postedForm(body: string): { action: string; fields: Record<string, string> } {
  const plain = (text: string) =>
    text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) =>
      name === 'amp' ? '&' : name === 'lt' ? '<' : name === 'gt' ? '>' : name === 'quot' ? '"' : "'",
    );
  const action = plain(/<form method="post" action="([^"]*)"/.exec(body)?.[1] ?? '');
  const inputs = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  return { action, fields: Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, plain(value)])) };
}
