// Shows a secret, this once, and warnings; both as text and nothing else.
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, textField } from '../shared/http.js';
import { sentence } from './api.js';
import { askBeforeLeaving } from './leaving.js';

let isKept = true;

/** True when the answer held a secret, which is then on the page. */
export function showSecret(answer: Answer): boolean {
  const secret = textField(answer, 'client_secret');
  if (secret === null) return false;
  part('secret-value').textContent = secret;
  part('secret').hidden = false;
  isKept = false;
  return true;
}

// By the button, or by hand.
optionalPart('secret')?.addEventListener('copy', () => {
  isKept = true;
});
optionalPart('secret')?.addEventListener('click', ({ target }) => {
  if ((target as Element).closest('[data-copies]')) isKept = true;
});

// It is shown nowhere else.
askBeforeLeaving(() => !isKept);

// Nor once more from the cache of pages that one comes back to.
addEventListener('pagehide', () => {
  const secret = optionalPart('secret');
  if (!secret) return;
  secret.hidden = true;
  part('secret-value').textContent = '';
});

export function showWarnings({ body: { warnings } }: Answer): void {
  if (!Array.isArray(warnings)) return;
  const lines = warnings.map((warning) => {
    const line = document.createElement('li');
    line.textContent = sentence(String(warning));
    return line;
  });
  part('warning-list').replaceChildren(...lines);
  part('warnings').hidden = lines.length === 0;
}
