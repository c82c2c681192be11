// The phone's sign-in form: on success the same address is loaded again, now with a session, so the ticket is not lost.
import { runCredentialsForm } from '../shared/credentials-form.js';
import { type Answer, call } from '../shared/http.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';
import { troubleOf } from '../shared/trouble.js';

const { texts } = takePageData<{ texts: Texts }>();

function problemOf(answer: Answer): string {
  return troubleOf(texts, answer) ?? textOf(texts, answer.status === 401 ? 'signIn.wrong' : 'common.unexpected');
}

runCredentialsForm({
  idleText: textOf(texts, 'signIn.submit'),
  workingText: textOf(texts, 'signIn.working'),
  check: (username, password) => (username.trim() && password ? null : textOf(texts, 'signIn.fillBoth')),
  send: (username, password) => call('/phone/sign-in', { body: { username, password }, cookies: true }),
  onAnswer: (answer) => {
    if (answer.status !== 200) return problemOf(answer);
    window.location.reload();
    return null;
  },
});
