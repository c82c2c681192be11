/** A browser as far as cookies and redirects go: enough to sign in once and be remembered. */
import { type RawAnswer, send } from '../test/support/http.js';

export class Browser {
  readonly #cookies = new Map<string, string>();

  /** The Cookie header. Paths are not looked at: what a server sets for one page it takes back after it. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async get(url: string): Promise<RawAnswer> {
    const answer = await send(url, { headers: { accept: 'text/html', ...this.#sent() } });
    this.#keep(answer);
    return answer;
  }

  async post(url: string, body: unknown): Promise<RawAnswer> {
    const headers = { 'content-type': 'application/json', origin: new URL(url).origin, ...this.#sent() };
    const answer = await send(url, { method: 'POST', headers, body: JSON.stringify(body) });
    this.#keep(answer);
    return answer;
  }

  /** Follows redirects until `stops` says so; returns that address, which is not visited. */
  async follow(url: string, stops: (url: string) => boolean): Promise<string> {
    let at = url;
    for (let hop = 0; hop < 6; hop++) {
      const answer = await this.get(at);
      const { location } = answer.headers;
      if (typeof location !== 'string') throw new Error(`${at} answers ${answer.status}: ${answer.body.slice(0, 500)}`);
      at = new URL(location, at).href;
      if (stops(at)) return at;
    }
    throw new Error(`${url} redirects without end`);
  }

  #sent(): Record<string, string> {
    return this.#cookies.size > 0 ? { cookie: this.cookie } : {};
  }

  #keep({ headers }: RawAnswer): void {
    for (const line of [headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
