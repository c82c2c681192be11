// The code of a device while it is typed: shown as the device shows it, however it came in. The form works without this.
import { part } from '../shared/dom.js';

const LETTERS = 8;

const input = part<HTMLInputElement>('user-code');

function tidy(): void {
  const letters = input.value
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
    .slice(0, LETTERS);
  const shown = letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters;
  if (shown === input.value) return;
  // Only what is typed at the end is put in order: a cursor in the middle would jump.
  if (input.selectionStart === input.value.length) input.value = shown;
}

input.addEventListener('input', (event) => {
  // A Chinese or Japanese keyboard is still at work on it.
  if (event instanceof InputEvent && event.isComposing) return;
  tidy();
});
input.addEventListener('compositionend', tidy);
input.focus();
input.select();
