// Entry of the consent page: allows what the page shows, once a person can have read it, or denies it.
import { whenLookedAt } from '../phone/guard.js';
import { part } from '../shared/dom.js';
import { type Texts, takePageData } from '../shared/page-data.js';
import { answerRequest, problemOf, redirectOf } from './answer.js';

const { uid, texts } = takePageData<{ uid: string; texts: Texts }>();

const allow = part<HTMLButtonElement>('allow');
const deny = part<HTMLButtonElement>('deny');
const problem = part('problem');

let looked = false;
let busy = false;

function refresh(): void {
  allow.disabled = busy || !looked;
  deny.disabled = busy;
}

async function decide(decision: 'allow' | 'deny', button: HTMLButtonElement): Promise<void> {
  if (button.disabled) return;
  busy = true;
  problem.textContent = '';
  refresh();
  const answer = await answerRequest(uid, 'consent', { decision });
  const url = redirectOf(answer);
  if (url !== null) return window.location.replace(url);
  busy = false;
  refresh();
  problem.textContent = problemOf(texts, answer);
  button.focus();
}

allow.addEventListener('click', () => void decide('allow', allow));
deny.addEventListener('click', () => void decide('deny', deny));
// The page comes right after a click on "sign in": a second click of the same hand must not allow anything (T17).
whenLookedAt((now) => {
  looked = now;
  refresh();
});
