// Talks to the page that frames us, or opened our window: to its one registered origin, never a code; it listens for a theme only.
import type { WaitingData } from './page-data.js';

type Word = 'ready' | 'scanned' | 'confirmed' | 'denied' | 'expired' | 'error';

export const isFramed = window.parent !== window;

/** Who may listen; the origin, which the browser holds us to, says whether it does. */
function listener({ navigate }: WaitingData): Window | null {
  if (navigate === 'opener') return isFramed ? null : (window.opener as Window | null);
  return isFramed ? window.parent : null;
}

export class Parent {
  /** It moves its own page, by a one-time address of ours. */
  readonly takesHandle: boolean;
  private readonly window: Window | null;
  private readonly origin: string | null;
  private readonly dialect: WaitingData['dialect'];
  private said: Word | null = null;

  constructor(data: WaitingData) {
    this.window = listener(data);
    this.origin = this.window ? data.parentOrigin : null;
    this.takesHandle = this.origin !== null && (data.navigate === 'parent' || data.navigate === 'opener');
    this.dialect = data.dialect;
  }

  /** The WeChat dialect knows one message, a JSON string, said once a page; the own widget is told every step. */
  say(word: Word): void {
    if (word === this.said) return;
    const isFirst = this.said === null;
    this.said = word;
    if (this.dialect === 'oauth') this.post({ type: 'status', status: word });
    else if (isFirst && word === 'ready') this.post(JSON.stringify({ type: 'status', status: 'wxReady' }));
  }

  done(continueUrl: string): void {
    this.post({ type: 'done', continue: continueUrl });
  }

  reportHeight(box: HTMLElement): void {
    if (!this.origin || this.dialect !== 'oauth' || !('ResizeObserver' in window)) return;
    let last = 0;
    new ResizeObserver(() => {
      const height = Math.ceil(box.getBoundingClientRect().height);
      if (height === last) return;
      last = height;
      this.post({ type: 'height', height });
    }).observe(box);
  }

  listenForTheme(): void {
    if (!this.origin) return;
    window.addEventListener('message', (event) => {
      if (event.origin !== this.origin || event.source !== this.window) return;
      const { type, theme } = (event.data ?? {}) as { type?: unknown; theme?: unknown };
      if (type !== 'theme') return;
      if (theme === 'light' || theme === 'dark' || theme === 'auto') document.documentElement.dataset.theme = theme;
    });
  }

  private post(message: unknown): void {
    if (this.origin) this.window?.postMessage(message, this.origin);
  }
}
