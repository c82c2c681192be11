// The last panel of the phone page: how it ended, in words, and what to do now.
import { part } from '../shared/dom.js';
import type { Answer } from '../shared/http.js';
import { type Texts, textOf } from '../shared/page-data.js';

export type Outcome =
  | 'confirmed'
  | 'denied'
  | 'wrongCode'
  | 'expired'
  | 'taken'
  | 'over'
  | 'unknown'
  | 'signedOut'
  | 'stale'
  | 'tooMany';

const TONE: Record<Outcome, 'done' | 'no' | 'time' | 'error'> = {
  confirmed: 'done',
  denied: 'no',
  wrongCode: 'error',
  expired: 'time',
  taken: 'error',
  over: 'time',
  unknown: 'error',
  signedOut: 'error',
  stale: 'error',
  tooMany: 'time',
};

/** The outcome an answer stands for; null when it is worth trying the same call again. `moved` is what 409 means here. */
export function outcomeOf(answer: Answer, moved: 'taken' | 'over'): Outcome | null {
  switch (answer.status) {
    case 401:
      return 'signedOut';
    case 403:
      return answer.body.error === 'match_code_wrong' ? 'wrongCode' : 'stale';
    case 404:
      return 'unknown';
    case 409:
      return moved;
    case 410:
      return 'expired';
    case 429:
      return 'tooMany';
    default:
      return answer.status >= 400 && answer.status < 500 ? 'stale' : null;
  }
}

export function showOutcome(texts: Texts, outcome: Outcome, retryAfter: number | null = null): void {
  const panel = part('outcome');
  const title = part('outcome-title');
  const minutes = retryAfter === null ? 0 : Math.ceil(retryAfter / 60);
  panel.dataset.tone = TONE[outcome];
  panel.dataset.outcome = outcome;
  title.textContent = textOf(texts, `outcome.${outcome}.title`);
  part('outcome-text').textContent =
    outcome === 'tooMany' && minutes > 0
      ? textOf(texts, 'outcome.tooMany.minutes', { minutes })
      : textOf(texts, `outcome.${outcome}.text`);
  const reload = part('outcome-reload');
  reload.hidden = outcome !== 'signedOut' && outcome !== 'stale';
  reload.addEventListener('click', () => window.location.reload());
  part('decide').hidden = true;
  panel.hidden = false;
  title.focus();
}
