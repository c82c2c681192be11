// Signing in to the console: a passkey, or the password; then the same address is loaded again.
import { runCredentialsForm } from '../shared/credentials-form.js';
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, call } from '../shared/http.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';
import { troubleOf } from '../shared/trouble.js';
import { browserKnowsPasskeys, showPasskey } from './passkey.js';

const { texts, lang } = takePageData<{ texts: Texts; lang: string }>();

function problemOf(answer: Answer, wrong: string): string {
  return troubleOf(texts, answer) ?? textOf(texts, answer.status === 401 ? wrong : 'common.unexpected');
}

const send = (path: string, body: object) => call(`${path}?lang=${lang}`, { body, cookies: true });
const byPasskey = optionalPart('by-passkey');
const knowsPasskeys = byPasskey !== null && browserKnowsPasskeys();

runCredentialsForm({
  idleText: textOf(texts, 'consoleSignIn.submit'),
  workingText: textOf(texts, 'signIn.working'),
  takesFocus: !knowsPasskeys,
  check: (username, password) => (username.trim() && password ? null : textOf(texts, 'signIn.fillBoth')),
  send: (username, password) => send('/admin/sign-in', { username, password }),
  onAnswer: (answer) => {
    if (answer.status !== 200) return problemOf(answer, 'consoleSignIn.wrong');
    location.reload();
    return null;
  },
});

if (knowsPasskeys) {
  const button = part<HTMLButtonElement>('passkey');
  const problem = part('passkey-problem');
  byPasskey.hidden = false;
  button.addEventListener('click', async () => {
    problem.textContent = '';
    button.disabled = true;
    const ended = await showPasskey('/admin/sign-in/passkey', send);
    if ('answer' in ended && ended.answer.status === 200) return location.reload();
    button.disabled = false;
    problem.textContent = 'answer' in ended ? problemOf(ended.answer, 'passkey.refused') : textOf(texts, ended.problem);
    button.focus();
  });
} else {
  part('submit').classList.remove('quiet');
}
