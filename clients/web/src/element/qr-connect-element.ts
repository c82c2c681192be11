// The custom element <qr-connect>: shows the waiting page in a frame or a window, passes its news on as DOM events, moves the site's page.
import {
  QR_CONNECT_ATTRIBUTES,
  QR_CONNECT_EVENTS,
  type QrConnectErrorDetail,
  type QrConnectEvent,
  type QrConnectNews,
} from './options.js';
import { Popup } from './popup.js';
import { authorizationUrl, type Flow, isTheme, missingAttribute, qrPageUrl, readFlow } from './request-url.js';
import { elementText } from './texts.js';

const WIDTH = 300;
const HEIGHT = 400;
const LEAST = 220;
const MOST = 1000;
/** A page that has said nothing for this long was refused: wrong client, or this origin is not registered for it. */
const SILENCE = 20_000;

/** Its `error` is not the browser's own. */
export interface QrConnectElement {
  addEventListener<Name extends QrConnectEvent>(
    type: Name,
    listener: (event: QrConnectNews<Name>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** Frameworks load this file on servers too, where there is nothing to extend. */
const Base = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement;

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface says more of what HTMLElement has, nothing new
export class QrConnectElement extends Base {
  static readonly observedAttributes = QR_CONNECT_ATTRIBUTES;

  readonly #root = this.attachShadow({ mode: 'open' });
  #server: string | null = null;
  #frame: HTMLIFrameElement | null = null;
  #popup: Popup | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #planned = false;
  /** The popup has said something. */
  #heard = false;
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
    if (name === 'theme' && this.#speaker()) this.#sendTheme();
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
    const flow = readFlow(this);
    const missing = missingAttribute(flow);
    const mode = this.getAttribute('mode') ?? 'frame';
    this.#server = flow.server;
    if (missing) this.#fail('missing_attribute', `<qr-connect> needs the attribute ${missing}`);
    else if (mode === 'frame') this.#renderFrame(flow);
    else if (mode === 'popup') this.#renderPopupLink(flow);
    else if (mode === 'redirect') this.#renderRedirectLink(flow);
    else this.#fail('unsupported_mode', `<qr-connect mode="${mode}">: use "frame", "popup" or "redirect"`);
  }

  #renderFrame(flow: Flow): void {
    const frame = document.createElement('iframe');
    frame.title = elementText('frameTitle', flow.lang);
    frame.referrerPolicy = 'strict-origin-when-cross-origin';
    frame.setAttribute('part', 'frame');
    frame.style.cssText = `display:block;border:0;width:${WIDTH}px;max-width:100%;min-width:${LEAST}px;height:${HEIGHT}px`;
    frame.src = qrPageUrl(flow, 'frame');
    this.#stopped = false;
    this.#frame = frame;
    this.#expectNews('frame');
    this.#root.append(frame);
  }

  #renderRedirectLink(flow: Flow): void {
    this.#renderLink(authorizationUrl(flow), flow.lang);
    this.#tell('ready', {});
  }

  /** A true link: it also works in a new tab, where the page brings the person back to the site by itself. */
  #renderPopupLink(flow: Flow): void {
    const link = this.#renderLink(qrPageUrl(flow, 'popup'), flow.lang);
    link.target = `qr-connect-${Math.random().toString(36).slice(2)}`;
    link.rel = 'opener';
    // The server speaks to the page that it sees here, if that one is registered, and parts us from any other.
    link.referrerPolicy = 'strict-origin-when-cross-origin';
    link.addEventListener('click', (event) => this.#onClick(event, link.target));
  }

  #renderLink(href: string, lang: string | null): HTMLAnchorElement {
    const link = document.createElement('a');
    link.setAttribute('part', 'button');
    link.href = href;
    const slot = document.createElement('slot');
    slot.textContent = elementText('signIn', lang);
    link.append(slot);
    this.#root.append(link);
    return link;
  }

