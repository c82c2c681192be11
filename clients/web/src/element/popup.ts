// The window of mode="popup": opened while a person clicks, looked after until it is closed.

const WIDTH = 440;
const HEIGHT = 680;
/** How often we look whether the person has closed it; browsers tell nobody. */
const LOOK_EVERY = 400;

export class Popup {
  readonly #window: Window;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(opened: Window, onClosed: () => void) {
    this.#window = opened;
    this.#timer = setInterval(() => {
      if (!opened.closed) return;
      clearInterval(this.#timer);
      onClosed();
    }, LOOK_EVERY);
  }

  /** An empty window of this name, for the link that is just being clicked to fill. Null when the browser gives none. */
  static open(name: string, onClosed: () => void): Popup | null {
    // Some browsers give popups to scripts that nobody asked; we take none.
    if (navigator.userActivation?.isActive === false) return null;
    const left = Math.round(window.screenX + Math.max(0, (window.outerWidth - WIDTH) / 2));
    const top = Math.round(window.screenY + Math.max(0, (window.outerHeight - HEIGHT) / 3));
    const opened = window.open('', name, `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
    return opened && !opened.closed ? new Popup(opened, onClosed) : null;
  }

  /** Who its messages come from. */
  get window(): Window {
    return this.#window;
  }

  get isOpen(): boolean {
    return !this.#window.closed;
  }

  focus(): void {
    this.#window.focus();
  }

  /** For good: nobody is told. */
  close(): void {
    clearInterval(this.#timer);
    this.#window.close();
  }
}
