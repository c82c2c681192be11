// Draws a state of the waiting page: QR code, match code or icon, two lines of text, at most one button.
import { part } from '../shared/dom.js';
import { type Texts, textOf } from '../shared/page-data.js';
import type { Offer, State } from './state.js';
import { createDress, type Dress } from './style-sheet.js';
import { wordsFor } from './words.js';

const STATUS_CLASS = { plain: 'status_browser', good: 'status_succ', bad: 'status_fail' } as const;

const BUTTON_TEXT: Record<Exclude<Offer, 'none'>, string> = {
  'new-code': 'waiting.button.newCode',
  reload: 'waiting.button.reload',
  return: 'waiting.button.return',
  continue: 'waiting.button.continue',
};

export class View {
  readonly box = part('box');
  private readonly qr = part('qr');
  private readonly code = part('match-code');
  private readonly scene = part('scene');
  private readonly status = part('status');
  private readonly headline = part('headline');
  private readonly detail = part('detail');
  private readonly button = part<HTMLButtonElement>('act');
  private readonly announce = part('announce');
  private readonly dress: Dress | null;
  private readonly texts: Texts;
  private announced = '';

  constructor(texts: Texts, onAct: () => void, styleSheet?: string) {
    this.texts = texts;
    this.dress = createDress(styleSheet);
    this.button.addEventListener('click', onAct);
  }

  draw(state: State): void {
    const words = wordsFor(state);
    const showsQr = state.phase === 'waiting';
    const showsCode = state.phase === 'scanned' && state.matchCode !== null;
    this.box.dataset.phase = state.phase;
    this.box.classList.toggle('is-lost', state.lost);
    this.box.classList.toggle('is-stale', state.stale);
    this.box.classList.toggle('has-button', state.offer !== 'none');
    this.qr.hidden = !showsQr;
    this.code.hidden = !showsCode;
    this.code.textContent = showsCode ? state.matchCode : '';
    this.scene.hidden = showsQr || showsCode;
    this.status.classList.remove(...Object.values(STATUS_CLASS));
    this.status.classList.add(STATUS_CLASS[words.tone]);
    this.headline.textContent = textOf(this.texts, words.title);
    this.detail.textContent = words.detail ? textOf(this.texts, words.detail) : '';
    this.dress?.show(this.headline.textContent, this.detail.textContent, STATUS_CLASS[words.tone], state.lost);
    this.drawButton(state);
    this.say(state);
  }

  /** Puts a fresh QR code in place of the old one. The picture comes from our own server, as XML, not as markup. */
  showQr(svg: string, url: string): void {
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    if (parsed.localName !== 'svg') return;
    this.qr.replaceChildren(document.importNode(parsed, true));
    const link = document.getElementById('phone-link');
    if (link instanceof HTMLAnchorElement && /^https?:/.test(url)) link.href = url;
  }

  private drawButton({ offer, phase }: State): void {
    // A keyboard must not be thrown back to the top of the page when its button goes away.
    if (offer === 'none' && document.activeElement === this.button) this.headline.focus();
    this.button.hidden = offer === 'none';
    if (offer === 'none') return;
    // An ended request is started over by a reload; to the person that is just another new code.
    const shown = phase === 'expired' ? 'new-code' : offer;
    this.button.textContent = textOf(this.texts, BUTTON_TEXT[shown]);
  }

  /** Speaks each change once; the match code digit by digit, as it will be typed. */
  private say(state: State): void {
    const spoken =
      state.phase === 'scanned' && state.matchCode && !state.lost
        ? textOf(this.texts, 'waiting.scanned.announce', { code: state.matchCode.split('').join(' ') })
        : `${this.headline.textContent}. ${this.detail.textContent}`;
    if (spoken === this.announced) return;
    const first = this.announced === '';
    this.announced = spoken;
    if (!first || state.phase !== 'waiting') this.announce.textContent = spoken;
  }
}
