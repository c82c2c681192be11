// Entry of the engine's login page: the QR code, and beside it signing in right here; whichever is done first.
import { optionalPart, part } from '../shared/dom.js';
import { takePageData, textOf } from '../shared/page-data.js';
import type { WaitingData } from '../waiting/page-data.js';
import { Session } from '../waiting/session.js';
import { SignInHere } from './sign-in-here.js';

const data = takePageData<WaitingData & { uid: string }>();
const { texts } = data;
const session = new Session(data);

new SignInHere(data.uid, texts, {
  leave(url) {
    session.end();
    window.location.replace(url);
  },
  // The phone was faster: the page is on its way already.
  isLeaving: () => part('box').dataset.phase === 'confirmed',
}).start();

/** Where the code is not shown nobody can scan it, and nothing is asked about it (T15). */
function whenShown(element: HTMLElement, then: () => void): void {
  if (!('ResizeObserver' in window)) {
    then();
    return;
  }
  const observer = new ResizeObserver(() => {
    if (element.getClientRects().length === 0) return;
    observer.disconnect();
    then();
  });
  observer.observe(element);
}

/** On a phone-sized screen there is room for one of the two. */
function offerOtherWay(): void {
  const door = part('door');
  const button = optionalPart<HTMLButtonElement>('switch-way');
  button?.addEventListener('click', () => {
    const toQr = door.dataset.way !== 'qr';
    door.dataset.way = toQr ? 'qr' : 'here';
    button.textContent = textOf(texts, toQr ? 'interaction.hideQr' : 'interaction.showQr');
    part(toQr ? 'headline' : 'here').focus({ preventScroll: true });
    // On a phone on its side there is room for little else.
    part(toQr ? 'qr' : 'here').scrollIntoView({ block: 'nearest' });
  });
}

whenShown(part('box'), () => session.start());
offerOtherWay();
