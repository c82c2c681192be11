// The decision on the phone: scans once the page is seen, then allows (looked at, number typed) or denies the request.
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, call, textField } from '../shared/http.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';
import { tooMany } from '../shared/too-many.js';
import { whenLookedAt, whenVisible } from './guard.js';
import { type Outcome, outcomeOf, showOutcome } from './outcome.js';

interface DecideData {
  /** What the QR code carries, or what a device shows. */
  scanToken?: string;
  userCode?: string;
  csrf: string;
  matchCode: 'required' | 'off';
  texts: Texts;
}

const { scanToken, userCode, matchCode, texts, ...given } = takePageData<DecideData>();

const codeInput = optionalPart<HTMLInputElement>('match-code');
const proof = part('proof');
const password = part<HTMLInputElement>('password');
const remember = optionalPart<HTMLInputElement>('remember');
const allow = part<HTMLButtonElement>('allow');
const deny = part<HTMLButtonElement>('deny');
const retry = part<HTMLButtonElement>('retry');
const problem = part('problem');

let { csrf } = given;
let scanGrant: string | null = null;
let needsCode = matchCode === 'required';
/** The site asks who it really is: the password comes before "allow". */
let needsProof = !proof.hidden;
let looked = false;
let busy = false;
let finished = false;

/** Digits only; a Chinese or Japanese keyboard may well have typed full-width ones. */
const typedCode = () => (codeInput?.value ?? '').normalize('NFKC').replace(/\D/g, '').slice(0, 2);

function refresh(): void {
  const ready = scanGrant !== null && !busy && !finished;
  if (codeInput) codeInput.disabled = !ready;
  password.disabled = !ready;
  if (remember) remember.disabled = !ready;
  deny.disabled = !ready;
  const isFilled = (!needsCode || typedCode().length === 2) && (!needsProof || password.value !== '');
  allow.disabled = !ready || !looked || !isFilled;
}

function finish(outcome: Outcome, retryAfter: number | null = null): void {
  if (finished) return;
  finished = true;
  scanGrant = null;
  refresh();
  // A device keeps its code longer than we wait for an answer: the page can be loaded again.
  showOutcome(texts, outcome === 'expired' && userCode !== undefined ? 'stale' : outcome, retryAfter);
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
  const what = userCode === undefined ? { scan_token: scanToken } : { user_code: userCode };
  const answer = await call('/phone/scan', { body: { ...what, csrf }, cookies: true });
  scanGrant = answer.status === 200 ? textField(answer, 'scan_grant') : null;
  if (scanGrant === null) {
    const outcome = outcomeOf(answer, 'taken');
    if (outcome) return finish(outcome, answer.retryAfter);
    complain(answer, 'decide.noNetwork');
    retry.hidden = false;
    return;
  }
  // A device's code becomes a ticket with its scan, and the token is the ticket's.
  csrf = textField(answer, 'csrf') ?? csrf;
  // The page was drawn before the scan; the scan's answer is the newer word on whether a number is asked for.
  needsCode = answer.body.match_code !== 'off';
  if (needsCode && !codeInput) return finish('stale');
  if (answer.body.fresh_sign_in === 'required') askForProof();
  const seconds = Number(answer.body.expires_in);
  if (seconds > 0) setTimeout(() => finishIfIdle(), seconds * 1000);
  refresh();
  (codeInput ?? (needsProof ? password : null))?.focus({ preventScroll: true });
}

/** The time is over; an answer that is on its way may still tell better. */
function finishIfIdle(): void {
  if (busy) setTimeout(finishIfIdle, 1000);
  else finish('expired');
}

/** One call at a time; null when this is no moment for one. */
async function send(path: string, body: object): Promise<Answer | null> {
  if (scanGrant === null || busy || finished) return null;
  busy = true;
  problem.textContent = '';
  refresh();
  const answer = await call(path, { body: { scan_grant: scanGrant, csrf, ...body }, cookies: true });
  busy = false;
  refresh();
  return answer;
}

function askForProof(): void {
  needsProof = true;
  proof.hidden = false;
  refresh();
}

/** False: the password was not right, or the server could not say; the person may try again. */
async function prove(): Promise<boolean> {
  const answer = await send('/phone/prove', { password: password.value });
  if (answer?.status === 200) return true;
  if (answer?.status === 401 && answer.body.error === 'invalid_credentials') {
    problem.textContent = textOf(texts, 'decide.wrongPassword');
    password.setAttribute('aria-invalid', 'true');
    password.focus();
    password.select();
  } else if (answer?.status === 429) {
    problem.textContent = tooMany(texts, answer.retryAfter);
  } else if (answer) {
    settle(answer, 'confirmed');
  }
  return false;
}

async function confirm(): Promise<void> {
  if (needsProof) {
    if (!(await prove())) return;
    // Good for this request: not asked for again unless the server says so.
    needsProof = false;
    proof.hidden = true;
  }
  const answer = await send('/phone/confirm', {
    ...(needsCode ? { match_code: typedCode() } : {}),
    ...(remember?.checked ? { remember: true } : {}),
  });
  if (answer?.status === 403 && answer.body.error === 'step_up_required') {
    askForProof();
    password.focus();
  } else if (answer) {
    settle(answer, 'confirmed');
  }
}

async function denyIt(): Promise<void> {
  const answer = await send('/phone/deny', {});
  if (answer) settle(answer, 'denied');
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
  void confirm();
});
deny.addEventListener('click', () => void denyIt());
password.addEventListener('input', () => {
  password.removeAttribute('aria-invalid');
  refresh();
});
retry.addEventListener('click', () => void scan());
part('switch').addEventListener('click', () => void switchAccount());

showOpenedAt();
whenLookedAt((now) => {
  looked = now;
  refresh();
});
whenVisible(() => void scan());