  #onClick(event: MouseEvent, name: string): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (this.#popup?.isOpen) {
      event.preventDefault();
      this.#popup.focus();
      return;
    }
    this.#stopped = false;
    this.#heard = false;
    this.#popup = Popup.open(name, () => this.#onPopupClosed());
    if (this.#popup) {
      this.#expectNews('window');
      return;
    }
    event.preventDefault();
    this.#fail('popup_blocked', 'the browser opened no window: ask for a click, or use mode="redirect"');
  }

  #onPopupClosed(): void {
    clearTimeout(this.#silence);
    this.#popup = null;
    const early =
      'the sign-in window was closed, or parted from this page, before it said anything: by the person, by a refusal that ' +
      `it shows, because ${window.origin} is not among the client's embed origins, or by the Cross-Origin-Opener-Policy ` +
      'of this page, which must be same-origin-allow-popups or none';
    this.#fail('popup_closed', this.#heard ? 'the person closed the sign-in window' : early);
  }

  #expectNews(place: 'frame' | 'window'): void {
    clearTimeout(this.#silence);
    const message =
      `the sign-in ${place} has said nothing: it may show why. If it is empty, the server is away, knows no such client, ` +
      `or has not registered this page: npm run admin -- clients update <client id> --embed-origin ${window.origin}`;
    this.#silence = setTimeout(() => this.#fail('no_answer', message), SILENCE);
  }

  #clear(): void {
    clearTimeout(this.#silence);
    this.#popup?.close();
    this.#popup = null;
    this.#frame = null;
    this.#root.replaceChildren();
  }

  /** The window of ours that may speak. */
  #speaker(): Window | null | undefined {
    return this.#popup ? this.#popup.window : this.#frame?.contentWindow;
  }

  #receive(event: MessageEvent): void {
    if (event.origin !== this.#server || !event.source || event.source !== this.#speaker()) return;
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
    this.#heard = true;
    const news = QR_CONNECT_EVENTS.find((name) => name === status);
    if (!news) return;
    if (news === 'ready') this.#sendTheme();
    if (news === 'error') {
      this.#fail('frame_error', 'the sign-in could not be finished');
      return;
    }
    const goesOn = this.#tell(news, {});
    if (news === 'confirmed' || news === 'denied') this.#stopped = !goesOn;
  }

  #onHeight(height: unknown): void {
    if (!this.#frame || typeof height !== 'number' || !Number.isFinite(height)) return;
    this.#frame.style.height = `${Math.min(Math.max(Math.ceil(height), LEAST), MOST)}px`;
  }

  /** Only a one-time handle of our own server is followed, whatever the message says. */
  #onDone(address: unknown): void {
    if (typeof address !== 'string') return;
    let url: URL;
    try {
      url = new URL(address);
    } catch {
      return;
    }
    if (url.origin !== this.#server || !url.pathname.startsWith('/connect/continue/')) return;
    this.#popup?.close();
    this.#popup = null;
    if (!this.#stopped) window.location.assign(url.href);
  }

  #sendTheme(): void {
    const theme = this.getAttribute('theme');
    if (isTheme(theme) && this.#server) this.#speaker()?.postMessage({ type: 'theme', theme }, this.#server);
  }

  #fail(error: QrConnectErrorDetail['error'], message: string): void {
    // A mistake in the page: nothing is shown then, and the event may come before anybody listens.
    if (error === 'missing_attribute' || error === 'unsupported_mode' || error === 'no_answer') {
      console.warn(`qr-connect: ${message}`);
    }
    this.#tell('error', { error, message });
  }

  #tell(news: QrConnectEvent, detail: Partial<QrConnectErrorDetail>): boolean {
    const cancelable = news === 'confirmed' || news === 'denied';
    // An `error` that bubbles would reach window.onerror: a closed window is no uncaught error of the page.
    const bubbles = news !== 'error';
    return this.dispatchEvent(new CustomEvent(news, { bubbles, composed: true, cancelable, detail }));
  }
}
