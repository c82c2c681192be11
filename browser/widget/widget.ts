// The custom element <qr-connect>: frames the waiting page, passes its news on as DOM events, moves the site's window.
import { authorizationUrl, type Flow, frameUrl, isTheme, missingAttribute, SERVER } from './request-url.js';
import { widgetText } from './texts.js';

const ATTRIBUTES = [
  'client-id',
  'redirect-uri',
  'scope',
  'state',
  'nonce',
  'code-challenge',
  'request-uri',
  'lang',
  'theme',
  'mode',
] as const;

const NEWS = ['ready', 'scanned', 'confirmed', 'denied', 'expired', 'error'] as const;
type News = (typeof NEWS)[number];

const WIDTH = 300;
const HEIGHT = 400;
const LEAST = 220;
const MOST = 1000;
/** A frame that has said nothing for this long was refused: wrong client, or this origin is not registered for it. */
const SILENCE = 20_000;

export class QrConnectElement extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;

  readonly #root = this.attachShadow({ mode: 'open' });
  #frame: HTMLIFrameElement | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #planned = false;
  #stopped = false;
  readonly #onMessage = (event: MessageEvent) => this.#receive(event);

  connectedCallback(): void {
    window.addEventListener('message', this.#onMessage);
    this.#plan();
  }

  disconnectedCallback(): void {
    window.removeEventListener('message', this.#onMessage);
    this.#clear();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    // Browsers empty the nonce attribute when the element enters a page with a policy; its value lives on in the property.
    if (before === after || (name === 'nonce' && after === '')) return;
    if (name === 'theme' && this.#frame) this.#sendTheme();
    else this.#plan();
  }

  /** Several attributes set one after another make one frame, not several tickets. */
  #plan(): void {
    if (this.#planned || !this.isConnected) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.isConnected) this.#render();
    });
  }

  #render(): void {
    this.#clear();
    const flow = this.#flow();
    const missing = missingAttribute(flow);
    const mode = this.getAttribute('mode') ?? 'frame';
    if (missing) this.#fail('missing_attribute', `<qr-connect> needs the attribute ${missing}`);
    else if (mode === 'frame') this.#renderFrame(flow);
    else if (mode === 'redirect') this.#renderLink(flow);
    else this.#fail('unsupported_mode', `<qr-connect mode="${mode}"> is not supported; use "frame" or "redirect"`);
  }

  #flow(): Flow {
    return {
      clientId: this.getAttribute('client-id'),
      redirectUri: this.getAttribute('redirect-uri'),
      scope: this.getAttribute('scope'),
      state: this.getAttribute('state'),
      nonce: this.nonce || this.getAttribute('nonce'),
      codeChallenge: this.getAttribute('code-challenge'),
      requestUri: this.getAttribute('request-uri'),
      lang: this.getAttribute('lang'),
      theme: this.getAttribute('theme'),
    };
  }

  #renderFrame(flow: Flow): void {
    const frame = document.createElement('iframe');
    frame.title = widgetText('widget.frameTitle', flow.lang);
    frame.referrerPolicy = 'strict-origin-when-cross-origin';
    frame.setAttribute('part', 'frame');
    frame.style.cssText = `display:block;border:0;width:${WIDTH}px;max-width:100%;min-width:${LEAST}px;height:${HEIGHT}px`;
    frame.src = frameUrl(flow);
    this.#stopped = false;
    this.#frame = frame;
    this.#silence = setTimeout(() => this.#fail('no_answer', 'the sign-in frame did not load'), SILENCE);
    this.#root.append(frame);
  }

  #renderLink(flow: Flow): void {
    const link = document.createElement('a');
    link.setAttribute('part', 'button');
    link.href = authorizationUrl(flow);
    const slot = document.createElement('slot');
    slot.textContent = widgetText('widget.redirect', flow.lang);
    link.append(slot);
    this.#root.append(link);
    this.#tell('ready', {});
  }

  #clear(): void {
    clearTimeout(this.#silence);
    this.#frame = null;
    this.#root.replaceChildren();
  }

  #receive(event: MessageEvent): void {
    if (event.origin !== SERVER || !this.#frame || event.source !== this.#frame.contentWindow) return;
    const message = (typeof event.data === 'object' && event.data !== null ? event.data : {}) as Record<
      string,
      unknown
    >;
    if (message.type === 'status') this.#onStatus(message.status);
    else if (message.type === 'height') this.#onHeight(message.height);
    else if (message.type === 'done') this.#onDone(message.continue);
  }

  #onStatus(status: unknown): void {
    clearTimeout(this.#silence);
    const news = NEWS.find((name) => name === status);
    if (!news) return;
    if (news === 'ready') this.#sendTheme();
    const detail: Record<string, string> =
      news === 'error' ? { error: 'frame_error', message: 'the sign-in could not be finished' } : {};
    const goesOn = this.#tell(news, detail);
    if (news === 'confirmed' || news === 'denied') this.#stopped = !goesOn;
  }

  #onHeight(height: unknown): void {
    if (!this.#frame || typeof height !== 'number' || !Number.isFinite(height)) return;
    this.#frame.style.height = `${Math.min(Math.max(Math.ceil(height), LEAST), MOST)}px`;
  }

  /** Only a one-time handle of our own server is followed, whatever the message says. */
  #onDone(address: unknown): void {
    if (typeof address !== 'string' || this.#stopped) return;
    let url: URL;
    try {
      url = new URL(address);
    } catch {
      return;
    }
    if (url.origin === SERVER && url.pathname.startsWith('/connect/continue/')) window.location.assign(url.href);
  }

  #sendTheme(): void {
    const theme = this.getAttribute('theme');
    if (isTheme(theme)) this.#frame?.contentWindow?.postMessage({ type: 'theme', theme }, SERVER);
  }

  #fail(error: string, message: string): void {
    this.#tell('error', { error, message });
  }

  #tell(news: News, detail: Record<string, string>): boolean {
    const cancelable = news === 'confirmed' || news === 'denied';
    return this.dispatchEvent(new CustomEvent(news, { bubbles: true, composed: true, cancelable, detail }));
  }
}

if (!customElements.get('qr-connect')) customElements.define('qr-connect', QrConnectElement);
