// The decision on the phone: scans once the page is seen, then allows (looked at, number typed) or denies the request.
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, call, textField } from '../shared/http.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';
import { whenLookedAt, whenVisible } from './guard.js';
import { type Outcome, outcomeOf, showOutcome } from './outcome.js';

interface DecideData {
  scanToken: string;
  csrf: string;
  matchCode: 'required' | 'off';
  texts: Texts;
}

const { scanToken, csrf, matchCode, texts } = takePageData<DecideData>();

const codeInput = optionalPart<HTMLInputElement>('match-code');
const allow = part<HTMLButtonElement>('allow');
const deny = part<HTMLButtonElement>('deny');
const retry = part<HTMLButtonElement>('retry');
const problem = part('problem');

let scanGrant: string | null = null;
let needsCode = matchCode === 'required';
let looked = false;
let busy = false;
let finished = false;

/** Digits only; a Chinese or Japanese keyboard may well have typed full-width ones. */
const typedCode = () => (codeInput?.value ?? '').normalize('NFKC').replace(/\D/g, '').slice(0, 2);

function refresh(): void {
  const ready = scanGrant !== null && !busy && !finished;
  if (codeInput) codeInput.disabled = !ready;
  deny.disabled = !ready;
  allow.disabled = !ready || !looked || (needsCode && typedCode().length !== 2);
}

function finish(outcome: Outcome, retryAfter: number | null = null): void {
  if (finished) return;
  finished = true;
  scanGrant = null;
  refresh();
  showOutcome(texts, outcome, retryAfter);
}

/** Shows what cannot be decided yet; the person may press the same button again. */
function complain(answer: Answer, noAnswer: string): void {
  if (answer.status === 0) problem.textContent = textOf(texts, noAnswer);
  else problem.textContent = textOf(texts, answer.status >= 500 ? 'common.busy' : 'common.unexpected');
}

function settle(answer: Answer, done: Outcome): void {
  const outcome = answer.status === 200 ? done : outcomeOf(answer, 'over');
  if (outcome) finish(outcome, answer.retryAfter);
  else complain(answer, 'decide.noAnswer');
}

async function scan(): Promise<void> {
  retry.hidden = true;
  problem.textContent = '';
  const answer = await call('/phone/scan', { body: { scan_token: scanToken, csrf }, cookies: true });
  scanGrant = answer.status === 200 ? textField(answer, 'scan_grant') : null;
  if (scanGrant === null) {
    const outcome = outcomeOf(answer, 'taken');
    if (outcome) return finish(outcome, answer.retryAfter);
    complain(answer, 'decide.noNetwork');
    retry.hidden = false;
    return;
  }
  // The page was drawn before the scan; the scan's answer is the newer word on whether a number is asked for.
  needsCode = answer.body.match_code !== 'off';
  if (needsCode && !codeInput) return finish('stale');
  const seconds = Number(answer.body.expires_in);
  if (seconds > 0) setTimeout(() => finishIfIdle(), seconds * 1000);
  refresh();
  codeInput?.focus({ preventScroll: true });
}

/** The time is over; an answer that is on its way may still tell better. */
function finishIfIdle(): void {
  if (busy) setTimeout(finishIfIdle, 1000);
  else finish('expired');
}

async function decide(path: string, body: Record<string, string>, done: Outcome): Promise<void> {
  if (scanGrant === null || busy || finished) return;
  busy = true;
  problem.textContent = '';
  refresh();
  const answer = await call(path, { body: { scan_grant: scanGrant, csrf, ...body }, cookies: true });
  busy = false;
  refresh();
  settle(answer, done);
}

async function switchAccount(): Promise<void> {
  const answer = await call('/phone/sign-out', { body: { csrf }, cookies: true });
  if (answer.status === 0 || answer.status >= 500) return complain(answer, 'decide.noNetwork');
  window.location.reload();
}

function showOpenedAt(): void {
  const time = part<HTMLTimeElement>('opened-at');
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const form = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: 'medium' });
  time.textContent = form.format(at);
}

function tidyCode(event: Event): void {
  const composing = event instanceof InputEvent && event.isComposing;
  if (codeInput && !composing && codeInput.value !== typedCode()) codeInput.value = typedCode();
  refresh();
}

codeInput?.addEventListener('input', tidyCode);
codeInput?.addEventListener('compositionend', tidyCode);
part('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (allow.disabled) return;
  void decide('/phone/confirm', needsCode ? { match_code: typedCode() } : {}, 'confirmed');
});
deny.addEventListener('click', () => void decide('/phone/deny', {}, 'denied'));
retry.addEventListener('click', () => void scan());
part('switch').addEventListener('click', () => void switchAccount());

showOpenedAt();
whenLookedAt((now) => {
  looked = now;
  refresh();
});
whenVisible(() => void scan());
