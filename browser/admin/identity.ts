// The dialog that asks again who is there. The page behind it stays as it is: nothing that was typed is lost.
import { part } from '../shared/dom.js';
import { type Answer, type Call, textField } from '../shared/http.js';
import { troubleOf } from '../shared/trouble.js';
import { data, text } from './page.js';
import { browserKnowsPasskeys, showPasskey } from './passkey.js';
import { readPage } from './redraw.js';

/** `over`: the session has ended. `fresh`: the last proof is too old for what is to be done. */
export type Reason = 'over' | 'fresh';
type Send = (method: Call['method'], path: string, body?: object) => Promise<Answer>;

const dialog = part<HTMLDialogElement>('identity');
const username = part<HTMLInputElement>('identity-username');
const password = part<HTMLInputElement>('identity-password');
const submit = part<HTMLButtonElement>('identity-submit');
const passkey = part<HTMLButtonElement>('identity-passkey');
const problem = part('identity-problem');

let reason: Reason = 'fresh';
let post: (path: string, body: object) => Promise<Answer>;
/** True: the call may be repeated. */
let settle: (proved: boolean) => void = () => {};

export function askWhoIsThere(why: Reason, send: Send): Promise<boolean> {
  reason = why;
  post = (path, body) => send('POST', path, body);
  const isOver = reason === 'over';
  part('identity-title').textContent = text(isOver ? 'identity.over.title' : 'identity.title');
  part('identity-text').textContent = text(isOver ? 'identity.over.text' : 'identity.text');
  // Who has a passkey proves nothing by a password, and who has none has nothing else.
  const byPassword = !data.hasPasskey;
  part('identity-name').hidden = !isOver;
  part('identity-by-password').hidden = !byPassword;
  submit.hidden = !byPassword;
  passkey.hidden = byPassword || !canShowPasskey();
  password.value = '';
  problem.textContent = '';
  dialog.showModal();
  (byPassword ? password : passkey).focus();
  return new Promise((resolve) => {
    settle = resolve;
  });
}

const canShowPasskey = () => data.passkeysPossible && browserKnowsPasskeys();

function close(proved: boolean): void {
  dialog.close();
  settle(proved);
}

/** What is said of an answer; null when it is good. */
async function judge(answer: Answer, wrong: string): Promise<string | null> {
  if (answer.status === 200) return reason === 'over' ? takeNewSession() : null;
  const trouble = troubleOf(data.texts, answer);
  if (trouble !== null) return trouble;
  if (textField(answer, 'error') === 'invalid_credentials') {
    // Perhaps a passkey was added elsewhere: then it is what opens a new session.
    if (reason === 'over') passkey.hidden = !canShowPasskey();
    return text(wrong);
  }
  // Between the question and the answer the session ended as well.
  return text(answer.status === 401 ? 'identity.other' : 'common.unexpected');
}

/** Tokens belong to a session: a new one has others, and its pages tell them. */
async function takeNewSession(): Promise<string | null> {
  const page = await readPage('/admin');
  if (!page?.data.csrf) return text('identity.other');
  data.csrf = page.data.csrf;
  data.hasPasskey = page.data.hasPasskey;
  // It may be another administrator.
  part('who').textContent = page.document.getElementById('who')?.textContent ?? '';
  return null;
}

function complain(words: string, field?: HTMLInputElement): void {
  problem.textContent = words;
  field?.focus();
  field?.select();
}

part<HTMLFormElement>('identity-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (submit.disabled || submit.hidden) return;
  if (password.value === '') return complain(text('identity.fill'), password);
  problem.textContent = '';
  submit.disabled = true;
  const answer =
    reason === 'over'
      ? await post('/admin/sign-in', { username: username.value, password: password.value })
      : await post('/admin/prove', { password: password.value });
  const trouble = await judge(answer, reason === 'over' ? 'consoleSignIn.wrong' : 'identity.wrong');
  submit.disabled = false;
  if (trouble === null) close(true);
  else complain(trouble, password);
});

passkey.addEventListener('click', async () => {
  problem.textContent = '';
  passkey.disabled = true;
  const ended = await showPasskey(reason === 'over' ? '/admin/sign-in/passkey' : '/admin/prove/passkey', post);
  const trouble = 'answer' in ended ? await judge(ended.answer, 'passkey.refused') : text(ended.problem);
  passkey.disabled = false;
  if (trouble === null) close(true);
  else complain(trouble);
});

part('identity-cancel').addEventListener('click', () => close(false));
dialog.addEventListener('cancel', () => settle(false));
